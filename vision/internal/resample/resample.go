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
	if a.filter == Nearest {
		for i, x := range a.first {
			copy(dst[3*i:3*i+3], src[3*(int(x)-skip):])
		}
		return
	}
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

// column computes output row y from the rows of r, the first of which is input row skip.
func (r *Resizer) column(dst []byte, y, skip int) {
	a := &r.down
	n := len(dst)
	lo := int(a.first[y]) - skip
	if a.filter == Nearest {
		copy(dst, r.rows[lo*n:])
		return
	}
	sums := r.sums[:n]
	for i := range sums {
		sums[i] = half
	}
	for i, w := range a.fixed[y*a.taps:][:a.count[y]] {
		row := r.rows[(lo+i)*n:][:n]
		for x, v := range row {
			sums[x] += int32(v) * w
		}
	}
	for x, v := range sums {
		dst[x] = clip(v)
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
