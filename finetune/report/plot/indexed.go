package plot

import (
	"image"
	"image/color"
)

// indexed returns the picture with at most 256 colours, which takes a third of the time and room to write: the inks as they
// are, and one for all shades between them that differ little. Where that does not do it returns the picture itself.
func indexed(img *image.RGBA) image.Image {
	for _, bits := range []int{5, 4} {
		if out := indexedBy(img, bits); out != nil {
			return out
		}
	}
	return img
}

// indexedBy tells shades between inks apart by the leading bits of each colour. nil: there are too many.
func indexedBy(img *image.RGBA, bits int) image.Image {
	size := img.Bounds().Size()
	out := image.NewPaletted(img.Bounds(), nil)
	drop := 8 - bits
	bucket := func(r, g, b uint8) int { return int(r>>drop)<<(2*bits) | int(g>>drop)<<bits | int(b>>drop) }
	of := make([]int16, 1<<(3*bits)) // bucket → index + 1
	add := func(r, g, b uint8) int16 {
		out.Palette = append(out.Palette, color.RGBA{r, g, b, 255})
		return int16(len(out.Palette))
	}
	for i := range shades[1:] {
		c := Ink(i + 1).rgba(1)
		if b := bucket(c.R, c.G, c.B); of[b] == 0 {
			of[b] = add(c.R, c.G, c.B)
		}
	}
	for y := range size.Y {
		row, to := img.Pix[y*img.Stride:], out.Pix[y*out.Stride:y*out.Stride+size.X]
		var last [3]uint8
		var index uint8
		for x := range to {
			p := row[4*x : 4*x+3 : 4*x+3]
			if x == 0 || p[0] != last[0] || p[1] != last[1] || p[2] != last[2] {
				last = [3]uint8{p[0], p[1], p[2]}
				b := bucket(p[0], p[1], p[2])
				if of[b] == 0 {
					if len(out.Palette) == 256 {
						return nil
					}
					of[b] = add(p[0], p[1], p[2])
				}
				index = uint8(of[b] - 1)
			}
			to[x] = index
		}
	}
	return out
}
