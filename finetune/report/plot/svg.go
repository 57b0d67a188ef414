package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// titleHeight is the room for the title above a drawing in a file of its own.
const titleHeight = 30

// fonts are system fonts: nothing is fetched.
const fonts = `system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif`

// Inline returns the drawing as an svg element for an HTML page that holds [Style]; id is unique in the page.
func (c *Canvas) Inline(id string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg id="%s" viewBox="0 0 %s %s" role="img" aria-labelledby="%[1]s-t %[1]s-d">`, escape(id), num(c.Width), num(c.Height))
	fmt.Fprintf(&b, `<title id="%s-t">%s</title><desc id="%[1]s-d">%s</desc>`, escape(id), escape(c.Title), escape(c.About))
	c.body(&b)
	b.WriteString("</svg>")
	return b.String()
}

// SVG returns the drawing as a file of its own, with its title above.
func (c *Canvas) SVG() []byte {
	var b bytes.Buffer
	w, h := num(c.Width), num(c.Height+titleHeight)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s" role="img">`, w, h)
	fmt.Fprintf(&b, "<title>%s</title><desc>%s</desc><style>text{font-family:%s}%s</style>", escape(c.Title), escape(c.About), escape(fonts), Style(""))
	fmt.Fprintf(&b, `<rect class="f-paper" width="%s" height="%s"/>`, w, h)
	for _, s := range c.heading() {
		s.svg(&b)
	}
	fmt.Fprintf(&b, `<g transform="translate(0 %d)">`, titleHeight)
	c.body(&b)
	b.WriteString("</g></svg>\n")
	return b.Bytes()
}

// heading is the title above a drawing.
func (c *Canvas) heading() []shape {
	t := Type{Size: 13, Bold: true}
	return []shape{{kind: words, at: []Point{{8, 20}}, text: Fit(c.Title, c.Width-16, t), typ: t}}
}

func (c *Canvas) body(b *bytes.Buffer) {
	for _, s := range c.shapes {
		s.svg(b)
	}
}

// svg writes one shape.
func (s shape) svg(b *bytes.Buffer) {
	switch s.kind {
	case rectangle:
		w, h := s.at[1].X-s.at[0].X, s.at[1].Y-s.at[0].Y
		fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s"`, num(s.at[0].X), num(s.at[0].Y), num(w), num(h))
		if s.size > 0 {
			fmt.Fprintf(b, ` rx="%s"`, num(s.size))
		}
		s.look.svg(b)
		s.close(b, "rect")
	case polyline, polygon:
		b.WriteString(`<path d="`)
		for i, p := range s.at {
			b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
			b.WriteString(num(p.X))
			b.WriteByte(' ')
			b.WriteString(num(p.Y))
		}
		if s.kind == polygon {
			b.WriteByte('Z')
		}
		b.WriteByte('"')
		s.look.svg(b)
		s.close(b, "path")
	case dots: // a line of no length with round ends is a dot
		s.marks(b, "h0")
		l := Look{Stroke: s.look.Fill, Width: 2 * s.size, Opacity: s.look.Opacity}
		l.svg(b)
		b.WriteString(` stroke-linecap="round"`)
		s.close(b, "path")
	case squares:
		side := num(s.size)
		s.marks(b, "h"+side+"v"+side+"h-"+side+"z")
		s.look.svg(b)
		s.close(b, "path")
	case words:
		s.words(b)
	}
}

// marks writes the same mark at each point as one path.
func (s shape) marks(b *bytes.Buffer, mark string) {
	b.WriteString(`<path d="`)
	for _, p := range s.at {
		b.WriteByte('M')
		b.WriteString(num(p.X))
		b.WriteByte(' ')
		b.WriteString(num(p.Y))
		b.WriteString(mark)
	}
	b.WriteByte('"')
}

// close ends an element, with what it tells when it is pointed at.
func (s shape) close(b *bytes.Buffer, name string) {
	if s.text == "" {
		b.WriteString("/>")
		return
	}
	fmt.Fprintf(b, "><title>%s</title></%s>", escape(s.text), name)
}

func (s shape) words(b *bytes.Buffer) {
	x, y, t := num(s.at[0].X), num(s.at[0].Y), s.typ
	fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" class="f-%s"`, x, y, num(t.size()), shades[t.ink()].name)
	if t.Anchor != Start {
		fmt.Fprintf(b, ` text-anchor="%s"`, map[Anchor]string{Middle: "middle", End: "end"}[t.Anchor])
	}
	if t.Bold {
		b.WriteString(` font-weight="600"`)
	}
	if t.Upward {
		fmt.Fprintf(b, ` transform="rotate(-90 %s %s)"`, x, y)
	}
	fmt.Fprintf(b, ">%s</text>", escape(s.text))
}

func (l Look) svg(b *bytes.Buffer) {
	class := ""
	if l.Fill == None {
		b.WriteString(` fill="none"`)
	} else {
		class = "f-" + shades[l.Fill].name
	}
	if l.Stroke != None {
		class += " k-" + shades[l.Stroke].name
		fmt.Fprintf(b, ` stroke-width="%s"`, num(l.width()))
		if l.Dashed {
			b.WriteString(` stroke-dasharray="4 3"`)
		} else {
			b.WriteString(` stroke-linejoin="round"`)
		}
	}
	if l.opacity() < 1 {
		fmt.Fprintf(b, ` opacity="%s"`, num(l.opacity()))
	}
	fmt.Fprintf(b, ` class="%s"`, strings.TrimSpace(class))
}

// num writes a length, to a hundredth.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// escape makes a string safe within XML; what XML cannot say becomes U+FFFD.
func escape(s string) string {
	var b strings.Builder
	if xml.EscapeText(&b, []byte(s)) != nil {
		return ""
	}
	return b.String()
}
