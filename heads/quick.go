package heads

import "context"

// The heads that are an affine map of features.
func (h *Logistic) affine() *affine           { return h.fitted }
func (h *MultiLabelLogistic) affine() *affine { return h.fitted }
func (h *LinearSVM) affine() *affine          { return h.fitted }
func (h *Ridge) affine() *affine              { return h.fitted }
func (h *RidgeClassifier) affine() *affine    { return h.fitted }
func (h *Centroid) affine() *affine {
	if h.fitted == nil || h.fitted.unit != nil {
		return nil
	}
	return h.fitted.affine
}

// IsLinear tells whether a head, fitted or not, is an affine map of features, so that [LinearOf] returns one once it is fitted.
func IsLinear(h Head) bool {
	if c, ok := h.(*Centroid); ok {
		return c.Metric != Cosine
	}
	_, ok := h.(interface{ affine() *affine })
	return ok
}

// LinearOf returns a copy of the numbers of a fitted head that is an affine map of features, standardisation folded in;
// nil for other heads.
func LinearOf(h Head) *Linear {
	if a, ok := h.(interface{ affine() *affine }); ok {
		return a.affine().linear()
	}
	return nil
}

// Quick returns what h predicts, added up in float32, many times as fast where h is an affine map: for choosing between
// heads, where the last digits do not matter.
func Quick(ctx context.Context, h Head, x Matrix) (Matrix, error) {
	a, ok := h.(interface{ affine() *affine })
	if !ok || a.affine() == nil || checkFeatures(x, a.affine().cols) != nil || x.Rows == 0 {
		return h.Predict(x)
	}
	return a.affine().quick(ctx, x)
}

// quick is predict in float32.
func (a *affine) quick(ctx context.Context, x Matrix) (Matrix, error) {
	width, d := roundUp(a.outs), roundUp(a.cols)
	turned := make([]float32, d*width)
	for k := range a.outs {
		for j, v := range a.weight[k*a.cols : (k+1)*a.cols] {
			turned[j*width+k] = v
		}
	}
	out := NewMatrix(x.Rows, a.outs)
	cut := newPartition(x.Rows, 64)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		z := make([]float32, panelRows*width)
		var shifted []float32
		if a.shift != nil {
			shifted = make([]float32, panelRows*a.cols)
		}
		for lo, end := cut.bounds(p); lo < end; lo += panelRows {
			n := min(panelRows, end-lo)
			from := x.Data[lo*a.cols : (lo+n)*a.cols]
			if a.shift != nil {
				for i := range from {
					shifted[i] = from[i] - a.shift[i%a.cols]
				}
				from = shifted
			}
			clear(z)
			addBlock(z, width, view{from, a.cols, 1}, turned, width, n, a.cols, width)
			for i := range n {
				for k, b := range a.bias {
					out.Row(lo + i)[k] = z[i*width+k] + b
				}
			}
		}
	})
	return out, err
}
