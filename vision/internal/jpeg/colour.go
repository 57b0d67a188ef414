package jpeg

import (
	"github.com/onnx-graft/graft/vision/internal/raster"
)

// An upsampler holds a row of each component at the picture's full width.
type upsampler struct {
	rows [4][]byte
	sums []int32
}

// colours writes the part needed, as RGB, to dst.
func (d *Decoder) colours(dst *raster.Image) {
	dst.Reset(d.need.Dx(), d.need.Dy())
	x0, x1 := d.need.Min.X, d.need.Max.X
	convert := d.conversion()
	var rows [4][]byte
	for y := range dst.H {
		for i := range d.n {
			c := &d.comps[i]
			rows[i] = d.up.row(i, c, y+d.need.Min.Y, x0, x1)
		}
		convert(dst.Row(y), &rows)
	}
}

// row returns the samples of component i for the picture's row y, columns x0 to x1.
func (u *upsampler) row(i int, c *component, y, x0, x1 int) []byte {
	first := 8 * c.need.Min.X // the plane's first sample
	if c.hs == 1 && c.vs == 1 {
		return c.row(y)[x0-first : x1-first]
	}
	near := y / c.vs
	// libjpeg interpolates by two; across, only rows of more than two samples.
	smoothX := c.hs == 2 && c.vs <= 2 && c.w > 2
	smoothY := c.vs == 2 && (c.hs == 1 || smoothX)
	far := near
	if smoothY {
		far = min(max(near-1+2*(y&1), 0), c.hgt-1)
	}
	from, to := x0/c.hs, up(x1, c.hs) // samples
	u.rows[i] = raster.Grow(u.rows[i], (to-from)*c.hs)
	out := u.rows[i]
	a, b := c.row(near), c.row(far)
	switch {
	case smoothX && smoothY:
		u.sums = raster.Grow(u.sums, to-from+2)
		bilinear2(out, u.sums, a, b, from-first, to-first, c.w-first)
	case smoothX:
		linear(out, a, from-first, to-first, c.w-first)
	case smoothY:
		bias := 1 + y&1
		for x := range out {
			at := from - first + x
			out[x] = byte((int(a[at])*3 + int(b[at]) + bias) >> 2)
		}
	default:
		for x := range out {
			out[x] = a[from-first+x/c.hs]
		}
	}
	return out[x0-from*c.hs:][:x1-x0]
}

// linear doubles the samples from…to of row a, which ends at w: each result is 3/4 the nearer sample and 1/4 the next.
// The first sample of all and the last stand for their missing neighbours.
func linear(out, a []byte, from, to, w int) {
	for x := from; x < to; x++ {
		v := int(a[x]) * 3
		l, r := v+int(a[x])+1, v+int(a[x])+2
		if x > 0 {
			l = v + int(a[x-1]) + 1
		}
		if x+1 < w {
			r = v + int(a[x+1]) + 2
		}
		out[2*(x-from)], out[2*(x-from)+1] = byte(l>>2), byte(r>>2)
	}
}

// bilinear2 does the same between the row a and the farther row b.
func bilinear2(out []byte, sums []int32, a, b []byte, from, to, w int) {
	// sums[i] is the column at from-1+i; a column outside the picture is its neighbour within.
	lo, hi := max(from-1, 0), min(to+1, w)
	for i, v := range a[lo:hi] {
		sums[lo-from+1+i] = int32(v)*3 + int32(b[lo+i])
	}
	if from == 0 {
		sums[0] = sums[1]
	}
	if to == w {
		sums[to-from+1] = sums[to-from]
	}
	last, this := sums[0], sums[1]
	sums = sums[2 : to-from+2]
	out = out[:2*len(sums)]
	for x, next := range sums {
		out[2*x] = byte((this*3 + last + 8) >> 4)
		out[2*x+1] = byte((this*3 + next + 7) >> 4)
		last, this = this, next
	}
}

// conversion returns what turns a row of components into RGB, chosen as libjpeg chooses and followed by what Pillow does
// with inks.
func (d *Decoder) conversion() func(dst []byte, rows *[4][]byte) {
	id := [3]byte{d.comps[0].id, d.comps[1].id, d.comps[2].id}
	switch {
	case d.n == 1:
		return grey
	case d.n == 4 && d.adobe && d.transform == 2:
		return ycck
	case d.n == 4:
		return cmyk
	case d.Plain, !d.jfif && d.adobe && d.transform == 0, !d.jfif && !d.adobe && id == [3]byte{'R', 'G', 'B'}:
		return rgb
	}
	return ycc
}

func grey(dst []byte, rows *[4][]byte) {
	for x, v := range rows[0] {
		o := dst[3*x : 3*x+3 : 3*x+3]
		o[0], o[1], o[2] = v, v, v
	}
}

func rgb(dst []byte, rows *[4][]byte) {
	for x, v := range rows[0] {
		o := dst[3*x : 3*x+3 : 3*x+3]
		o[0], o[1], o[2] = v, rows[1][x], rows[2][x]
	}
}

// ycc converts by JFIF's formula in 16-bit fixed point.
func ycc(dst []byte, rows *[4][]byte) {
	luma := rows[0]
	cb, cr := rows[1][:len(luma)], rows[2][:len(luma)]
	dst = dst[:3*len(luma)]
	for x, v := range luma {
		y, b, r := int32(v), int32(cb[x])-128, int32(cr[x])-128
		o := dst[3*x : 3*x+3 : 3*x+3]
		o[0] = clamp(y + (91881*r+32768)>>16)
		o[1] = clamp(y + (32768-22554*b-46802*r)>>16)
		o[2] = clamp(y + (116130*b+32768)>>16)
	}
}

// cmyk converts inks, which JPEG files store inverted (255 is none), as Pillow does.
func cmyk(dst []byte, rows *[4][]byte) {
	for x, k := range rows[3] {
		o := dst[3*x : 3*x+3 : 3*x+3]
		for i := range o {
			o[i] = Ink(255-rows[i][x], 255-k)
		}
	}
}

// ycck first turns luma and chroma into the inverted inks, which are RGB.
func ycck(dst []byte, rows *[4][]byte) {
	ycc(dst, rows)
	for x, k := range rows[3] {
		o := dst[3*x : 3*x+3 : 3*x+3]
		for i := range o {
			// libjpeg gives 255-v as the ink, and the file's ink is inverted again.
			o[i] = Ink(o[i], 255-k)
		}
	}
}

// Ink returns what is left of a channel's light, 0 to 255, under an ink and black, as Pillow mixes them.
func Ink(ink, black byte) byte {
	white := 255 - uint32(black)
	t := uint32(ink)*white + 128
	return byte(white - (t>>8+t)>>8)
}
