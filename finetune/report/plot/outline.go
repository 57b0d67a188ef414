package plot

import "math"

// All outlines turn the same way, so that where they overlap the area is filled once.

// arcSteps are the straight lines a quarter of a circle is made of.
const arcSteps = 6

// outline is a rectangle from its upper left corner to its lower right one, corners rounded by r.
func outline(a, b Point, r float64) []Point {
	if b.X < a.X {
		a.X, b.X = b.X, a.X
	}
	if b.Y < a.Y {
		a.Y, b.Y = b.Y, a.Y
	}
	r = min(r, (b.X-a.X)/2, (b.Y-a.Y)/2)
	if r <= 0 {
		return []Point{a, {b.X, a.Y}, b, {a.X, b.Y}}
	}
	var out []Point
	for i, c := range []Point{{b.X - r, b.Y - r}, {a.X + r, b.Y - r}, {a.X + r, a.Y + r}, {b.X - r, a.Y + r}} {
		out = append(out, arc(c, r, float64(i))...)
	}
	return out
}

// arc is a quarter of a circle, the quarter-th one.
func arc(c Point, r, quarter float64) []Point {
	out := make([]Point, 0, arcSteps+1)
	for i := range arcSteps + 1 {
		sin, cos := math.Sincos((quarter + float64(i)/arcSteps) * math.Pi / 2)
		out = append(out, Point{c.X + r*cos, c.Y + r*sin})
	}
	return out
}

// circle is a polygon near a circle.
func circle(c Point, r float64) []Point {
	const sides = 16
	out := make([]Point, sides)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / sides)
		out[i] = Point{c.X + r*cos, c.Y + r*sin}
	}
	return out
}

// stroke returns the outlines of a line: a strip for each stretch and a circle for each bend.
func stroke(at []Point, width float64, dashed bool) [][]Point {
	var out [][]Point
	for i := 1; i < len(at); i++ {
		a, b := at[i-1], at[i]
		if dashed {
			for _, d := range dashes(a, b) {
				out = append(out, strip(d[0], d[1], width))
			}
			continue
		}
		out = append(out, strip(a, b, width))
		if i > 1 && width > 1 {
			out = append(out, circle(a, width/2))
		}
	}
	return out
}

// strip is a stretch as wide as the line.
func strip(a, b Point, width float64) []Point {
	dx, dy := b.X-a.X, b.Y-a.Y
	n := math.Hypot(dx, dy)
	if n == 0 {
		return circle(a, width/2)
	}
	ox, oy := -dy/n*width/2, dx/n*width/2
	return []Point{{a.X - ox, a.Y - oy}, {b.X - ox, b.Y - oy}, {b.X + ox, b.Y + oy}, {a.X + ox, a.Y + oy}}
}

// dashes cuts a stretch in pieces of 4 with 3 between.
func dashes(a, b Point) (out [][2]Point) {
	n := math.Hypot(b.X-a.X, b.Y-a.Y)
	along := func(d float64) Point {
		return Point{a.X + (b.X-a.X)*d/n, a.Y + (b.Y-a.Y)*d/n}
	}
	for d := 0.0; d < n && len(out) < 1000; d += 7 {
		out = append(out, [2]Point{along(d), along(min(n, d+4))})
	}
	return out
}
