package heads

import (
	"context"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Linear is a head whose numbers are in the open: logits = (x − Shift)·Weightᵀ + Bias. It is where training a backbone
// together with its head begins and what it ends in. Fit gives it the weights of a [Logistic] head with Start's options.
type Linear struct {
	Weight Matrix    // K×D
	Bias   []float32 // K
	Shift  []float32 // D, subtracted first; nil: nothing is
	Start  Logistic  // the options Fit uses
}

// Fit implements [Head].
func (h *Linear) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.Weight, h.Bias, h.Shift = Matrix{}, nil, nil
	fitted := h.Start
	if err := fitted.Fit(ctx, x, y); err != nil {
		return err
	}
	l := fitted.Linear()
	h.Weight, h.Bias, h.Shift = l.Weight, l.Bias, l.Shift
	return nil
}

// Predict implements [Head].
func (h *Linear) Predict(x Matrix) (Matrix, error) { return h.affine().predict(x) }

// Emit implements [Head].
func (h *Linear) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.affine().emit(b, features)
}

func (h *Linear) affine() *affine {
	if h.Weight.Rows == 0 || len(h.Bias) != h.Weight.Rows {
		return nil
	}
	return &affine{cols: h.Weight.Cols, outs: h.Weight.Rows, weight: h.Weight.Data, bias: h.Bias, shift: h.Shift}
}

// Folded returns the bias that makes the same logits without Shift, to within float32's rounding.
func (h *Linear) Folded() []float32 {
	bias := slices.Clone(h.Bias)
	for k := range bias {
		offset := float64(bias[k])
		for j, s := range h.Shift {
			offset -= float64(s) * float64(h.Weight.Row(k)[j])
		}
		bias[k] = float32(offset)
	}
	return bias
}

// Linear returns a copy of the fitted head's numbers, standardisation folded in; nil where it is not fitted.
func (h *Logistic) Linear() *Linear { return h.fitted.linear() }

func (a *affine) linear() *Linear {
	if a == nil {
		return nil
	}
	return &Linear{
		Weight: Matrix{Rows: a.outs, Cols: a.cols, Data: slices.Clone(a.weight)},
		Bias:   slices.Clone(a.bias),
		Shift:  slices.Clone(a.shift),
	}
}
