package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/onnx-graft/graft/finetune/report/plot"
)

// mostDots is how many points a scatter draws; of more, every so-manieth.
const mostDots = 1500

// scatterFigures show predicted by true values and the residuals, of the first targets.
func scatterFigures(d *Data) []figure {
	var out []figure
	for i, v := range d.Values[:min(len(d.Values), 3)] {
		n := min(len(v.Truth), len(v.Predicted))
		if n == 0 {
			continue
		}
		name, id := "", ""
		if len(d.Values) > 1 {
			name, id = " — "+v.Target, fmt.Sprint("-", i+1)
		}
		out = append(out, scatter(v, n, name, id), residuals(v, n, name, id))
	}
	return out
}

func scatter(v Values, n int, name, id string) figure {
	low := min(slices.Min(v.Truth[:n]), slices.Min(v.Predicted[:n]))
	high := max(slices.Max(v.Truth[:n]), slices.Max(v.Predicted[:n]))
	room := (high - low) * 0.03
	c := drawing("Predicted and true values"+name, "Dots: predicted by true values of held-out rows; on the dashed line they are equal.")
	c.Height = 380
	axis := func(label string) plot.Axis { return plot.Axis{Label: label, Min: low - room, Max: high + room} }
	f := plot.NewFrame(c, 0, axis("true"), axis("predicted"))
	var at []plot.Point
	for i := 0; i < n; i += 1 + (n-1)/mostDots {
		at = append(at, f.Clamp(v.Truth[i], v.Predicted[i]))
	}
	c.Line(plot.Look{Stroke: plot.Muted, Dashed: true, Width: 1.5}, f.Clamp(low, low), f.Clamp(high, high))
	c.Dots(2.4, plot.Look{Fill: plot.Series(0), Opacity: 0.6}, "", at...)
	return figure{ID: "scatter" + id, Section: sectionErrors, Note: "Each dot is a held-out row; on the dashed line the prediction is exact.", Canvas: c}
}

// residualBins is the number of bars of a residual histogram.
const residualBins = 25

func residuals(v Values, n int, name, id string) figure {
	widest, sum := 0.0, 0.0
	for i := range n {
		r := v.Predicted[i] - v.Truth[i]
		widest, sum = max(widest, math.Abs(r)), sum+r
	}
	if widest == 0 {
		widest = 1
	}
	count, most := make([]int, residualBins), 1
	for i := range n {
		share := (v.Predicted[i] - v.Truth[i] + widest) / (2 * widest)
		k := min(residualBins-1, int(share*residualBins))
		count[k]++
		most = max(most, count[k])
	}
	c := drawing("Residuals"+name, "Histogram of predicted less true values.")
	f := plot.NewFrame(c, 0, plot.Axis{Label: "predicted − true", Min: -widest, Max: widest}, plot.Axis{Label: "rows", Max: float64(most) * 1.05, Whole: true})
	for k, rows := range count {
		if rows == 0 {
			continue
		}
		from, to := -widest+2*widest*float64(k)/residualBins, -widest+2*widest*float64(k+1)/residualBins
		a, b := f.At(from, 0), f.At(to, float64(rows))
		c.Rect(a.X+0.75, b.Y, b.X-a.X-1.5, a.Y-b.Y, 1, plot.Look{Fill: plot.Series(0)}, fmt.Sprintf("%s to %s: %d rows", plot.Short(from), plot.Short(to), rows))
	}
	c.Line(plot.Look{Stroke: plot.Muted, Dashed: true, Width: 1.5}, f.At(0, 0), f.At(0, float64(most)*1.05))
	note := fmt.Sprintf("Mean residual %s: where it is far from 0, predictions lean to one side.", plot.Short(sum/float64(n)))
	return figure{ID: "residuals" + id, Section: sectionErrors, Note: note, Canvas: c}
}

// projectionFigure shows features in the plane.
func projectionFigure(d *Data) []figure {
	p := d.Projection
	if p == nil || len(p.Points) < 3 {
		return nil
	}
	c := drawing("Features in the plane", fmt.Sprintf("Dots: %s of the features of %d held-out rows.", p.Method, len(p.Points)))
	c.Height = 380
	g := groupPlaces(d)
	low, high := p.Points[0], p.Points[0]
	for _, q := range p.Points {
		low.X, low.Y, high.X, high.Y = min(low.X, q.X), min(low.Y, q.Y), max(high.X, q.X), max(high.Y, q.Y)
	}
	top := plot.Legend(c, g.legend...)
	f := plot.NewFrame(c, top, plot.Axis{Label: axisName(p, 0), Min: low.X, Max: high.X, Bare: true}, plot.Axis{Label: axisName(p, 1), Min: low.Y, Max: high.Y, Bare: true})
	c.Rect(f.Left-4, f.Top-4, f.Right-f.Left+8, f.Bottom-f.Top+8, 4, plot.Look{Stroke: plot.Grid}, "")
	wrong := make([][]plot.Point, len(g.looks))
	rings := 0
	for k, look := range g.looks {
		var at []plot.Point
		for _, q := range g.members[k] {
			if at = append(at, f.At(q.X, q.Y)); q.Wrong {
				wrong[k] = append(wrong[k], f.At(q.X, q.Y))
			}
		}
		rings += len(wrong[k])
		c.Dots(2.6, look, "", at...)
	}
	for k, look := range g.looks {
		c.Dots(3.8, plot.Look{Fill: plot.Text}, "", wrong[k]...)
		c.Dots(2.7, plot.Look{Fill: plot.Paper}, "", wrong[k]...)
		c.Dots(1.9, plot.Look{Fill: look.Fill}, "", wrong[k]...)
	}
	note := fmt.Sprintf("%s of the features the head sees, all %d held-out rows.", p.Method, p.Of)
	if len(p.Points) < p.Of {
		note = fmt.Sprintf("%s of the features the head sees, %d of %d held-out rows.", p.Method, len(p.Points), p.Of)
	}
	if rings > 0 {
		note += " Rings are rows with a wrong answer, in the colour of their true class."
	}
	return []figure{{ID: "projection", Section: sectionFeatures, Note: note + g.note, Wide: true, Canvas: c}}
}

func axisName(p *Projection, axis int) string {
	name := fmt.Sprint("component ", axis+1)
	if v := p.Explained[axis]; v > 0 {
		name += fmt.Sprintf(" (%s of the variance)", percent(v))
	}
	return name
}

// placeGroups are the points of a projection by colour, in the order they are drawn.
type placeGroups struct {
	looks   []plot.Look
	members [][]Place
	legend  []plot.Entry
	note    string
}

// groupPlaces gives colours to the largest classes, or to values.
func groupPlaces(d *Data) (g placeGroups) {
	var last []plot.Entry
	add := func(look plot.Look, name string, members []Place) {
		if len(members) == 0 {
			return
		}
		g.looks, g.members = append(g.looks, look), append(g.members, members)
		if name != "" {
			g.legend = append(g.legend, plot.Entry{Name: plot.Fit(name, 120, plot.Type{}), Look: plot.Look{Fill: look.Fill}})
		}
	}
	of := make([][]Place, len(d.Labels))
	var plain []Place
	for _, q := range d.Projection.Points {
		if q.Class >= 0 && q.Class < len(of) {
			of[q.Class] = append(of[q.Class], q)
		} else {
			plain = append(plain, q)
		}
	}
	order := make([]int, len(of))
	for k := range order {
		order[k] = k
	}
	coloured := len(of)
	if len(of) > mostCurves {
		coloured = mostCurves - 1
		slices.SortStableFunc(order, func(a, b int) int { return len(of[b]) - len(of[a]) })
		var others []Place
		for _, k := range order[coloured:] {
			others = append(others, of[k]...)
		}
		add(plot.Look{Fill: plot.Muted, Opacity: 0.28}, "", others)
		last = []plot.Entry{{Name: "other classes", Look: plot.Look{Fill: plot.Muted, Opacity: 0.4}}}
		g.note = fmt.Sprintf(" The %d largest of %d classes have colours.", coloured, len(of))
	}
	for i, k := range order[:coloured] {
		add(plot.Look{Fill: plot.Series(i), Opacity: 0.8}, d.Labels[k], of[k])
	}
	byValue := make([][]Place, 7)
	for _, q := range plain {
		byValue[min(6, max(0, int(q.Value*7)))] = append(byValue[min(6, max(0, int(q.Value*7)))], q)
	}
	for i, members := range byValue {
		add(plot.Look{Fill: plot.Heat(float64(i+2) / 8), Opacity: 0.8}, map[int]string{0: "lowest values", 6: "highest"}[i], members)
	}
	g.legend = append(g.legend, last...)
	return g
}
