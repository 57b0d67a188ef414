package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/onnx-graft/graft/finetune/report/plot"
)

// From so many classes on a confusion matrix has no numbers, and from so many no names.
const (
	mostNumbers = 12
	mostNames   = 24
	mostCells   = 150 // from so many on, cells do not tell their names either
)

// confusionFigure is the confusion matrix, each row shaded by its shares.
func confusionFigure(d *Data) []figure {
	k := len(d.Confusion)
	if k == 0 || k != len(d.Labels) {
		return nil
	}
	about := fmt.Sprintf("Confusion matrix of %d classes: rows are true classes, columns predicted ones.", k)
	c := drawing("Confusion matrix", about)
	note := "Rows: true class; columns: predicted. Shaded by the share of each row."
	if k > mostNumbers {
		note = "Rows: true class; columns: predicted. The stronger the colour, the larger the share of the row; red cells are mistakes."
	}
	if k > mostNames {
		note += " Classes are numbered as in the table below."
		if k <= mostCells {
			note += " Point at a cell to read its names."
		}
	}
	if k <= mostNumbers {
		c.Height = min(figureWidth, 110+float64(k)*44)
	} else {
		c.Height = figureWidth
	}
	m := newMatrixField(c, d, k)
	m.names(c, d, k)
	if k > mostCells {
		m.specks(c, d, k)
	} else {
		m.cells(c, d, k)
	}
	return []figure{{ID: "confusion", Section: sectionErrors, Note: note, Canvas: c}}
}

// A matrixField is where the cells of a matrix lie.
type matrixField struct{ left, top, w, h float64 }

func newMatrixField(c *plot.Canvas, d *Data, k int) matrixField {
	m := matrixField{left: 34, top: 20}
	bottom := 22.0
	if k <= mostNames {
		longest := 0.0
		for _, label := range d.Labels {
			longest = max(longest, plot.Width(label, labelType(k)))
		}
		m.left = min(130, longest+10) + 14
		if k > 4 {
			bottom = min(100, longest+10)
		}
	}
	m.w = (c.Width - m.left - 4) / float64(k)
	m.h = (c.Height - m.top - bottom) / float64(k)
	return m
}

func labelType(k int) plot.Type {
	if k > 16 {
		return plot.Type{Size: 9.5}
	}
	return plot.Type{Size: 10.5}
}

// names writes the classes beside and below the cells, or the numbers of some.
func (m matrixField) names(c *plot.Canvas, d *Data, k int) {
	muted := plot.Type{Size: 10, Ink: plot.Muted}
	c.Text(m.left, 11, "predicted →", muted)
	muted.Anchor, muted.Upward = plot.End, true
	c.Text(9, m.top, "true ←", plot.Type{Size: 10, Ink: plot.Muted, Anchor: plot.End, Upward: true})
	foot := m.top + m.h*float64(k)
	every := 10 * max(1, (k+99)/100)
	t := labelType(k)
	for i, label := range d.Labels {
		x, y := m.left+m.w*(float64(i)+0.5), m.top+m.h*(float64(i)+0.5)+t.Size*0.35
		if k > mostNames {
			if i%every == 0 {
				c.Text(m.left-5, y, strconv.Itoa(i+1), plot.Type{Size: 10, Ink: plot.Muted, Anchor: plot.End})
				c.Text(x, foot+12, strconv.Itoa(i+1), plot.Type{Size: 10, Ink: plot.Muted, Anchor: plot.Middle})
			}
			continue
		}
		t.Anchor, t.Upward = plot.End, false
		c.Text(m.left-6, y, plot.Fit(label, m.left-20, t), t)
		if k > 4 {
			t.Upward = true
			c.Text(x+t.Size*0.35, foot+6, plot.Fit(label, 90, t), t)
			continue
		}
		t.Anchor = plot.Middle
		c.Text(x, foot+15, plot.Fit(label, m.w-6, t), t)
	}
}

// cells draws all cells of a small matrix, and those that are not 0 of a large one.
func (m matrixField) cells(c *plot.Canvas, d *Data, k int) {
	gap := 1.5
	if k > mostNumbers {
		gap = min(0.6, m.w/10)
		c.Rect(m.left, m.top, m.w*float64(k), m.h*float64(k), 0, plot.Look{Fill: plot.Heat(0), Opacity: 0.5}, "")
	}
	for i, row := range d.Confusion {
		total := 0
		for _, n := range row {
			total += n
		}
		for j, n := range row {
			if n == 0 && k > mostNumbers {
				continue
			}
			share := float64(n) / float64(max(1, total))
			look := plot.Look{Fill: plot.Heat(share)}
			if k > mostNumbers && i != j {
				look = plot.Look{Fill: plot.Bad, Opacity: 0.3 + 0.7*math.Sqrt(share)}
			}
			x, y := m.left+m.w*float64(j), m.top+m.h*float64(i)
			about := fmt.Sprintf("true %s, predicted %s: %d of %d rows", d.Labels[i], d.Labels[j], n, total)
			c.Rect(x+gap/2, y+gap/2, m.w-gap, m.h-gap, min(3, m.w/8), look, about)
			if k > mostNumbers {
				continue
			}
			t := plot.Type{Size: min(13, m.w*0.42), Anchor: plot.Middle, Ink: plot.HeatText(share), Bold: i == j}
			if n == 0 {
				t.Ink = plot.Muted
			}
			c.Text(x+m.w/2, y+m.h/2+t.Size*0.36, strconv.Itoa(n), t)
		}
	}
}

// specks draws the cells of a very large matrix that are not 0, all of one shade at once.
func (m matrixField) specks(c *plot.Canvas, d *Data, k int) {
	const shades = 6
	var right, wrong [shades][]plot.Point
	for i, row := range d.Confusion {
		total := 0
		for _, n := range row {
			total += n
		}
		for j, n := range row {
			if n == 0 {
				continue
			}
			shade := min(shades-1, n*shades/max(1, total))
			at := plot.Point{X: m.left + m.w*float64(j), Y: m.top + m.h*float64(i)}
			if i == j {
				right[shade] = append(right[shade], at)
			} else {
				wrong[shade] = append(wrong[shade], at)
			}
		}
	}
	c.Rect(m.left, m.top, m.w*float64(k), m.h*float64(k), 0, plot.Look{Fill: plot.Heat(0), Opacity: 0.5}, "")
	for s := range shades {
		share := float64(s+1) / shades
		c.Squares(max(0.6, m.w), plot.Look{Fill: plot.Bad, Opacity: 0.3 + 0.7*math.Sqrt(share)}, wrong[s]...)
		c.Squares(max(0.6, m.w), plot.Look{Fill: plot.Heat(share)}, right[s]...)
	}
}

// mostPairs is how many confused pairs are shown.
const mostPairs = 12

// A pair is two classes that were confused.
type pair struct {
	truth, predicted string
	rows, of         int
}

// confused are the cells beside the diagonal, largest first.
func confused(d *Data) []pair {
	var out []pair
	for i, row := range d.Confusion {
		total := 0
		for _, n := range row {
			total += n
		}
		for j, n := range row {
			if i != j && n > 0 && i < len(d.Labels) && j < len(d.Labels) {
				out = append(out, pair{d.Labels[i], d.Labels[j], n, total})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.rows, a.rows), cmp.Compare(float64(b.rows)*float64(a.of), float64(a.rows)*float64(b.of)))
	})
	return out[:min(len(out), mostPairs)]
}

// pairsFigure shows the pairs of classes confused most often, where there are more than a few classes.
func pairsFigure(d *Data) []figure {
	if len(d.Labels) < 4 {
		return nil
	}
	var bars []bar
	for _, p := range confused(d) {
		name := fmt.Sprintf("%s → %s", p.truth, p.predicted)
		bars = append(bars, bar{name: name, value: float64(p.rows), label: fmt.Sprintf("%d of %d", p.rows, p.of), ink: plot.Bad})
	}
	if len(bars) == 0 {
		return nil
	}
	c := drawing("Most confused pairs", "Bars: how many rows of one class were predicted as another, largest first.")
	drawBars(c, bars, 0)
	return []figure{{ID: "pairs", Section: sectionErrors, Note: "True class → predicted class, and how many of the true class's rows.", Canvas: c}}
}
