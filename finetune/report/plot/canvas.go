// Package plot draws small charts: as SVG that follows the reader's light or dark surroundings, and as PNG. A drawing is
// a list of shapes in named inks; both formats are written from the same list.
//
// Lengths are in units of the canvas, y grows downwards. Equal calls give equal bytes.
package plot

// A Point is a place on a canvas.
type Point struct{ X, Y float64 }

// A Look is how a shape is drawn. The zero value draws nothing.
type Look struct {
	Fill    Ink
	Stroke  Ink
	Width   float64 // of the stroke; 0: 1
	Opacity float64 // 0 is 1
	Dashed  bool
}

func (l Look) width() float64 {
	if l.Width == 0 {
		return 1
	}
	return l.Width
}

func (l Look) opacity() float64 {
	if l.Opacity == 0 {
		return 1
	}
	return l.Opacity
}

// An Anchor says which point of a text its place is.
type Anchor uint8

const (
	Start Anchor = iota
	Middle
	End
)

// A Type is how a text is set. The zero Size is 11.
type Type struct {
	Ink    Ink // None is Text
	Size   float64
	Anchor Anchor
	Bold   bool
	Upward bool // turned to run from bottom to top
}

func (t Type) size() float64 {
	if t.Size == 0 {
		return 11
	}
	return t.Size
}

func (t Type) ink() Ink {
	if t.Ink == None {
		return Text
	}
	return t.Ink
}

// kind is what a shape is.
type kind uint8

const (
	rectangle kind = iota // at[0] to at[1], corners rounded by size
	polyline              // open
	polygon               // closed
	dots                  // circles of radius size
	squares               // squares of side size, at their upper left corners
	words                 // text at at[0]
)

type shape struct {
	kind kind
	at   []Point
	size float64
	look Look
	text string // words, or what a shape tells when it is pointed at
	typ  Type
}

// A Canvas is a drawing under way.
type Canvas struct {
	Width, Height float64
	// Title and About say what the drawing shows: for those who do not see it, and above a drawing in a file of its own.
	Title, About string
	shapes       []shape
}

// Rect draws a rectangle with corners rounded by the radius r; about, where it is not "", is told when it is pointed at.
func (c *Canvas) Rect(x, y, w, h, r float64, l Look, about string) {
	c.shapes = append(c.shapes, shape{kind: rectangle, at: []Point{{x, y}, {x + w, y + h}}, size: r, look: l, text: about})
}

// Line draws straight lines from point to point.
func (c *Canvas) Line(l Look, at ...Point) {
	if len(at) > 1 {
		c.shapes = append(c.shapes, shape{kind: polyline, at: at, look: l})
	}
}

// Area draws a polygon.
func (c *Canvas) Area(l Look, at ...Point) {
	if len(at) > 2 {
		c.shapes = append(c.shapes, shape{kind: polygon, at: at, look: l})
	}
}

// Dots draws circles of radius r in the look's fill. They are one shape: where they overlap they do not add up.
func (c *Canvas) Dots(r float64, l Look, about string, at ...Point) {
	if len(at) > 0 {
		c.shapes = append(c.shapes, shape{kind: dots, at: at, size: r, look: l, text: about})
	}
}

// Squares draws squares of a side, each at its upper left corner, as one shape in the look's fill.
func (c *Canvas) Squares(side float64, l Look, at ...Point) {
	if len(at) > 0 {
		c.shapes = append(c.shapes, shape{kind: squares, at: at, size: side, look: l})
	}
}

// Text writes a line whose baseline is at y.
func (c *Canvas) Text(x, y float64, text string, t Type) {
	if text = Clean(text); text != "" {
		c.shapes = append(c.shapes, shape{kind: words, at: []Point{{x, y}}, text: text, typ: t})
	}
}
