package plot

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// PNG returns the drawing on light paper with its title above, scale pixels a unit. Letters that the Go fonts lack
// (beyond Latin, Greek and Cyrillic) are boxes.
func (c *Canvas) PNG(scale float64) ([]byte, error) {
	w, h := int(math.Round(c.Width*scale)), int(math.Round((c.Height+titleHeight)*scale))
	if w <= 0 || h <= 0 || w > 1<<14 || h > 1<<14 {
		return nil, fmt.Errorf("plot: a picture of %d×%d pixels, want 1 to 16384 a side", w, h)
	}
	p := &painter{img: image.NewRGBA(image.Rect(0, 0, w, h)), scale: scale, faces: map[faceKey]font.Face{}}
	draw.Draw(p.img, p.img.Bounds(), image.NewUniform(Paper.rgba(1)), image.Point{}, draw.Src)
	for _, s := range c.heading() {
		p.paint(s)
	}
	p.down = titleHeight
	for _, s := range c.shapes {
		p.paint(s)
	}
	if p.err != nil {
		return nil, fmt.Errorf("plot: %w", p.err)
	}
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, indexed(p.img))
	return b.Bytes(), err
}

type faceKey struct {
	bold bool
	size float64
}

// A painter draws shapes into a picture. The first error stays.
type painter struct {
	img    *image.RGBA
	raster vector.Rasterizer
	scale  float64
	down   float64 // how far down the drawing begins
	faces  map[faceKey]font.Face
	err    error
}

func (p *painter) paint(s shape) {
	switch s.kind {
	case rectangle:
		p.shape(outline(s.at[0], s.at[1], s.size), true, s.look)
	case polyline:
		p.shape(s.at, false, s.look)
	case polygon:
		p.shape(s.at, true, s.look)
	case dots:
		for _, near := range neighbours(s.at) {
			var all [][]Point
			for _, at := range near {
				all = append(all, circle(at, s.size))
			}
			p.fill(s.look.Fill, s.look.opacity(), all)
		}
	case squares:
		var all [][]Point
		for _, at := range s.at {
			all = append(all, outline(at, Point{at.X + s.size, at.Y + s.size}, 0))
		}
		p.fill(s.look.Fill, s.look.opacity(), all)
	case words:
		p.words(s)
	}
}

// shape fills and strokes.
func (p *painter) shape(at []Point, closed bool, l Look) {
	if l.Fill != None {
		p.fill(l.Fill, l.opacity(), [][]Point{at})
	}
	if l.Stroke == None {
		return
	}
	if closed {
		at = append(append([]Point{}, at...), at[0])
	}
	pieces := stroke(at, l.width(), l.Dashed)
	if l.opacity() < 1 {
		p.fill(l.Stroke, l.opacity(), pieces)
		return
	}
	// Piece by piece: filling takes as long as the rectangle around it is large.
	for len(pieces) > 0 {
		n := min(len(pieces), strokePieces)
		p.fill(l.Stroke, 1, pieces[:n])
		pieces = pieces[n:]
	}
}

// neighbours are points by the tile they lie in, in the order of the first of each: where few dots are strewn widely, most of
// the rectangle around them all would be filled with nothing.
func neighbours(at []Point) [][]Point {
	const tile = 40
	index := map[[2]int]int{}
	var out [][]Point
	for _, q := range at {
		key := [2]int{int(q.X) / tile, int(q.Y) / tile}
		k, ok := index[key]
		if !ok {
			k = len(out)
			index[key] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], q)
	}
	return out
}

// strokePieces are how many pieces of a line are filled at a time.
const strokePieces = 12

// fill paints polygons that all turn the same way as one area.
func (p *painter) fill(ink Ink, opacity float64, polygons [][]Point) {
	box := p.bounds(polygons)
	if box.Empty() {
		return
	}
	r := &p.raster
	r.Reset(box.Dx(), box.Dy())
	at := func(q Point) (x, y float32) {
		return float32(q.X*p.scale - float64(box.Min.X)), float32((q.Y+p.down)*p.scale - float64(box.Min.Y))
	}
	for _, polygon := range polygons {
		r.MoveTo(at(polygon[0]))
		for _, q := range polygon[1:] {
			r.LineTo(at(q))
		}
		r.ClosePath()
	}
	r.Draw(p.img, box, image.NewUniform(ink.rgba(opacity)), image.Point{})
}

// bounds are the pixels that polygons touch.
func (p *painter) bounds(polygons [][]Point) image.Rectangle {
	low, high := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, polygon := range polygons {
		for _, q := range polygon {
			low.X, low.Y = min(low.X, q.X), min(low.Y, q.Y)
			high.X, high.Y = max(high.X, q.X), max(high.Y, q.Y)
		}
	}
	if !(high.X-low.X < 1e6) || !(high.Y-low.Y < 1e6) {
		return image.Rectangle{}
	}
	box := image.Rect(int(math.Floor(low.X*p.scale)), int(math.Floor((low.Y+p.down)*p.scale)),
		int(math.Ceil(high.X*p.scale))+1, int(math.Ceil((high.Y+p.down)*p.scale))+1)
	return box.Intersect(p.img.Bounds())
}

// words writes a line of text.
func (p *painter) words(s shape) {
	key := faceKey{s.typ.Bold, s.typ.size() * p.scale}
	face, ok := p.faces[key]
	if !ok {
		var err error
		if face, err = newFace(key.bold, key.size); err != nil {
			p.err = err
			return
		}
		p.faces[key] = face
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(s.typ.ink().rgba(1)), Face: face}
	width := d.MeasureString(s.text)
	back := map[Anchor]fixed.Int26_6{Middle: width / 2, End: width}[s.typ.Anchor]
	x, y := fixed.Int26_6(s.at[0].X*p.scale*64), fixed.Int26_6((s.at[0].Y+p.down)*p.scale*64)
	if !s.typ.Upward {
		d.Dot = fixed.Point26_6{X: x - back, Y: y}
		d.DrawString(s.text)
		return
	}
	// The line is written level into a picture of its own, and that is turned.
	m := face.Metrics()
	level := image.NewRGBA(image.Rect(0, 0, width.Ceil()+1, (m.Ascent+m.Descent).Ceil()+1))
	d.Dst, d.Dot = level, fixed.Point26_6{Y: m.Ascent}
	d.DrawString(s.text)
	size := level.Bounds().Size()
	turned := image.NewRGBA(image.Rect(0, 0, size.Y, size.X))
	for v := range size.Y {
		for u := range size.X {
			turned.SetRGBA(v, size.X-1-u, level.RGBAAt(u, v))
		}
	}
	at := image.Pt((x - m.Ascent).Round(), (y+back).Round()-size.X)
	draw.Draw(p.img, turned.Bounds().Add(at), turned, image.Point{}, draw.Over)
}
