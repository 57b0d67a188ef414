package resample

import (
	"image"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A Resizer resizes pictures. It keeps its memory and the weights of the last sizes for the next picture. The zero value
// is ready; it is not safe for concurrent use.
type Resizer struct {
	across, down axis
	rows         []byte
	sums         []int32
}

// A Source is a picture of which only a part may be at hand: Pixels holds the part At of a picture of Size.
type Source struct {
	Pixels *raster.Image
	At     image.Rectangle
	Size   image.Point
}

// Whole is all of m as a Source.
func Whole(m *raster.Image) Source {
	return Source{Pixels: m, At: m.Bounds(), Size: image.Pt(m.W, m.H)}
}

// Needs returns the part of a picture of the given size that is needed to compute the part crop of it when it is resized
// to the size out. Crop must lie within out.
func Needs(size, out image.Point, crop image.Rectangle, f Filter) image.Rectangle {
	if crop.Empty() {
		return image.Rectangle{}
	}
	x0, x1 := Span(size.X, out.X, crop.Min.X, crop.Max.X, f)
	y0, y1 := Span(size.Y, out.Y, crop.Min.Y, crop.Max.Y, f)
	return image.Rect(x0, y0, x1, y1)
}

// Resize makes the part at…, of dst what the part crop of src would be, were it resized to the size out: dst's pixel
// at+(x, y) becomes pixel crop.Min+(x, y) of the resized picture. Src must hold what [Needs] says, crop must lie within
// out, and crop's size from at on within dst.
func (r *Resizer) Resize(dst *raster.Image, at image.Point, src Source, out image.Point, crop image.Rectangle, f Filter) {
	if crop.Empty() {
		return
	}
	need := Needs(src.Size, out, crop, f)
	w := crop.Dx()
	r.rows = raster.Grow(r.rows, 3*w*need.Dy())
	if src.Size.X == out.X {
		for y := need.Min.Y; y < need.Max.Y; y++ {
			row := src.Pixels.Row(y - src.At.Min.Y)
			copy(r.row(y-need.Min.Y, w), row[3*(crop.Min.X-src.At.Min.X):])
		}
	} else {
		r.across.plan(src.Size.X, out.X, crop.Min.X, crop.Max.X, f)
		r.across.level()
		for y := need.Min.Y; y < need.Max.Y; y++ {
			r.across.mix(r.row(y-need.Min.Y, w), src.Pixels.Row(y-src.At.Min.Y), src.At.Min.X)
		}
	}
	if src.Size.Y == out.Y {
		for y := range crop.Dy() {
			copy(part(dst, at, y, w), r.row(y, w))
		}
		return
	}
	r.down.plan(src.Size.Y, out.Y, crop.Min.Y, crop.Max.Y, f)
	r.sums = raster.Grow(r.sums, 3*w)
	for y := range crop.Dy() {
		r.column(part(dst, at, y, w), y, need.Min.Y)
	}
}

func (r *Resizer) row(y, w int) []byte { return r.rows[3*w*y : 3*w*(y+1)] }

func part(dst *raster.Image, at image.Point, y, w int) []byte {
	return dst.Row(at.Y + y)[3*at.X : 3*(at.X+w)]
}

// half is what rounds a fixed-point sum to the nearest.
const half = 1 << (precision - 1)

// mix computes one row: dst from the input row src, which starts at pixel skip.
func (a *axis) mix(dst, src []byte, skip int) {
	switch {
	case a.filter == Nearest:
		for i, x := range a.first {
			copy(dst[3*i:3*i+3], src[3*(int(x)-skip):])
		}
	case a.even && a.taps == 2:
		a.mix2(dst, src, skip)
	case a.even && a.taps == 3:
		a.mix3(dst, src, skip)
	case a.even && a.taps == 4:
		a.mix4(dst, src, skip)
	default:
		for i, lo := range a.first {
			k := a.fixed[i*a.taps:][:a.count[i]]
			p := src[3*(int(lo)-skip):][:3*len(k)]
			red, green, blue := int32(half), int32(half), int32(half)
			for _, w := range k {
				red += int32(p[0]) * w
				green += int32(p[1]) * w
				blue += int32(p[2]) * w
				p = p[3:]
			}
			o := dst[3*i : 3*i+3 : 3*i+3]
			o[0], o[1], o[2] = clip(red), clip(green), clip(blue)
		}
	}
}

// mix2 to mix4 are mix for so many weights a pixel.
func (a *axis) mix2(dst, src []byte, skip int) {
	for i, lo := range a.first {
		k := a.fixed[2*i:][:2:2]
		p := src[3*(int(lo)-skip):][:6:6]
		o := dst[3*i:][:3:3]
		o[0] = clip(half + int32(p[0])*k[0] + int32(p[3])*k[1])
		o[1] = clip(half + int32(p[1])*k[0] + int32(p[4])*k[1])
		o[2] = clip(half + int32(p[2])*k[0] + int32(p[5])*k[1])
	}
}

func (a *axis) mix3(dst, src []byte, skip int) {
	for i, lo := range a.first {
		k := a.fixed[3*i:][:3:3]
		p := src[3*(int(lo)-skip):][:9:9]
		o := dst[3*i:][:3:3]
		o[0] = clip(half + int32(p[0])*k[0] + int32(p[3])*k[1] + int32(p[6])*k[2])
		o[1] = clip(half + int32(p[1])*k[0] + int32(p[4])*k[1] + int32(p[7])*k[2])
		o[2] = clip(half + int32(p[2])*k[0] + int32(p[5])*k[1] + int32(p[8])*k[2])
	}
}

func (a *axis) mix4(dst, src []byte, skip int) {
	for i, lo := range a.first {
		k := a.fixed[4*i:][:4:4]
		p := src[3*(int(lo)-skip):][:12:12]
		o := dst[3*i:][:3:3]
		o[0] = clip(half + int32(p[0])*k[0] + int32(p[3])*k[1] + int32(p[6])*k[2] + int32(p[9])*k[3])
		o[1] = clip(half + int32(p[1])*k[0] + int32(p[4])*k[1] + int32(p[7])*k[2] + int32(p[10])*k[3])
		o[2] = clip(half + int32(p[2])*k[0] + int32(p[5])*k[1] + int32(p[8])*k[2] + int32(p[11])*k[3])
	}
}

// column computes output row y from the rows of r, the first of which is input row skip.
func (r *Resizer) column(dst []byte, y, skip int) {
	a := &r.down
	n := len(dst)
	rows := r.rows[(int(a.first[y])-skip)*n:]
	if a.filter == Nearest {
		copy(dst, rows)
		return
	}
	k := a.fixed[y*a.taps:][:a.count[y]]
	switch len(k) {
	case 1:
		add1(dst, rows[:n], k[0])
	case 2:
		add2(dst, rows[:n], rows[n:2*n], k[0], k[1])
	case 3:
		add3(dst, rows[:n], rows[n:2*n], rows[2*n:3*n], k[0], k[1], k[2])
	case 4:
		add4(dst, [4][]byte{rows[:n], rows[n : 2*n], rows[2*n : 3*n], rows[3*n : 4*n]}, [4]int32(k))
	default:
		sums := r.sums[:n]
		for i := range sums {
			sums[i] = half
		}
		for i, w := range k {
			for x, v := range rows[i*n:][:n] {
				sums[x] += int32(v) * w
			}
		}
		for x, v := range sums {
			dst[x] = clip(v)
		}
	}
}

// add1 to add4 are weighted means of so many rows, all of dst's length.
func add1(dst, a []byte, u int32) {
	a = a[:len(dst)]
	for x := range dst {
		dst[x] = clip(half + int32(a[x])*u)
	}
}

func add2(dst, a, b []byte, u, v int32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for x := range dst {
		dst[x] = clip(half + int32(a[x])*u + int32(b[x])*v)
	}
}

func add3(dst, a, b, c []byte, u, v, w int32) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	for x := range dst {
		dst[x] = clip(half + int32(a[x])*u + int32(b[x])*v + int32(c[x])*w)
	}
}

func add4(dst []byte, rows [4][]byte, k [4]int32) {
	a, b, c, d := rows[0][:len(dst)], rows[1][:len(dst)], rows[2][:len(dst)], rows[3][:len(dst)]
	t, u, v, w := k[0], k[1], k[2], k[3]
	for x := range dst {
		dst[x] = clip(half + int32(a[x])*t + int32(b[x])*u + int32(c[x])*v + int32(d[x])*w)
	}
}

// clip rounds a fixed-point value down to its whole part, within 0…255.
func clip(v int32) byte {
	v >>= precision
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 below, 255 above
	}
	return byte(v)
}
