package demo

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// point is a place on the unit canvas: x to the right and y down, the object
// being drawn filling about [-1, 1] in both.
type point struct{ x, y float64 }

// path is one closed outline. Outlines drawn together fill by the non-zero
// rule, so one that runs the other way round cuts a hole.
type path []point

// brush fills outlines on a picture after scaling, turning and shifting them.
type brush struct {
	img        *image.RGBA
	raster     *vector.Rasterizer
	scale      float64 // pixels a unit
	sin, cos   float64 // of the turn
	offX, offY float64 // pixels
}

func newBrush(size int) *brush {
	b := &brush{img: image.NewRGBA(image.Rect(0, 0, size, size)), raster: vector.NewRasterizer(size, size)}
	b.place(float64(size)/2, float64(size)/2, float64(size)/2, 0)
	return b
}

// place makes a unit scale pixels long, turned by angle (radians), around the
// pixel (x, y).
func (b *brush) place(x, y, scale, angle float64) {
	b.offX, b.offY, b.scale = x, y, scale
	b.sin, b.cos = math.Sincos(angle)
}

// fill paints the outlines with one colour.
func (b *brush) fill(c color.Color, outlines ...path) {
	b.raster.Reset(b.img.Rect.Dx(), b.img.Rect.Dy())
	for _, o := range outlines {
		for i, p := range o {
			x := float32(b.offX + b.scale*(p.x*b.cos-p.y*b.sin))
			y := float32(b.offY + b.scale*(p.x*b.sin+p.y*b.cos))
			if i == 0 {
				b.raster.MoveTo(x, y)
			} else {
				b.raster.LineTo(x, y)
			}
		}
		b.raster.ClosePath()
	}
	b.raster.DrawOp = draw.Over
	b.raster.Draw(b.img, b.img.Rect, image.NewUniform(c), image.Point{})
}

// ellipse is centred on (x, y) with half axes rx and ry.
func ellipse(x, y, rx, ry float64) path {
	return arc(x, y, rx, ry, 0, 2*math.Pi)
}

// arc is a piece of an ellipse from angle a to angle z, closed by its chord.
func arc(x, y, rx, ry, a, z float64) path {
	const steps = 28
	p := make(path, steps)
	for i := range p {
		sin, cos := math.Sincos(a + (z-a)*float64(i)/(steps-1))
		p[i] = point{x + rx*cos, y + ry*sin}
	}
	return p
}

// ring is the band between an ellipse and a smaller one inside it.
func ring(x, y, rx, ry, width float64) []path {
	return []path{ellipse(x, y, rx, ry), reversed(ellipse(x, y, rx-width, ry-width))}
}

// box is the rectangle from (x0, y0) to (x1, y1).
func box(x0, y0, x1, y1 float64) path {
	return path{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

func reversed(p path) path {
	r := make(path, len(p))
	for i := range p {
		r[len(p)-1-i] = p[i]
	}
	return r
}

// anyColor is drawn evenly from all hues, with enough range in saturation and
// brightness that no class owns a colour.
func anyColor(r *rand.Rand) color.NRGBA {
	return color.NRGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
}

// contrasting draws a colour whose brightness is well away from that of c.
func contrasting(r *rand.Rand, c color.NRGBA) color.NRGBA {
	for {
		if d := anyColor(r); math.Abs(luma(c)-luma(d)) > 70 {
			return d
		}
	}
}

func luma(c color.NRGBA) float64 {
	return 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
}
