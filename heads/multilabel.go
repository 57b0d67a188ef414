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
	c := h.C
	if c == 0 {
		c = defaultC
	}
	if err := checkLinear("MultiLabelLogistic", []float64{c}, h.Tol, h.MaxIter); err != nil {
		return err
	}
	if err := y.check(x, MultiLabel); err != nil {
		return err
	}
	z, s, err := standardize(ctx, x, y.Weights)
	if err != nil {
		return err
	}
	labels := y.Labels.Cols
	w, b := make([]float64, labels*x.Cols), make([]float64, labels)
	share, weights := y.labelShares()
	var learned []int // the labels that some rows have and some don't
	for k, p := range share {
		switch p {
		case 0:
			b[k] = -certain
		case 1:
			b[k] = certain
		default:
			learned = append(learned, k)
		}
	}
	if len(learned) > 0 {
		f, err := newLinearFit(ctx, z, x.Cols, h.loss(y, share, weights, learned), weights)
		if err != nil {
			return err
		}
		if h.stats, err = f.solve(c, h.Tol, h.MaxIter); err != nil {
			return err
		}
		for i, k := range learned {
			b[k] = f.column(i, w[k*x.Cols:(k+1)*x.Cols])
		}
	}
	h.fitted = newAffine(s, w, b)
	return nil
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
