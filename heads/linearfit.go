package heads

import (
	"context"
	"math"
)

// A linearFit is a linear head being fitted: ½‖W‖² + C Σ loss on standardised features, and the best parameters so far.
type linearFit struct {
	objective    *objective
	total        float64 // Σ of row weights
	cols         int     // D without padding
	params       []float64
	precondition preconditioner // nil where none pays
}

func newLinearFit(ctx context.Context, z source, cols int, l loss, weights []float64) (*linearFit, error) {
	f := &linearFit{objective: newObjective(ctx, z, l), cols: cols}
	for _, w := range weights {
		f.total += w
	}
	f.params = make([]float64, len(f.objective.grad))
	var err error
	f.precondition, err = newPreconditioner(ctx, f.objective)
	return f, err
}

const (
	defaultC       = 1.0
	defaultTol     = 1e-4
	defaultMaxIter = 1000
)

// checkLinear tells whether the options common to linear heads are what they may be.
func checkLinear(head string, c, tol float64, maxIter int) error {
	switch {
	case !(c >= 0) || math.IsInf(c, 0):
		return &SettingError{Field: head + ".C", Value: c, Want: "a number above 0, or 0"}
	case !(tol >= 0):
		return &SettingError{Field: head + ".Tol", Value: tol, Want: "0 or more"}
	case maxIter < 0:
		return &SettingError{Field: head + ".MaxIter", Value: maxIter, Want: "0 or more"}
	}
	return nil
}

// checkScale tells whether a factor for logits is one.
func checkScale(head string, scale float64) error {
	if !(scale >= 0) || math.IsInf(scale, 0) {
		return &SettingError{Field: head + ".Scale", Value: scale, Want: "a number above 0, or 0"}
	}
	return nil
}

// solve minimises for one C, from the parameters so far; tol and maxIter 0 are the defaults. The optimizer sees the
// objective divided by C Σ w_i, so that tolerances mean the same whatever the number of rows.
func (f *linearFit) solve(c, tol float64, maxIter int) (Fitted, error) {
	if tol == 0 {
		tol = defaultTol
	}
	if maxIter == 0 {
		maxIter = defaultMaxIter
	}
	f.objective.l2 = 1 / (c * f.total)
	f.objective.scale = 1 / f.total
	fit, err := minimize(f.objective, f.params, tol, maxIter, f.precondition)
	fit.Objective *= c * f.total
	return fit, err
}

// column copies column k of W, D numbers for standardised features, to w and returns its intercept.
func (f *linearFit) column(k int, w []float64) float64 {
	m := f.objective.loss.columns()
	for j := range w {
		w[j] = f.params[j*m+k]
	}
	return f.params[len(f.params)-m+k]
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, f := range v {
		out[i] = float32(f)
	}
	return out
}
