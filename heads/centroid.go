package heads

import (
	"context"
	"math"

	"github.com/onnx-graft/graft/heads/valley"
	"github.com/onnx-graft/graft/onnx"
)

// Centroid compares a row of standardised features with the mean of each class: the few-shot head, which needs one row a
// class. Its logits are, for Euclidean, −½ the squared distance, less what is the same for every class; for Cosine, the
// cosine with the mean of the class's rows scaled to length 1; both times Scale.
//
// A class of Targets.Classes without rows is never predicted.
type Centroid struct {
	Metric Metric  // "": Euclidean
	Scale  float64 // 0: the one that makes the training rows likeliest, each judged by centroids made without it

	fitted *centroids
	scale  float64
}

// centroids is a fitted Centroid: an affine map of the features, for Cosine after scaling to length 1.
type centroids struct {
	affine *affine
	unit   *rescaling // nil for Euclidean
}

// Fit implements [Head] for Classification targets.
func (h *Centroid) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	if err := h.Metric.check("Centroid.Metric"); err != nil {
		return err
	}
	if !(h.Scale >= 0) || math.IsInf(h.Scale, 0) {
		return &SettingError{Field: "Centroid.Scale", Value: h.Scale, Want: "a number above 0, or 0"}
	}
	if err := y.check(x, Classification); err != nil {
		return err
	}
	s, err := newScaling(ctx, x, y.Weights)
	if err != nil {
		return err
	}
	r := newRescaling(s, h.Metric)
	z, err := r.apply(ctx, x)
	if err != nil {
		return err
	}
	m := newMeans(z, x.Cols, y)
	h.scale = h.Scale
	if h.scale == 0 {
		h.scale = m.bestScale(h.Metric)
	}
	h.fitted = m.fitted(h.Metric, h.scale, s, r)
	return nil
}

// Chosen is the Scale of the last Fit.
func (h *Centroid) Chosen() float64 { return h.scale }

// Predict implements [Head]: N×K logits.
func (h *Centroid) Predict(x Matrix) (Matrix, error) {
	if h.fitted == nil {
		return Matrix{}, ErrNotFitted
	}
	if h.fitted.unit == nil {
		return h.fitted.affine.predict(x)
	}
	if err := checkFeatures(x, h.fitted.affine.cols); err != nil {
		return Matrix{}, err
	}
	unit := NewMatrix(x.Rows, x.Cols)
	for i := range x.Rows {
		h.fitted.unit.row(unit.Row(i), x.Row(i))
	}
	return h.fitted.affine.predict(unit)
}

// Emit implements [Head]: a Gemm, for Cosine after the scaling to length 1.
func (h *Centroid) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	if h.fitted == nil {
		return nil, ErrNotFitted
	}
	if h.fitted.unit != nil {
		features = h.fitted.unit.emit(b.Scope("head"), features)
	}
	return h.fitted.affine.emit(b, features)
}

// means are the class means of standardised rows.
type means struct {
	z       Matrix // N×D, padded
	cols    int    // D without padding
	y       Targets
	present []int
	weight  []float64   // K: Σ of row weights
	mean    [][]float64 // K×D; of an absent class nil
}

func newMeans(z Matrix, cols int, y Targets) *means {
	m := &means{z: z, cols: cols, y: y, weight: make([]float64, y.Classes), mean: make([][]float64, y.Classes)}
	for i, k := range y.Class {
		m.weight[k] += y.weight(i)
	}
	for k, w := range m.weight {
		if w > 0 {
			m.present = append(m.present, k)
			m.mean[k] = make([]float64, cols)
		}
	}
	for i, k := range y.Class {
		if w := y.weight(i); w > 0 {
			for j, v := range z.Row(i)[:cols] {
				m.mean[k][j] += w / m.weight[k] * float64(v)
			}
		}
	}
	return m
}

// similarity of a row to a centroid from their product and the centroid's squared length.
func (m Metric) similarity(product, square float64) float64 {
	if m == Cosine {
		return product / max(math.Sqrt(square), shortest)
	}
	return product - square/2
}

// judged is how many rows at most choose the scale.
const judged = 2000

// leftOut returns, for up to judged rows of classes with several, the similarities to each present class, the row's own
// without it, and the row's class among the present.
func (m *means) leftOut(metric Metric) (similar [][]float64, class []int) {
	place := make([]int, len(m.weight))
	for j, k := range m.present {
		place[k] = j
	}
	square := make([]float64, len(m.present))
	for j, k := range m.present {
		for _, v := range m.mean[k] {
			square[j] += v * v
		}
	}
	stride := (m.z.Rows + judged - 1) / judged
	for i := 0; i < m.z.Rows; i += stride {
		k, w := m.y.Class[i], m.y.weight(i)
		rest := m.weight[k] - w
		if w == 0 || rest <= 1e-9*w {
			continue
		}
		row := m.z.Row(i)[:m.cols]
		var own float64
		for _, v := range row {
			own += float64(v) * float64(v)
		}
		s := make([]float64, len(m.present))
		for j, other := range m.present {
			product, sq := dot(m.mean[other], row), square[j]
			if other == k { // the mean without this row is (W·mean − w·row) / (W − w)
				total := m.weight[k]
				sq = (total*total*sq - 2*total*w*product + w*w*own) / (rest * rest)
				product = (total*product - w*own) / rest
			}
			s[j] = metric.similarity(product, sq)
		}
		similar, class = append(similar, s), append(class, place[k])
	}
	return similar, class
}

// bestScale returns the factor for similarities that makes rows likeliest, 1 where no class has two rows.
func (m *means) bestScale(metric Metric) float64 {
	similar, class := m.leftOut(metric)
	if len(similar) == 0 {
		return 1
	}
	loss := func(log float64) float64 {
		scale, sum := math.Exp(log), 0.0
		for i, s := range similar {
			top, total := math.Inf(-1), 0.0
			for _, v := range s {
				top = max(top, v)
			}
			for _, v := range s {
				total += math.Exp(scale * (v - top))
			}
			sum += math.Log(total) - scale*(s[class[i]]-top)
		}
		return sum
	}
	// The loss is convex in the scale, so it has one valley in its logarithm too.
	return math.Exp(valley.Lowest(loss, math.Log(1e-5), math.Log(1e3), 1e-3))
}

// fitted turns the means into an affine map of raw features, or for Cosine of unit rows.
func (m *means) fitted(metric Metric, scale float64, s *scaling, r *rescaling) *centroids {
	d := m.cols
	w, b := make([]float64, len(m.weight)*d), make([]float64, len(m.weight))
	lowest := 0.0
	for _, k := range m.present {
		var square float64
		for _, v := range m.mean[k] {
			square += v * v
		}
		factor := scale
		if metric == Cosine {
			factor /= max(math.Sqrt(square), shortest)
		} else {
			b[k] = -scale * square / 2
		}
		for j, v := range m.mean[k] {
			w[k*d+j] = factor * v
		}
		lowest = min(lowest, b[k])
	}
	if metric == Cosine {
		lowest = -scale
	}
	for k := range b {
		if m.mean[k] == nil {
			b[k] = lowest - absentBelow
		}
	}
	if metric != Cosine {
		return &centroids{affine: newAffine(s, w, b)}
	}
	a := &affine{cols: d, outs: len(b), weight: narrow(w), bias: narrow(b)}
	return &centroids{affine: a, unit: r}
}
