package vision

import (
	"encoding/binary"
	"fmt"
	"image"
	"math"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/vision/internal/raster"
)

// An Input is what a graph says of the tensor it takes pictures in.
type Input struct {
	Name   string
	Type   onnx.DType // Float32, Float16, or Uint8: pixels as they are
	Layout Layout
	Width  int // 0: any
	Height int
}

// String is a canonical form of what decides the tensor's bytes.
func (in Input) String() string { return fmt.Sprintf("%s %s", in.Type, in.Layout) }

// imageInput finds the one input of m that takes pictures: not an initializer, of four axes, three channels.
func imageInput(m *onnx.Model) (Input, error) {
	weights := map[string]bool{}
	for _, t := range m.Graph.Initializers {
		weights[t.Name] = true
	}
	var found []Input
	var why error
	for _, v := range m.Graph.Inputs {
		if weights[v.Name] {
			continue
		}
		in, err := inputOf(v)
		if err != nil {
			why = err
			continue
		}
		found = append(found, in)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Input{}, fmt.Errorf("vision: the graph has several inputs that could take pictures (%q, %q): want one", found[0].Name, found[1].Name)
	case why != nil:
		return Input{}, why
	}
	return Input{}, fmt.Errorf("vision: the graph has no input")
}

// inputOf tells whether v could take pictures, and how.
func inputOf(v *onnx.Value) (Input, error) {
	in := Input{Name: v.Name, Type: v.Type}
	if len(v.Shape) != 4 {
		return in, fmt.Errorf("vision: input %q has %d axes: pictures have 4 (N×3×H×W or N×H×W×3)", v.Name, len(v.Shape))
	}
	switch v.Type {
	case onnx.Float32, onnx.Float16, onnx.Uint8:
	default:
		return in, fmt.Errorf("vision: input %q takes %v: pictures are float32, float16 or uint8", v.Name, v.Type)
	}
	size := func(i int) int {
		if d := v.Shape[i]; d.Known && d.Size > 0 && d.Size < 1<<20 {
			return int(d.Size)
		}
		return 0
	}
	switch c1, c3 := size(1), size(3); {
	case c1 == 3 || c1 == 0 && c3 != 3:
		in.Layout, in.Height, in.Width = NCHW, size(2), size(3)
	case c3 == 3:
		in.Layout, in.Height, in.Width = NHWC, size(1), size(2)
	default:
		return in, fmt.Errorf("vision: input %q is N×%d×%d×%d: want three channels, second (NCHW) or last (NHWC)", v.Name, c1, size(2), c3)
	}
	return in, nil
}

// relaid is in with its axes read as l.
func (in Input) relaid(v onnx.Shape, l Layout) Input {
	if l == in.Layout || len(v) != 4 {
		return in
	}
	at := map[Layout]int{NCHW: 2, NHWC: 1}[l]
	in.Layout = l
	in.Height, in.Width = 0, 0
	if d := v[at]; d.Known {
		in.Height = int(max(d.Size, 0))
	}
	if d := v[at+1]; d.Known {
		in.Width = int(max(d.Size, 0))
	}
	return in
}

// values is a Transform's function of pixel values, tabulated: what each value of each channel becomes, in the order in
// which the channels are written, and the channel each is read from.
type values struct {
	size int // bytes an element
	from [3]int
	f32  [3][256]float32
	f16  [3][256]uint16
}

func tabulate(t *Transform, typ onnx.DType) *values {
	v := &values{size: 4, from: [3]int{0, 1, 2}}
	if t.BGR {
		v.from = [3]int{2, 1, 0}
	}
	switch typ {
	case onnx.Float16:
		v.size = 2
	case onnx.Uint8:
		v.size = 1
	}
	for c := range 3 {
		for i := range 256 {
			// Statistics go by place: the first mean is the first channel's that the model sees.
			x := t.value(uint8(i), c)
			v.f32[c][i], v.f16[c][i] = x, half(x)
		}
	}
	return v
}

// write puts the picture m into a batch's tensor, as its picture i.
func (v *values) write(t *onnx.Tensor, i int, m *raster.Image, l Layout) error {
	n := m.W * m.H
	switch t.Type {
	case onnx.Float32:
		out, err := onnx.View[float32](t)
		if err != nil {
			return err
		}
		spread(out[3*n*i:3*n*(i+1)], m.Pix, &v.f32, v.from, l)
	case onnx.Float16:
		out := t.Data[6*n*i : 6*n*(i+1)]
		put(out, m.Pix, n, l, v.from, 2, func(b []byte, c int, p byte) { binary.LittleEndian.PutUint16(b, v.f16[c][p]) })
	default:
		out := t.Data[3*n*i : 3*n*(i+1)]
		put(out, m.Pix, n, l, v.from, 1, func(b []byte, _ int, p byte) { b[0] = p })
	}
	return nil
}

// spread looks the pixels up in a table for each channel.
func spread(out []float32, pix []byte, table *[3][256]float32, from [3]int, l Layout) {
	n := len(out) / 3
	pix = pix[:3*n]
	t0, t1, t2 := &table[0], &table[1], &table[2]
	if from[0] != 0 { // blue first: the first channel is the last of the pixel
		swapped := [3][256]float32{table[2], table[1], table[0]}
		t0, t1, t2 = &swapped[0], &swapped[1], &swapped[2]
	}
	if l == NHWC {
		for x := range n {
			o, p := out[3*x:3*x+3:3*x+3], pix[3*x:3*x+3:3*x+3]
			o[from[0]], o[1], o[from[2]] = t0[p[0]], t1[p[1]], t2[p[2]]
		}
		return
	}
	planes := [3][]float32{out[:n], out[n : 2*n], out[2*n:]}
	r, g, b := planes[from[0]][:n], planes[1][:n], planes[from[2]][:n]
	for x := range n {
		p := pix[3*x : 3*x+3 : 3*x+3]
		r[x], g[x], b[x] = t0[p[0]], t1[p[1]], t2[p[2]]
	}
}

// put writes the n pixels one channel after the other, each element size bytes, by f.
func put(out, pix []byte, n int, l Layout, from [3]int, size int, f func(b []byte, c int, p byte)) {
	for c, channel := range from {
		o, step := out[c*n*size:], size
		if l == NHWC {
			o, step = out[c*size:], 3*size
		}
		for x := range n {
			f(o[x*step:], c, pix[3*x+channel])
		}
	}
}

// half rounds x to IEEE 754 half precision, ties to even.
func half(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	switch b &= 0x7fffffff; {
	case b >= 0x7f800001:
		return sign | 0x7e00 // not a number
	case b >= 0x477ff000:
		return sign | 0x7c00 // 65520 and above: infinite
	case b < 0x38800000: // below 2⁻¹⁴: subnormal, a multiple of 2⁻²⁴
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*(1<<24)))
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-0x38000000)>>13)
}

// shape is that of n pictures of the given size.
func (in Input) shape(n int, size image.Point) []int64 {
	if in.Layout == NHWC {
		return []int64{int64(n), int64(size.Y), int64(size.X), 3}
	}
	return []int64{int64(n), 3, int64(size.Y), int64(size.X)}
}
