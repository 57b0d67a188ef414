package heads

import (
	"context"

	"github.com/onnx-graft/graft/onnx"
)

// MultiLabelLogistic is one logistic regression a label. On standardised features it minimises, for all labels together,
//
//	½‖W‖² + C Σ w_i · Σ_k cross-entropy(sigmoid(W_k x_i + b_k), y_ik),
//
// as scikit-learn's OneVsRestClassifier(LogisticRegression) does for each. A label that every row has, or none, gets the
// constant logit 30 or −30.
type MultiLabelLogistic struct {
	C float64 // how much the data counts beside the penalty; 0: 1
	// Balanced weighs, for each label, the rows that have it against those that don't so that both count alike:
	// N/(2 N_k) and N/(2 (N−N_k)).
	Balanced bool
	Tol      float64 // as of Logistic; 0: 1e-4
	MaxIter  int     // steps at most; 0: 1000

	fitted *affine
	stats  Fitted
}

// certain is the logit of a label that is always so, or never.
const certain = 30

// Fit implements [Head] for MultiLabel targets.
func (h *MultiLabelLogistic) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	d, err := h.descent(ctx, x, y, copyBytes)
	if err != nil {
		return err
	}
	h.fitted, h.stats, err = d.to(h.C, h.Tol, h.MaxIter)
	return err
}

// descent prepares fits with h's options, but for C.
func (h *MultiLabelLogistic) descent(ctx context.Context, x Matrix, y Targets, limit int) (*descent, error) {
	if err := checkLinear("MultiLabelLogistic", h.C, h.Tol, h.MaxIter); err != nil {
		return nil, err
	}
	if err := y.check(x, MultiLabel); err != nil {
		return nil, err
	}
	z, s, err := standardize(ctx, x, y.Weights, limit)
	if err != nil {
		return nil, err
	}
	d := &descent{scaling: s, outs: y.Labels.Cols}
	share, weights := y.labelShares()
	constant := make([]float64, d.outs)
	var learned []int // the labels that some rows have and some don't
	for k, p := range share {
		switch p {
		case 0:
			constant[k] = -certain
		case 1:
			constant[k] = certain
		default:
			learned = append(learned, k)
			d.reads = append(d.reads, reading{plus: k, minus: -1})
		}
	}
	if len(learned) > 0 {
		if d.linearFit, err = newLinearFit(ctx, z, x.Cols, h.loss(y, share, weights, learned), weights); err != nil {
			return nil, err
		}
	}
	d.write = func() (w, b []float64) {
		w, b = make([]float64, d.outs*x.Cols), append([]float64(nil), constant...)
		for i, k := range learned {
			b[k] = d.column(i, w[k*x.Cols:(k+1)*x.Cols])
		}
		return w, b
	}
	return d, nil
}

// labelShares returns the weighted share of rows that have each label, exactly 0 or 1 where none or all of them, and the
// rows' weights.
func (t Targets) labelShares() (share, weights []float64) {
	n, k := t.Labels.Rows, t.Labels.Cols
	have, lack := make([]float64, k), make([]float64, k)
	weights = make([]float64, n)
	for i := range n {
		weights[i] = t.weight(i)
		for j, v := range t.Labels.Row(i) {
			if v == 1 {
				have[j] += weights[i]
			} else {
				lack[j] += weights[i]
			}
		}
	}
	for j := range have {
		have[j] /= have[j] + lack[j]
	}
	return have, weights
}

func (h *MultiLabelLogistic) loss(y Targets, share, weights []float64, learned []int) loss {
	width := padded(len(learned))
	l := &logisticLoss{m: len(learned), target: make([]float32, len(weights)*width), weight: make([]float32, len(weights)*width)}
	for i, w := range weights {
		for j, k := range learned {
			v := y.Labels.Row(i)[k]
			l.target[i*width+j], l.weight[i*width+j] = v, float32(w)
			if h.Balanced {
				p := share[k]
				if v == 0 {
					p = 1 - p
				}
				l.weight[i*width+j] = float32(w / (2 * p))
			}
		}
	}
	return l
}

// Stats tells how the last Fit went.
func (h *MultiLabelLogistic) Stats() Fitted { return h.stats }

// Predict implements [Head]: N×K logits.
func (h *MultiLabelLogistic) Predict(x Matrix) (Matrix, error) { return h.fitted.predict(x) }

// Emit implements [Head]: one Gemm, with the standardisation folded in.
func (h *MultiLabelLogistic) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	return h.fitted.emit(b, features)
}
