package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/onnx-graft/graft/finetune/report/plot"
)

// A bar is a line of a bar chart: its name stands above it.
type bar struct {
	name, label string
	value       float64
	low, high   float64 // of an interval; none where they are equal
	ink         plot.Ink
}

// Heights of a bar chart's parts.
const (
	barStep   = 34
	barHeight = 11
)

// drawBars draws bars from 0 to most at least, and sets the height of the canvas.
func drawBars(c *plot.Canvas, bars []bar, most float64) {
	room := 0.0
	t := plot.Type{Size: 11}
	for _, b := range bars {
		most = max(most, b.value, b.high)
		room = max(room, plot.Width(b.label, t))
	}
	c.Height = float64(len(bars))*barStep + 4
	full := c.Width - room - 16
	if most <= 0 {
		most = 1
	}
	for i, b := range bars {
		y := float64(i) * barStep
		c.Text(2, y+12, plot.Fit(b.name, c.Width-4, t), t)
		w := max(1, full*max(0, b.value)/most)
		c.Rect(2, y+18, full, barHeight, 3, plot.Look{Fill: plot.Grid, Opacity: 0.6}, "")
		c.Rect(2, y+18, w, barHeight, 3, plot.Look{Fill: b.ink}, b.name+": "+b.label)
		if b.high > b.low {
			at := func(v float64) float64 { return 2 + full*max(0, v)/most }
			mid := y + 18 + barHeight/2.0
			c.Line(plot.Look{Stroke: plot.Text, Width: 1.5}, plot.Point{X: at(b.low), Y: mid}, plot.Point{X: at(b.high), Y: mid})
		}
		c.Text(c.Width-2, y+27.5, b.label, plot.Type{Size: 11, Anchor: plot.End})
	}
}

// baselineFigure sets the first metric beside those of the baselines.
func baselineFigure(d *Data) []figure {
	if len(d.Baselines) == 0 || len(d.Metrics) == 0 {
		return nil
	}
	m := d.Metrics[0]
	bars := []bar{{name: "this model", value: m.Value, label: m.write(m.Value), ink: plot.Series(0)}}
	if m.Range != nil {
		bars[0].low, bars[0].high = m.Range.Low, m.Range.High
	}
	for _, b := range d.Baselines {
		if v, ok := b.Metrics[m.Key]; ok && v-v == 0 {
			bars = append(bars, bar{name: b.Name, value: v, label: m.write(v), ink: plot.Series(7)})
		}
	}
	if len(bars) == 1 {
		return nil
	}
	c := drawing(m.Name+" beside simple baselines", "Bars: this model, its 95 % interval as a line, and simpler methods on the same rows.")
	drawBars(c, bars, map[bool]float64{true: 1}[m.Percent])
	return []figure{{ID: "baselines", Section: "", Note: "Same rows, simpler methods. The line is the 95 % interval.", Canvas: c}}
}

// entityFigure shows F1 of each kind of entity.
func entityFigure(d *Data) []figure {
	if len(d.Sentences) == 0 || len(d.PerClass) == 0 {
		return nil
	}
	var bars []bar
	for _, k := range d.PerClass[:min(len(d.PerClass), 12)] {
		bars = append(bars, bar{name: k.Label, value: k.F1, label: fmt.Sprintf("%.1f %%  of %d", k.F1*100, k.Rows), ink: plot.Series(0)})
	}
	c := drawing("F1 by kind of entity", "Bars: F1 of each kind of entity on held-out sentences.")
	drawBars(c, bars, 1)
	return []figure{{ID: "entities", Section: sectionErrors, Note: "An entity counts where kind, first and last word are all right.", Canvas: c}}
}

// timingFigure shows where the time went.
func timingFigure(d *Data) []figure {
	var bars []bar
	for _, t := range d.Timings {
		if t.Seconds > 0 {
			bars = append(bars, bar{name: t.Stage, value: t.Seconds, label: seconds(t.Seconds), ink: plot.Series(6)})
		}
	}
	if len(bars) == 0 {
		return nil
	}
	c := drawing("Timings", "Bars: seconds of each stage.")
	drawBars(c, bars, 0)
	return []figure{{ID: "timings", Section: sectionTime, Note: "Wall-clock time until the report was written.", Canvas: c}}
}

// seconds writes a time as people say it.
func seconds(s float64) string {
	switch {
	case s < 0.9995:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	case s < 6000:
		return fmt.Sprintf("%.0f min %02.0f s", math.Floor(s/60), math.Floor(math.Mod(s, 60)))
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

// headsFigure compares the heads that were chosen among: by accuracy where there is one, else by loss.
func headsFigure(d *Data) []figure {
	if len(d.Heads) < 2 {
		return nil
	}
	var bars []bar
	most, by := 0.0, "loss (less is better)"
	for _, h := range d.Heads {
		b := bar{name: h.Name, value: h.Loss, label: plot.Short(h.Loss), low: h.Loss - h.SE, high: h.Loss + h.SE, ink: plot.Series(7)}
		if h.Accuracy > 0 {
			b.value, b.label, b.low, b.high = h.Accuracy, percent(h.Accuracy), 0, 0
			most, by = 1, "accuracy"
		}
		if h.Chosen {
			b.ink = plot.Series(0)
			b.name += " — chosen"
		}
		bars = append(bars, b)
	}
	c := drawing("Heads compared", "Bars: "+by+" of each kind of head on rows it was not fitted on.")
	drawBars(c, bars, most)
	return []figure{{ID: "heads", Section: sectionChoices, Note: upperFirst(by) + " on rows not fitted on; the test rows took no part. Of heads that do equally well the simplest was taken.", Canvas: c}}
}

// sweepFigure shows how probes on the layers of the backbone did.
func sweepFigure(d *Data) []figure {
	if len(d.Sweep) == 0 {
		return nil
	}
	// Scores below 0 are losses with their sign changed: they are shown as losses.
	what, sign := "score", 1.0
	if slices.ContainsFunc(d.Sweep, func(p SweepPoint) bool { return p.Score < 0 }) {
		what, sign = "loss (less is better)", -1
	}
	var bars []bar
	for _, p := range d.Sweep {
		p.Score *= sign
		b := bar{name: fmt.Sprintf("%s (%d)", p.Layer, p.Dim), value: p.Score, label: plot.Short(p.Score), ink: plot.Series(7)}
		if sign > 0 && p.Score <= 1 {
			b.label = percent(p.Score)
		}
		if p.SE > 0 {
			b.low, b.high = p.Score-p.SE, p.Score+p.SE
		}
		if p.Chosen {
			b.ink = plot.Series(0)
			b.name += " — chosen"
		}
		bars = append(bars, b)
	}
	bars = bars[max(0, len(bars)-24):]
	c := drawing("Layers", "Bars: the "+what+" of a probe on each layer, its standard error as a line.")
	drawBars(c, bars, 0)
	return []figure{{ID: "layers", Section: sectionChoices, Note: upperFirst(what) + " of a probe on each layer (in brackets: features), on rows it was not fitted on. The line is ± one standard error.", Canvas: c}}
}
