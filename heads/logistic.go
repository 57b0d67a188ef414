package heads

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Logistic is multinomial logistic regression. On standardised features it minimises scikit-learn's objective,
//
//	½‖W‖² + C Σ w_i · cross-entropy(softmax(W x_i + b), y_i),
//
// with w_i the row's weight times its class's and b not penalised; for two classes W is one row, cross-entropy that of a
// sigmoid, and the two logits are half its argument and minus that.
//
// A class of Targets.Classes without rows is never predicted: its logit is the smallest intercept minus 30.
type Logistic struct {
	C           float64     // how much the data counts beside the penalty; 0: 1
	ClassWeight ClassWeight // zero: all rows count alike
	Smoothing   float64     // label smoothing ε, 0 to below 1: targets 1−ε+ε/K and ε/K
	Tol         float64     // stop where no element of the objective's gradient over C Σ w_i is above; 0: 1e-4
	MaxIter     int         // steps at most; 0: 1000

	fitted *affine
	stats  Fitted
}

// Fit implements [Head] for Classification targets.
func (h *Logistic) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	path, err := h.Path(ctx, x, y, []float64{cmp.Or(h.C, 1)})
	if err != nil {
		return err
	}
	h.fitted, h.stats = path[0].fitted, path[0].stats
	return nil
}

// Stats tells how the last Fit went.
func (h *Logistic) Stats() Fitted { return h.stats }

// Path returns a head fitted with h's other options for each of cs, in their order. Features are standardised once and
// each fit starts from the one with the next smaller C, so a path costs little more than its hardest fit.
func (h *Logistic) Path(ctx context.Context, x Matrix, y Targets, cs []float64) ([]*Logistic, error) {
	if err := h.check(cs); err != nil {
		return nil, err
	}
	if err := y.check(x, Classification); err != nil {
		return nil, err
	}
	weights, err := h.ClassWeight.rowWeights(y)
	if err != nil {
		return nil, err
	}
	z, s, err := standardize(ctx, x, y.Weights)
	if err != nil {
		return nil, err
	}
	p := newProblem(ctx, z, x.Cols, y, weights, h.Smoothing)
	order := make([]int, len(cs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cs[a], cs[b]) })
	path := make([]*Logistic, len(cs))
	for _, i := range order {
		one := *h
		one.C = cs[i]
		if one.stats, err = p.solve(cs[i], cmp.Or(h.Tol, 1e-4), cmp.Or(h.MaxIter, 1000)); err != nil {
			return nil, err
		}
		one.fitted = newAffine(s, p.weights(), p.intercepts())
		path[i] = &one
	}
	return path, nil
}

func (h *Logistic) check(cs []float64) error {
	for _, c := range cs {
		if !(c > 0) || math.IsInf(c, 0) {
			return &SettingError{Field: "Logistic.C", Value: c, Want: "a number above 0"}
		}
	}
	switch {
	case !(h.Smoothing >= 0 && h.Smoothing < 1):
		return &SettingError{Field: "Logistic.Smoothing", Value: h.Smoothing, Want: "0 to below 1"}
	case !(h.Tol >= 0):
		return &SettingError{Field: "Logistic.Tol", Value: h.Tol, Want: "0 or more"}
	case h.MaxIter < 0:
		return &SettingError{Field: "Logistic.MaxIter", Value: h.MaxIter, Want: "0 or more"}
	}
	return nil
}

// Predict implements [Head]: N×K logits.
func (h *Logistic) Predict(x Matrix) (Matrix, error) { return h.fitted.predict(x) }

// Emit implements [Head]: one Gemm, with the standardisation folded in.
func (h *Logistic) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.fitted.emit(b, features)
}

// A problem is a logistic regression on standardised features, with the best parameters so far.
type problem struct {
	objective *objective
	total     float64 // Σ w_i
	cols      int     // D without padding
	classes   int
	present   []int // the classes with rows, ascending: column k of a softmax is class present[k]
	params    []float64
}

func newProblem(ctx context.Context, z Matrix, cols int, y Targets, weights []float64, smoothing float64) *problem {
	p := &problem{cols: cols, classes: y.Classes}
	column := make([]int, y.Classes)
	for i, k := range y.Class {
		if weights[i] > 0 {
			column[k] = 1
		}
		p.total += weights[i]
	}
	for k, n := range column {
		if n > 0 {
			column[k] = len(p.present)
			p.present = append(p.present, k)
		}
	}
	var l loss
	if len(p.present) == 2 {
		target := make([]float32, z.Rows)
		for i, k := range y.Class {
			target[i] = float32(smoothing/2 + (1-smoothing)*float64(column[k]))
		}
		l = &logisticLoss{m: 1, target: target, weight: narrow(weights)}
	} else {
		class := make([]int, z.Rows)
		for i, k := range y.Class {
			class[i] = column[k]
		}
		l = &softmaxLoss{m: len(p.present), class: class, weight: narrow(weights), smoothing: smoothing}
	}
	p.objective = newObjective(ctx, z, l)
	p.params = make([]float64, len(p.objective.grad))
	return p
}

// solve minimises for one C, from the parameters so far. The optimizer sees the objective divided by C Σ w_i, so that
// tolerances mean the same whatever the number of rows.
func (p *problem) solve(c, tol float64, maxIter int) (Fitted, error) {
	p.objective.l2 = 1 / (c * p.total)
	p.objective.scale = 1 / p.total
	f, err := minimize(p.objective, p.params, tol, maxIter, nil)
	f.Objective *= c * p.total
	return f, err
}

// weights returns W, K×D, for standardised features.
func (p *problem) weights() []float64 {
	d, m := p.cols, p.objective.loss.columns()
	w := make([]float64, p.classes*d)
	for j := range d {
		if m == 1 {
			half := p.params[j] / 2
			w[p.present[0]*d+j], w[p.present[1]*d+j] = -half, half
			continue
		}
		for k, class := range p.present {
			w[class*d+j] = p.params[j*m+k]
		}
	}
	return w
}

// absentBelow is how far the logit of a class without rows lies below the smallest intercept.
const absentBelow = 30

// intercepts returns b, K. As the softmax's columns add up to 0, some logit is always at or above the smallest intercept.
func (p *problem) intercepts() []float64 {
	m := p.objective.loss.columns()
	b := p.params[len(p.params)-m:]
	if m == 1 {
		b = []float64{-b[0] / 2, b[0] / 2}
	}
	out := make([]float64, p.classes)
	for k := range out {
		out[k] = slices.Min(b) - absentBelow
	}
	for k, class := range p.present {
		out[class] = b[k]
	}
	return out
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, f := range v {
		out[i] = float32(f)
	}
	return out
}
