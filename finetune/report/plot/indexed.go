package plot

import (
	"encoding/binary"
	"image"
	"image/color"
)

// A palette gathers the colours of a picture, at most 256: the inks as they are, and of the shades between them the first of
// those that share the leading bits of each colour. When it is full, what is new becomes the nearest of what is there.
type palette struct {
	colours color.Palette
	bits    int
	of      []int16 // leading bits → index + 1
	nearest bool    // it may be full
}

func newPalette(bits int, nearest bool) *palette {
	p := &palette{bits: bits, of: make([]int16, 1<<(3*bits)), nearest: nearest}
	for i := range shades[1:] {
		c := Ink(i + 1).rgba(1)
		p.index(c.R, c.G, c.B)
	}
	return p
}

// index returns the colour's place, and false where the palette is full.
func (p *palette) index(r, g, b uint8) (uint8, bool) {
	drop := 8 - p.bits
	bucket := &p.of[int(r>>drop)<<(2*p.bits)|int(g>>drop)<<p.bits|int(b>>drop)]
	if *bucket == 0 {
		c := color.RGBA{r, g, b, 255}
		switch {
		case len(p.colours) < 256:
			p.colours = append(p.colours, c)
			*bucket = int16(len(p.colours))
		case p.nearest:
			*bucket = int16(p.colours.Index(c) + 1)
		default:
			return 0, false
		}
	}
	return uint8(*bucket - 1), true
}

// indexed returns the picture in at most 256 colours, which takes a third of the time and room to write.
func indexed(img *image.RGBA) *image.Paletted {
	if out, ok := indexedBy(img, newPalette(5, false)); ok {
		return out
	}
	out, _ := indexedBy(img, newPalette(4, true))
	return out
}

func indexedBy(img *image.RGBA, p *palette) (*image.Paletted, bool) {
	size := img.Bounds().Size()
	out := image.NewPaletted(img.Bounds(), nil)
	for y := range size.Y {
		row, to := img.Pix[y*img.Stride:], out.Pix[y*out.Stride:y*out.Stride+size.X]
		var last uint32
		var index uint8
		for x := range to {
			c := row[4*x : 4*x+4 : 4*x+4]
			if v := binary.LittleEndian.Uint32(c); x == 0 || v != last {
				last = v
				var ok bool
				if index, ok = p.index(c[0], c[1], c[2]); !ok {
					return nil, false
				}
			}
			to[x] = index
		}
	}
	out.Palette = p.colours
	return out, true
}
