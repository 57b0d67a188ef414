package heads

import (
	"context"

	"github.com/onnx-graft/graft/onnx"
)

// LinearSVM is a linear support vector machine with squared hinge loss, one class against the rest. On standardised
// features it minimises, for each class, LIBLINEAR's objective (Fan et al. 2008),
//
//	½‖w‖² + ½b² + C Σ w_i · max(0, 1 − t_i (w·x_i + b))², with t_i = 1 for rows of the class and −1 for the others,
//
// with w_i the row's weight times its class's. Its logits are the K values w·x + b; with two classes there is one such
// value, for the second class, and the logits are half of it and minus that. They are no log-probabilities.
//
// A class of Targets.Classes without rows is never predicted, as with Logistic.
type LinearSVM struct {
	C           float64     // how much the data counts beside the penalty; 0: 1
	ClassWeight ClassWeight // zero: all rows count alike
	Tol         float64     // as of Logistic; 0: 1e-4
	MaxIter     int         // steps at most; 0: 1000
	Scale       float64     // as of RidgeClassifier; 0: 1

	fitted *affine
	stats  Fitted
}

// Fit implements [Head] for Classification targets.
func (h *LinearSVM) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	d, err := h.descent(ctx, x, y, copyBytes)
	if err != nil {
		return err
	}
	h.fitted, h.stats, err = d.to(h.C, h.Tol, h.MaxIter)
	if err == nil {
		h.fitted.times(h.Scale)
	}
	return err
}

// descent prepares fits with h's options, but for C.
func (h *LinearSVM) descent(ctx context.Context, x Matrix, y Targets, limit int) (*descent, error) {
	if err := checkLinear("LinearSVM", h.C, h.Tol, h.MaxIter); err != nil {
		return nil, err
	}
	if err := checkScale("LinearSVM", h.Scale); err != nil {
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
	present, place := presentClasses(y, weights)
	l := &hingeLoss{m: len(present), class: make([]int, x.Rows), weight: weights}
	for i, k := range y.Class {
		l.class[i] = place[k]
	}
	if l.m == 2 {
		l.m = 1
		for i := range l.class {
			l.class[i]-- // the second class is column 0, the first none
		}
	}
	f, err := newLinearFit(ctx, z, x.Cols, l, weights)
	if err != nil {
		return nil, err
	}
	f.objective.penalized = true
	return classDescent(f, s, y.Classes, present), nil
}

// Stats tells how the last Fit went.
func (h *LinearSVM) Stats() Fitted { return h.stats }

// Predict implements [Head]: N×K decision values.
func (h *LinearSVM) Predict(x Matrix) (Matrix, error) { return h.fitted.predict(x) }

// Emit implements [Head]: one Gemm, with the standardisation folded in.
func (h *LinearSVM) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.fitted.emit(b, features)
}

// hingeLoss is the squared hinge of each of m columns: the row's class should be at 1 or above, the others at −1 or below.
type hingeLoss struct {
	m      int
	class  []int // N; below 0: none of the columns
	weight []float64
}

func (l *hingeLoss) columns() int { return l.m }

func (l *hingeLoss) rows(z []float32, width, lo int, _ []float32) float64 {
	var total float64
	for i := 0; i*width < len(z); i++ {
		row := z[i*width : (i+1)*width]
		w := l.weight[lo+i]
		for k, v := range row[:l.m] {
			t := -1.0
			if k == l.class[lo+i] {
				t = 1
			}
			short := max(0, 1-t*float64(v))
			total += w * short * short
			row[k] = float32(-2 * w * t * short)
		}
		clear(row[l.m:])
	}
	return total
}

// curvature is 2w where the hinge is open.
func (l *hingeLoss) curvature(sum []float64, r []float32, width, lo int) {
	for i := 0; i*width < len(r); i++ {
		for k, v := range r[i*width : i*width+l.m] {
			if v != 0 {
				sum[k] += 2 * l.weight[lo+i]
			}
		}
	}
}
