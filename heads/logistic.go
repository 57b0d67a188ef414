package heads

import (
	"context"
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
	Tol         float64     // stop where no element of the gradient, over C Σ w_i, is above, and the objective is within about 10·Tol of its minimum, relatively; 0: 1e-4
	MaxIter     int         // steps at most; 0: 1000

	fitted *affine
	stats  Fitted
}

// Fit implements [Head] for Classification targets.
func (h *Logistic) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	d, err := h.descent(ctx, x, y, copyBytes)
	if err != nil {
		return err
	}
	h.fitted, h.stats, err = d.to(h.C, h.Tol, h.MaxIter)
	return err
}

// Stats tells how the last Fit went.
func (h *Logistic) Stats() Fitted { return h.stats }

// descent prepares fits with h's options, but for C.
func (h *Logistic) descent(ctx context.Context, x Matrix, y Targets, limit int) (*descent, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	if err := y.check(x, Classification); err != nil {
		return nil, err
	}
	weights, err := h.ClassWeight.rowWeights(y)
	if err != nil {
		return nil, err
	}
	z, s, err := standardize(ctx, x, y.Weights, limit)
	if err != nil {
		return nil, err
	}
	f, present, err := newSoftmax(ctx, z, x.Cols, y, weights, h.Smoothing)
	if err != nil {
		return nil, err
	}
	return classDescent(f, s, y.Classes, present), nil
}

func (h *Logistic) check() error {
	if !(h.Smoothing >= 0 && h.Smoothing < 1) {
		return &SettingError{Field: "Logistic.Smoothing", Value: h.Smoothing, Want: "0 to below 1"}
	}
	return checkLinear("Logistic", h.C, h.Tol, h.MaxIter)
}

// Predict implements [Head]: N×K logits.
func (h *Logistic) Predict(x Matrix) (Matrix, error) { return h.fitted.predict(x) }

// Emit implements [Head]: one Gemm, with the standardisation folded in.
func (h *Logistic) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.fitted.emit(b, features)
}

// newSoftmax prepares a logistic regression on standardised features. It returns the classes with rows, ascending: column
// k of a softmax is class present[k].
func newSoftmax(ctx context.Context, z source, cols int, y Targets, weights []float64, smoothing float64) (f *linearFit, present []int, err error) {
	present, column := presentClasses(y, weights)
	var l loss
	if len(present) == 2 {
		target := make([]float32, len(y.Class))
		for i, k := range y.Class {
			target[i] = float32(smoothing/2 + (1-smoothing)*float64(column[k]))
		}
		l = &logisticLoss{m: 1, target: target, weight: narrow(weights)}
	} else {
		class := make([]int, len(y.Class))
		for i, k := range y.Class {
			class[i] = column[k]
		}
		l = &softmaxLoss{m: len(present), class: class, weight: narrow(weights), smoothing: smoothing}
	}
	f, err = newLinearFit(ctx, z, cols, l, weights)
	return f, present, err
}

// presentClasses returns the classes with rows of weight above 0, ascending, and for each class its place among them
// (0 for the others).
func presentClasses(y Targets, weights []float64) (present, place []int) {
	place = make([]int, y.Classes)
	for i, k := range y.Class {
		if weights[i] > 0 {
			place[k] = 1
		}
	}
	for k, n := range place {
		if n > 0 {
			place[k] = len(present)
			present = append(present, k)
		}
	}
	return present, place
}

// classLogits turns the columns of a fit on two or more present classes into W, K×D, and b, K, for all of them. One column
// is the second class's logit minus the first's.
//
// As the columns of a softmax add up to 0, some logit is always at or above the smallest intercept.
func (l *linearFit) classLogits(classes int, present []int) (w, b []float64) {
	w, b = make([]float64, classes*l.cols), make([]float64, classes)
	columns := make([]float64, len(present))
	for k, class := range present {
		from, scale := k, 1.0
		if len(present) == 2 {
			from, scale = 0, float64(k)-0.5
		}
		columns[k] = scale * l.column(from, w[class*l.cols:(class+1)*l.cols])
		for j := range l.cols {
			w[class*l.cols+j] *= scale
		}
	}
	for k := range b {
		b[k] = slices.Min(columns) - absentBelow
	}
	for k, class := range present {
		b[class] = columns[k]
	}
	return w, b
}

// absentBelow is how far the logit of a class without rows lies below the smallest intercept.
const absentBelow = 30
