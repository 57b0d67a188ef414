package finetune

import (
	"cmp"
	"math"
	"slices"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/finetune/report"
)

// reliabilityBins is the number of equal bins of confidence, as the calibration error has.
const reliabilityBins = 15

// reliability sorts rows by the probability of the class predicted.
func reliability(class, top []int, sure []float64) []report.Bin {
	out := make([]report.Bin, reliabilityBins)
	for i, p := range sure {
		b := &out[min(reliabilityBins-1, max(0, int(math.Ceil(p*reliabilityBins))-1))]
		b.Rows++
		b.Confidence += p
		if top[i] == class[i] {
			b.Accuracy++
		}
	}
	for i := range out {
		b := &out[i]
		b.Low, b.High = float64(i)/reliabilityBins, float64(i+1)/reliabilityBins
		if b.Rows > 0 {
			b.Confidence /= float64(b.Rows)
			b.Accuracy /= float64(b.Rows)
		}
	}
	return out
}

// What precision–recall curves there are.
const (
	curvePoints  = 120
	curveClasses = 6
	curveBins    = 4000 // of the curve of all classes together
)

// precisionCurves are the curve of all classes together and those of the classes with the smallest average precision; of
// two classes the second's alone. p is N×k probabilities.
func precisionCurves(r metrics.Report, p []float64, k int, positive func(i, j int) bool) []report.Curve {
	if k == 0 || len(r.Classes) != k {
		return nil
	}
	if k == 2 && len(r.Confusion) > 0 {
		return []report.Curve{classCurve(r, p, k, 1, positive)}
	}
	out := []report.Curve{pooledCurve(p, k, positive)}
	order := make([]int, 0, k)
	for j, c := range r.Classes {
		if c.Average != nil {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(*r.Classes[a].Average, *r.Classes[b].Average) })
	for _, j := range order[:min(len(order), curveClasses)] {
		out = append(out, classCurve(r, p, k, j, positive))
	}
	return out
}

// classCurve is the curve of class j against the rest.
func classCurve(r metrics.Report, p []float64, k, j int, positive func(i, j int) bool) report.Curve {
	n := len(p) / k
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[b*k+j], p[a*k+j]), cmp.Compare(a, b)) })
	var points []report.XY
	found := 0.0
	for at, i := range order {
		if positive(i, j) {
			found++
		}
		if at+1 == n || p[order[at+1]*k+j] != p[i*k+j] { // not within a tie
			points = append(points, report.XY{X: found, Y: found / float64(at+1)})
		}
	}
	return report.Curve{Label: r.Classes[j].Label, Average: r.Classes[j].Average, Points: thinned(points, found)}
}

// pooledCurve is the curve of all pairs of a row and a class, by the probability to a 4,000th.
func pooledCurve(p []float64, k int, positive func(i, j int) bool) report.Curve {
	var all, good [curveBins]float64
	for at, v := range p {
		b := min(curveBins-1, max(0, int(v*curveBins)))
		all[b]++
		if positive(at/k, at%k) {
			good[b]++
		}
	}
	var points []report.XY
	seen, found, area, total := 0.0, 0.0, 0.0, 0.0
	for _, v := range good {
		total += v
	}
	for b := curveBins - 1; b >= 0; b-- {
		if all[b] == 0 {
			continue
		}
		seen, found = seen+all[b], found+good[b]
		area += good[b] / max(total, 1) * found / seen
		points = append(points, report.XY{X: found, Y: found / seen})
	}
	return report.Curve{Label: "all together", Average: &area, Points: thinned(points, found)}
}

// thinned makes counts found shares of all, and leaves out points that lie closer than are drawn.
func thinned(points []report.XY, all float64) []report.XY {
	var out []report.XY
	last := math.Inf(-1)
	for i, q := range points {
		x := q.X / max(all, 1)
		if x-last >= 1.0/curvePoints || i == len(points)-1 {
			out = append(out, report.XY{X: short(x), Y: short(q.Y)})
			last = x
		}
		if x >= 1 {
			break
		}
	}
	if len(out) > 0 && out[0].X > 0 {
		out = append([]report.XY{{X: 0, Y: out[0].Y}}, out...)
	}
	return out
}
