package heads

import (
	"context"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Ridge is linear regression with a squared penalty. On standardised features it minimises, in closed form,
//
//	Σ w_i ‖W x_i + b − y_i‖² + α‖W‖²
//
// with b not penalised. Where Alpha is 0, α is the one of Alphas with the smallest mean squared error, weighted, when
// each row is predicted by a fit on the others (scikit-learn's RidgeCV).
type Ridge struct {
	Alpha  float64   // 0: chosen among Alphas
	Alphas []float64 // nil: 1e-2, 1e-1, … 1e6

	fitted *affine
	chosen float64
	curve  []LeftOut
}

// RidgeClassifier is Ridge on targets of 1 for the row's class and −1 for the others; with two classes there is one
// target, for the second, and the logits are half its prediction and minus that. They are no log-probabilities. A class of
// Targets.Classes without rows is never predicted, as with Logistic.
type RidgeClassifier struct {
	Alpha       float64     // 0: chosen among Alphas
	Alphas      []float64   // nil: 1e-2, 1e-1, … 1e6
	ClassWeight ClassWeight // zero: all rows count alike
	Scale       float64     // what logits are multiplied by, so that they may be log-probabilities after all; 0: 1

	fitted *affine
	chosen float64
}

var defaultAlphas = []float64{1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}

// Fit implements [Head] for Regression targets.
func (h *Ridge) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	r, err := h.prepare(ctx, x, y, copyBytes)
	if err != nil {
		return err
	}
	h.fitted, h.chosen, h.curve, err = r.fit(ctx, "Ridge", h.Alpha, h.Alphas, 1)
	return err
}

func (h *Ridge) prepare(ctx context.Context, x Matrix, y Targets, limit int) (*leastSquares, error) {
	if err := y.check(x, Regression); err != nil {
		return nil, err
	}
	weights := make([]float64, x.Rows)
	for i := range weights {
		weights[i] = y.weight(i)
	}
	return newLeastSquares(ctx, x, y.Values, y.Weights, weights, limit)
}

// Chosen is the α of the last Fit.
func (h *Ridge) Chosen() float64 { return h.chosen }

// Curve tells how each α did that the last Fit chose among; nil where it was given one.
func (h *Ridge) Curve() []LeftOut { return h.curve }

// Predict implements [Head]: N×T values.
func (h *Ridge) Predict(x Matrix) (Matrix, error) { return h.fitted.predict(x) }

// Emit implements [Head]: one Gemm, with the standardisation folded in.
func (h *Ridge) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.fitted.emit(b, features)
}

// Fit implements [Head] for Classification targets.
func (h *RidgeClassifier) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	r, err := h.prepare(ctx, x, y, copyBytes)
	if err != nil {
		return err
	}
	h.fitted, h.chosen, _, err = r.fit(ctx, "RidgeClassifier", h.Alpha, h.Alphas, h.Scale)
	return err
}

func (h *RidgeClassifier) prepare(ctx context.Context, x Matrix, y Targets, limit int) (*leastSquares, error) {
	if err := checkScale("RidgeClassifier", h.Scale); err != nil {
		return nil, err
	}
	if err := y.check(x, Classification); err != nil {
		return nil, err
	}
	weights, err := h.ClassWeight.rowWeights(y)
	if err != nil {
		return nil, err
	}
	present, place := presentClasses(y, weights)
	targets := NewMatrix(x.Rows, len(present))
	for i, k := range y.Class {
		for j := range targets.Row(i) {
			targets.Row(i)[j] = -1
		}
		targets.Row(i)[place[k]] = 1
	}
	r, err := newLeastSquares(ctx, x, targets, y.Weights, weights, limit)
	if err != nil {
		return nil, err
	}
	r.write = func(w, b []float64) ([]float64, []float64) { return classScores(w, b, y.Classes, present) }
	return r, nil
}

// classScores turns a fit of one target a present class, w and b, into one for all classes.
func classScores(w, b []float64, classes int, present []int) (full, bias []float64) {
	d := len(w) / len(b)
	full, bias = make([]float64, classes*d), make([]float64, classes)
	for k := range bias {
		bias[k] = slices.Min(b) - absentBelow
	}
	scale := 1.0
	if len(present) == 2 {
		scale = 0.5 // the targets are each other's negatives
	}
	for j, k := range present {
		bias[k] = scale * b[j]
		for i, v := range w[j*d : (j+1)*d] {
			full[k*d+i] = scale * v
		}
	}
	return full, bias
}

// Chosen is the α of the last Fit.
func (h *RidgeClassifier) Chosen() float64 { return h.chosen }

// Predict implements [Head]: N×K values.
func (h *RidgeClassifier) Predict(x Matrix) (Matrix, error) { return h.fitted.predict(x) }

// Emit implements [Head]: one Gemm, with the standardisation folded in.
func (h *RidgeClassifier) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.fitted.emit(b, features)
}
