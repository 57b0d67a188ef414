package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/report/plot"
)

// mostCurves is how many precision–recall curves are told apart.
const mostCurves = 8

// precisionFigure shows precision by recall.
func precisionFigure(d *Data) []figure {
	if len(d.Precision) == 0 {
		return nil
	}
	curves := d.Precision[:min(len(d.Precision), mostCurves)]
	c := drawing("Precision and recall", "Curves: precision by recall as the threshold falls.")
	var legend []plot.Entry
	for i, k := range curves {
		name := k.Label
		if k.Average != nil {
			name = fmt.Sprintf("%s (%.3f)", plot.Fit(k.Label, 150, plot.Type{}), *k.Average)
		}
		legend = append(legend, plot.Entry{Name: name, Look: plot.Look{Stroke: plot.Series(i), Width: 2}})
	}
	top := plot.Legend(c, legend...)
	c.Height += max(0, top-14)
	f := plot.NewFrame(c, top, plot.Axis{Label: "recall", Max: 1, Percent: true}, plot.Axis{Label: "precision", Max: 1, Percent: true})
	for i := len(curves) - 1; i >= 0; i-- {
		c.Line(plot.Look{Stroke: plot.Series(i), Width: 2}, through(f, curves[i].Points)...)
	}
	note := "In brackets: average precision, the area under the curve."
	if len(d.Labels) > len(curves) && len(curves) > 1 {
		note += " Shown: all classes together and those with the smallest average precision."
	}
	return []figure{{ID: "precision-recall", Section: sectionTrust, Note: note, Canvas: c}}
}

func through(f *plot.Frame, points []XY) []plot.Point {
	out := make([]plot.Point, len(points))
	for i, p := range points {
		out[i] = f.Clamp(p.X, p.Y)
	}
	return out
}

// reliabilityFigure sets accuracy beside confidence.
func reliabilityFigure(d *Data) []figure {
	if len(d.Reliability) == 0 {
		return nil
	}
	c := drawing("Reliability", "Bars: accuracy of rows by the confidence of their answer; the dashed line is perfect calibration.")
	good := plot.Look{Fill: plot.Series(0)}
	over, under := plot.Look{Fill: plot.Series(1), Opacity: 0.55}, plot.Look{Fill: plot.Series(4), Opacity: 0.75}
	top := plot.Legend(c, plot.Entry{Name: "accuracy", Look: good}, plot.Entry{Name: "too sure", Look: over}, plot.Entry{Name: "too unsure", Look: under},
		plot.Entry{Name: "ideal", Look: plot.Look{Stroke: plot.Muted, Dashed: true}})
	f := plot.NewFrame(c, top, plot.Axis{Label: "confidence", Max: 1, Percent: true}, plot.Axis{Label: "accuracy", Max: 1, Percent: true})
	most := 0
	for _, b := range d.Reliability {
		most = max(most, b.Rows)
	}
	for _, b := range d.Reliability {
		if b.Rows == 0 {
			continue
		}
		a, z, conf := f.At(b.Low, 0), f.At(b.High, b.Accuracy), f.At(b.Low, b.Confidence)
		about := fmt.Sprintf("confidence %s: right in %s of %d rows", percent(b.Confidence), percent(b.Accuracy), b.Rows)
		gap := over
		if b.Accuracy > b.Confidence {
			gap = under
		}
		c.Rect(a.X+1, max(z.Y, conf.Y), z.X-a.X-2, a.Y-max(z.Y, conf.Y), 0, good, about)
		c.Rect(a.X+1, min(z.Y, conf.Y), z.X-a.X-2, math.Abs(z.Y-conf.Y), 0, gap, about)
		// How many rows: a tick whose length says so, from the foot of the bar on.
		c.Rect(a.X+1, f.Bottom+1, (z.X-a.X-2)*math.Sqrt(float64(b.Rows)/float64(most)), 3, 0, plot.Look{Fill: plot.Muted}, fmt.Sprintf("%d rows", b.Rows))
	}
	c.Line(plot.Look{Stroke: plot.Muted, Dashed: true}, f.At(0, 0), f.At(1, 1))
	note := "Where bars reach the dashed line, probabilities can be taken at their word. Grey ticks: rows in each bar."
	if d.ECE != nil {
		note = fmt.Sprintf("Expected calibration error %s. %s", percent(*d.ECE), note)
	}
	return []figure{{ID: "reliability", Section: sectionTrust, Note: note, Canvas: c}}
}

// spread is the least and greatest of scores with their errors, with some room.
type spread struct{ low, high float64 }

func (s *spread) add(mean, se float64) {
	if s.low == 0 && s.high == 0 {
		s.low, s.high = mean-se, mean+se
	}
	s.low, s.high = min(s.low, mean-se), max(s.high, mean+se)
}

func (s *spread) axis(label string, percent bool) plot.Axis {
	room := max((s.high-s.low)*0.12, math.Abs(s.high)*1e-3, 1e-6)
	a := plot.Axis{Label: label, Min: s.low - room, Max: s.high + room}
	if percent {
		a.Min, a.Max, a.Percent = max(0, a.Min), min(1, a.Max), true
	}
	return a
}

// pathFigure shows score by C, for each head.
func pathFigure(d *Data) []figure {
	var score spread
	low, high := math.Inf(1), math.Inf(-1)
	points := 0
	for _, p := range d.Path {
		for _, q := range p.Points {
			if p.near(q.C) {
				score.add(q.Mean, q.SE)
			}
			low, high = min(low, q.C), max(high, q.C)
			points++
		}
	}
	if points < 2 {
		return nil
	}
	c := drawing("Choosing the penalty", "Curves: score on rows not fitted on, by C; the band is one standard error; a ring marks what was chosen.")
	var legend []plot.Entry
	for i, p := range d.Path {
		legend = append(legend, plot.Entry{Name: p.Head, Look: plot.Look{Stroke: plot.Series(i), Width: 2}})
	}
	f := plot.NewFrame(c, plot.Legend(c, legend...), plot.Axis{Label: "C: how much the data counts beside the penalty", Min: low / 1.6, Max: high * 1.6, Log: true, Ticks: 7}, score.axis(d.Path[0].Score, d.Path[0].Percent))
	for i, p := range d.Path {
		drawPath(f, p, plot.Series(i), "C")
	}
	return []figure{{ID: "c-path", Section: sectionChoices, Note: "Mean and standard error on rows the head was not fitted on; the test rows took no part. The ring is the choice.", Canvas: c}}
}

// near tells whether a C is within a factor of 30 of the one chosen: the field is scaled by those, and what lies beyond it
// is cut off.
func (p Path) near(c float64) bool {
	if p.Chosen == nil || !slices.ContainsFunc(p.Points, func(q PathPoint) bool { return q.C == *p.Chosen }) {
		return true
	}
	return math.Abs(math.Log10(c / *p.Chosen)) <= 1.5
}

// drawPath draws a curve with its band; unit is what its C is. Where the curve leaves the field it is cut off.
func drawPath(f *plot.Frame, p Path, ink plot.Ink, unit string) {
	var line, upper, band []plot.Point
	inside := func(at plot.Point) bool { return at.Y >= f.Top-0.01 && at.Y <= f.Bottom+0.01 }
	for i, q := range p.Points {
		at := f.At(q.C, q.Mean)
		if i > 0 {
			before := f.At(p.Points[i-1].C, p.Points[i-1].Mean)
			if inside(before) != inside(at) {
				line = append(line, crossing(f, before, at))
			}
		}
		if !inside(at) {
			continue
		}
		line = append(line, at)
		upper = append(upper, f.Clamp(q.C, q.Mean+q.SE))
		band = append(band, f.Clamp(q.C, q.Mean-q.SE))
	}
	for i := len(upper) - 1; i >= 0; i-- {
		band = append(band, upper[i])
	}
	f.Area(plot.Look{Fill: ink, Opacity: 0.14}, band...)
	f.Line(plot.Look{Stroke: ink, Width: 2}, line...)
	for _, q := range p.Points {
		at := f.At(q.C, q.Mean)
		if !inside(at) {
			continue
		}
		about := fmt.Sprintf("%s, %s %s: %s", p.Head, unit, plot.Short(q.C), plot.Short(q.Mean))
		if q.SE > 0 {
			about += " ± " + plot.Short(q.SE)
		}
		if p.Chosen != nil && q.C == *p.Chosen {
			f.Dots(7, plot.Look{Fill: ink}, "chosen: "+about, at)
			f.Dots(4.5, plot.Look{Fill: plot.Paper}, "chosen: "+about, at)
		}
		f.Dots(2.5, plot.Look{Fill: ink}, about, at)
	}
}

// crossing is where the line between two points, of which one lies above or below the field, enters or leaves it.
func crossing(f *plot.Frame, a, b plot.Point) plot.Point {
	edge := f.Top
	if max(a.Y, b.Y) > f.Bottom {
		edge = f.Bottom
	}
	if a.Y == b.Y {
		return plot.Point{X: b.X, Y: edge}
	}
	return plot.Point{X: a.X + (b.X-a.X)*(edge-a.Y)/(b.Y-a.Y), Y: edge}
}

// learningFigure shows score by rows to learn from, and where the trend goes.
func learningFigure(d *Data) []figure {
	l := d.Learning
	if l == nil || len(l.Points) < 2 {
		return nil
	}
	var score spread
	p := Path{Head: l.Score}
	for _, q := range l.Points {
		score.add(q.Mean, q.SE)
		p.Points = append(p.Points, PathPoint{C: float64(q.Rows), Mean: q.Mean, SE: q.SE})
	}
	first, last := p.Points[0].C, p.Points[len(p.Points)-1].C
	for _, q := range l.Trend {
		score.add(q.Y, 0)
		last = max(last, q.X)
	}
	c := drawing("Would more labels help?", "Curve: score by the number of training rows; the band is one standard error.")
	ink, top := plot.Series(0), 0.0
	if len(l.Trend) > 1 {
		top = plot.Legend(c, plot.Entry{Name: "measured", Look: plot.Look{Stroke: ink, Width: 2}}, plot.Entry{Name: "trend", Look: plot.Look{Stroke: plot.Muted, Dashed: true, Width: 1.5}})
	}
	f := plot.NewFrame(c, top, plot.Axis{Label: "training rows", Min: first, Max: last, Whole: true, Log: last > 100*first}, score.axis(l.Score, l.Percent))
	c.Line(plot.Look{Stroke: plot.Muted, Dashed: true, Width: 1.5}, through(f, l.Trend)...)
	drawPath(f, p, ink, "rows")
	note := upperFirst(l.Advice)
	if note != "" && note[len(note)-1] != '.' {
		note += "."
	}
	return []figure{{ID: "learning-curve", Section: sectionChoices, Note: strings.TrimSpace(note + " The band is one standard error."), Canvas: c}}
}

// A course is a value by epoch.
type course struct {
	Path
	label string
	ink   plot.Ink
}

// courseOf gathers what is known of a value.
func courseOf(d *Data, label string, ink plot.Ink, of func(Epoch) *float64) course {
	c := course{label: label, ink: ink}
	for _, e := range d.Training {
		if v := of(e); v != nil {
			c.Points = append(c.Points, PathPoint{C: float64(e.Number), Mean: *v})
			if n := float64(e.Number); e.Kept {
				c.Chosen = &n
			}
		}
	}
	c.Head = label
	return c
}

// trainingFigures show the training loss and the score on validation rows by epoch. Scores below 0 are losses with their
// sign changed: those share a figure with the training loss. Others are the metric that is read first.
func trainingFigures(d *Data) []figure {
	loss := courseOf(d, "training loss", plot.Series(1), func(e Epoch) *float64 { return e.Loss })
	score := courseOf(d, "validation score", plot.Series(0), func(e Epoch) *float64 { return e.Score })
	if slices.ContainsFunc(score.Points, func(p PathPoint) bool { return p.Mean < 0 }) {
		for i := range score.Points {
			score.Points[i].Mean *= -1
		}
		score.label, score.Head = "validation loss", "validation loss"
		return courseFigure("training", "Training", loss, score)
	}
	if len(d.Metrics) > 0 {
		score.label = d.Metrics[0].Name + " of validation rows"
		score.Head = score.label
	}
	return append(courseFigure("training", "Training", loss), courseFigure("validation", "Validation by epoch", score)...)
}

func courseFigure(id, title string, courses ...course) []figure {
	var values spread
	first, last, kept := math.Inf(1), math.Inf(-1), false
	c := drawing(title, "Curves by epoch.")
	var legend []plot.Entry
	for _, k := range courses {
		for _, p := range k.Points {
			values.add(p.Mean, 0)
			first, last = min(first, p.C), max(last, p.C)
		}
		kept = kept || k.Chosen != nil
		if len(k.Points) > 0 {
			legend = append(legend, plot.Entry{Name: k.label, Look: plot.Look{Stroke: k.ink, Width: 2}})
		}
	}
	if !(last > first) {
		return nil
	}
	f := plot.NewFrame(c, plot.Legend(c, legend...), plot.Axis{Label: "epoch", Min: first, Max: last, Ticks: min(8, int(last-first)), Whole: true}, values.axis("", false))
	for _, k := range courses {
		drawPath(f, k.Path, k.ink, "epoch")
	}
	note := ""
	if kept {
		note = "The ring is the epoch whose weights were kept."
	}
	return []figure{{ID: id, Section: sectionChoices, Note: note, Canvas: c}}
}
