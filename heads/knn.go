package heads

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// KNN predicts from the K nearest training rows of standardised features, which the head carries with it. It takes every
// task: logits are log(p + 1e-3) for classes and log((p + 1e-3) / (1 − p + 1e-3)) for labels, with p the share of the
// neighbours' votes, and values are their mean. Which of two rows equally far away is a neighbour is not defined.
type KNN struct {
	K      int    // neighbours; 0: 5; never more than there are rows
	Metric Metric // "": Euclidean
	// Temperature τ, where it is above 0, gives a neighbour the vote exp(s/τ), with s its cosine or minus its squared
	// distance over D (Wu et al. 2018); 0: all count alike. Row weights multiply votes.
	Temperature float64

	fitted *neighbours
}

// neighbours is a fitted KNN.
type neighbours struct {
	task    Task
	k       int
	tau     float64
	cols    int
	outs    int
	rescale *rescaling
	rows    Matrix    // M×D, rescaled and padded
	turned  []float32 // its transpose, padded D × padded M
	half    []float32 // M: half the squared lengths of the rows, 0 for Cosine
	target  Matrix    // M×(outs+1): the row's targets times its weight, and the weight
}

const (
	defaultNeighbours = 5
	fewVotes          = 1e-3 // keeps the logarithm of no votes finite
)

// Fit implements [Head].
func (h *KNN) Fit(ctx context.Context, x Matrix, y Targets) error {
	h.fitted = nil
	if err := h.Metric.check("KNN.Metric"); err != nil {
		return err
	}
	if h.K < 0 {
		return &SettingError{Field: "KNN.K", Value: h.K, Want: "0 or more"}
	}
	if !(h.Temperature >= 0) || math.IsInf(h.Temperature, 0) {
		return &SettingError{Field: "KNN.Temperature", Value: h.Temperature, Want: "0 or more"}
	}
	if err := y.check(x, y.Task()); err != nil {
		return err
	}
	s, err := newScaling(ctx, x, y.Weights)
	if err != nil {
		return err
	}
	n := &neighbours{task: y.Task(), tau: h.Temperature, cols: x.Cols, outs: y.Outputs(), rescale: newRescaling(s, h.Metric)}
	var kept []int
	for i := range x.Rows {
		if y.weight(i) > 0 {
			kept = append(kept, i)
		}
	}
	n.k = min(cmp.Or(h.K, defaultNeighbours), len(kept))
	if n.rows, err = n.rescale.apply(ctx, x.Subset(kept)); err != nil {
		return err
	}
	n.remember(y.Subset(kept), h.Metric == Cosine)
	h.fitted = n
	return nil
}

// remember lays out rows and targets for Predict and Emit.
func (n *neighbours) remember(y Targets, unit bool) {
	m, d := n.rows.Rows, n.rows.Cols
	width := roundUp(m)
	n.turned, n.half = make([]float32, d*width), make([]float32, m)
	n.target = NewMatrix(m, n.outs+1)
	for i := range m {
		var square float64
		for j, v := range n.rows.Row(i) {
			n.turned[j*width+i] = v
			square += float64(v) * float64(v)
		}
		if !unit {
			n.half[i] = float32(square / 2)
		}
		w, to := float32(y.weight(i)), n.target.Row(i)
		switch n.task {
		case MultiLabel:
			copy(to, y.Labels.Row(i))
		case Regression:
			copy(to, y.Values.Row(i))
		default:
			to[y.Class[i]] = 1
		}
		to[n.outs] = 1
		for k := range to {
			to[k] *= w
		}
	}
}

// Predict implements [Head].
func (h *KNN) Predict(x Matrix) (Matrix, error) {
	n := h.fitted
	if n == nil {
		return Matrix{}, ErrNotFitted
	}
	if err := checkFeatures(x, n.cols); err != nil {
		return Matrix{}, err
	}
	ctx := context.Background()
	z, err := n.rescale.apply(ctx, x)
	if err != nil {
		return Matrix{}, err
	}
	out, width := NewMatrix(x.Rows, n.outs), roundUp(n.rows.Rows)
	err = product(ctx, z, n.turned, width, func(lo int, block []float32) {
		order := make([]int32, n.rows.Rows)
		for i := 0; i*width < len(block); i++ {
			n.vote(out.Row(lo+i), block[i*width:i*width+n.rows.Rows], order)
		}
	})
	return out, err
}

// vote sets out from the products of a row with all training rows.
func (n *neighbours) vote(out, products []float32, order []int32) {
	for i := range products {
		products[i] -= n.half[i]
		order[i] = int32(i)
	}
	nearest(order, products, n.k)
	sum := make([]float64, n.outs+1)
	top := float64(products[order[0]])
	for _, i := range order[:n.k] {
		vote := 1.0
		if n.tau > 0 {
			vote = math.Exp((float64(products[i]) - top) * n.sharpness())
		}
		for k, v := range n.target.Row(int(i)) {
			sum[k] += vote * float64(v)
		}
	}
	for k := range out {
		p := sum[k] / sum[n.outs]
		switch n.task {
		case Classification:
			p = math.Log(p + fewVotes)
		case MultiLabel:
			p = math.Log((p + fewVotes) / (1 - p + fewVotes))
		}
		out[k] = float32(p)
	}
}

// sharpness turns a difference of the scores that rank rows into one of the votes' logarithms: scores are cosines, or
// products less half a squared length, which is minus half the squared distance.
func (n *neighbours) sharpness() float64 {
	if n.rescale.unit {
		return 1 / n.tau
	}
	return 2 / (n.tau * float64(n.cols))
}

// nearest moves the places of the k highest scores to the front of order, highest first, ties by place.
func nearest(order []int32, score []float32, k int) {
	before := func(a, b int32) int { return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(a, b)) }
	best := order[:k]
	slices.SortFunc(best, before)
	for _, i := range order[k:] {
		if before(i, best[k-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, i, before)
		copy(best[at+1:], best[at:k-1])
		best[at] = i
	}
}

// Emit implements [Head]: the training rows as a weight, MatMul, TopK and Gather.
func (h *KNN) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	n := h.fitted
	if n == nil {
		return nil, ErrNotFitted
	}
	b = b.Scope("head")
	m, d := int64(n.rows.Rows), int64(n.cols)
	weight := make([]float32, 0, m*d)
	for i := range n.rows.Rows {
		weight = append(weight, n.rows.Row(i)[:n.cols]...)
	}
	minus := make([]float32, m)
	for i, v := range n.half {
		minus[i] = -v
	}
	z := n.rescale.emit(b, features)
	score := b.Gemm(z, b.Const("rows", onnx.NewTensor("rows", weight, m, d)), b.Const("offset", onnx.NewTensor("offset", minus, m)), true)
	values, indices := b.TopK(score, int64(n.k), 1)
	votes := b.Gather(b.Const("votes", onnx.NewTensor("votes", n.target.Data, m, int64(n.outs+1))), indices, 0) // N×k×(outs+1)
	if n.tau > 0 {
		top := b.ReduceMax(values, true, 1)
		each := b.Exp(b.Mul(b.Sub(values, top), b.Float(float32(n.sharpness()))))
		votes = b.Mul(votes, b.Unsqueeze(each, 2))
	}
	split := b.Split(b.ReduceSum(votes, false, 1), 1, int64(n.outs), 1)
	if b.Err() != nil {
		return nil, b.Err()
	}
	p := b.Div(split[0], split[1])
	switch n.task {
	case Classification:
		p = b.Log(b.Add(p, b.Float(fewVotes)))
	case MultiLabel:
		p = b.Log(b.Div(b.Add(p, b.Float(fewVotes)), b.Sub(b.Float(1+fewVotes), p)))
	}
	return p, b.Err()
}
