package jpeg

import (
	"fmt"
	"image"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A component is one plane of the picture: luma, or a chroma, or an ink.
type component struct {
	id         byte
	h, v       int // sampling factors
	table      byte
	hs, vs     int             // how many pixels of the picture a sample spans, across and down
	w, hgt     int             // samples
	bw, bh     int             // blocks of 8×8 that hold them
	stride     int             // blocks in a row as stored: whole MCUs
	need       image.Rectangle // blocks to be reconstructed
	plane      []byte          // their samples, 8*need.Dx() in a row
	coeffs     []int16         // progressive: all coefficients, stride*rows blocks of 64
	quant      [64]int32       // in natural order
	hasQuant   bool
	dc, ac     int // tables of the current scan
	prediction int32
	seen       bool // some scan held its DC coefficients
}

// sof reads a frame header: size and components (T.81, B.2.2).
func (d *Decoder) sof(marker byte, seg []byte) error {
	switch {
	case d.n > 0:
		return malformed("two frames")
	case len(seg) < 6:
		return malformed("frame header too short")
	case marker > 0xc2:
		return unsupported("coding process " + process(marker))
	case seg[0] != 8:
		return unsupported(fmt.Sprintf("%d bits a sample", seg[0]))
	}
	d.progressive = marker == 0xc2
	d.height, d.width = int(seg[1])<<8|int(seg[2]), int(seg[3])<<8|int(seg[4])
	n := int(seg[5])
	switch {
	case len(seg) < 6+3*n:
		return malformed("frame header too short")
	case d.width == 0:
		return malformed("its width is 0")
	case d.height == 0:
		return unsupported("height given after the picture (DNL)")
	case n != 1 && n != 3 && n != 4:
		return unsupported(fmt.Sprintf("%d components", n))
	}
	d.maxH, d.maxV = 1, 1
	for i := range n {
		s := seg[6+3*i:]
		c := &d.comps[i]
		*c = component{id: s[0], h: int(s[1] >> 4), v: int(s[1] & 15), table: s[2], plane: c.plane, coeffs: c.coeffs}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return malformed(fmt.Sprintf("component %d: sampling %dx%d, table %d", c.id, c.h, c.v, c.table))
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
	}
	d.n = n
	return d.layOut()
}

// layOut computes every component's size.
func (d *Decoder) layOut() error {
	d.mcusX, d.mcusY = up(d.width, 8*d.maxH), up(d.height, 8*d.maxV)
	for i := range d.n {
		c := &d.comps[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return unsupported(fmt.Sprintf("sampling %dx%d beside %dx%d", c.h, c.v, d.maxH, d.maxV))
		}
		c.hs, c.vs = d.maxH/c.h, d.maxV/c.v
		c.w, c.hgt = up(d.width, c.hs), up(d.height, c.vs)
		c.bw, c.bh = up(c.w, 8), up(c.hgt, 8)
		c.stride = d.mcusX * c.h
	}
	return nil
}

// reserve makes room for the part need of the picture. A file too short to hold the blocks it declares is refused first:
// every block's DC coefficient takes a bit at least.
func (d *Decoder) reserve(need image.Rectangle, size int) error {
	blocks := 0
	for i := range d.n {
		blocks += d.comps[i].bw * d.comps[i].bh
	}
	if blocks > 8*size {
		return malformed(fmt.Sprintf("%d bytes cannot hold the %dx%d pixels declared", size, d.width, d.height))
	}
	for i := range d.n {
		c := &d.comps[i]
		// Interpolated samples look at their neighbours.
		r := image.Rect(need.Min.X/c.hs-1, need.Min.Y/c.vs-1, up(need.Max.X, c.hs)+1, up(need.Max.Y, c.vs)+1)
		r = r.Intersect(image.Rect(0, 0, c.w, c.hgt))
		c.need = image.Rect(r.Min.X/8, r.Min.Y/8, up(r.Max.X, 8), up(r.Max.Y, 8))
		c.plane = raster.Grow(c.plane, 64*c.need.Dx()*c.need.Dy())
		if d.progressive {
			n := 64 * c.stride * d.mcusY * c.v
			c.coeffs = raster.Grow(c.coeffs, n)
			clear(c.coeffs)
		}
	}
	return nil
}

// block returns where the samples of block x, y go, nil where nobody needs them.
func (c *component) block(x, y int) []byte {
	if !image.Pt(x, y).In(c.need) {
		return nil
	}
	return c.plane[64*c.need.Dx()*(y-c.need.Min.Y)+8*(x-c.need.Min.X):]
}

// row returns the samples of row y, the first of which is sample 8*need.Min.X.
func (c *component) row(y int) []byte {
	w := 8 * c.need.Dx()
	return c.plane[w*(y-8*c.need.Min.Y):][:w]
}

// up is a/b rounded up.
func up(a, b int) int { return (a + b - 1) / b }

func process(marker byte) string {
	switch {
	case marker == 0xc3 || marker == 0xc7 || marker == 0xcb || marker == 0xcf:
		return "lossless"
	case marker == 0xc5 || marker == 0xc6:
		return "hierarchical"
	case marker >= 0xc9:
		return "arithmetic"
	}
	return fmt.Sprintf("%#x", marker)
}

func malformed(reason string) error {
	return &raster.MalformedError{Format: "JPEG", Reason: reason}
}

func unsupported(reason string) error {
	return &raster.UnsupportedError{Format: "JPEG", Reason: reason}
}
