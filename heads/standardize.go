package heads

import (
	"context"
	"math"
	"slices"
)

// A scaling turns features to mean 0 and variance 1: (x − mean) · inv.
type scaling struct {
	mean []float64 // D
	inv  []float64 // D: 1/σ, 0 for a column that is constant, whose weight is then 0
}

// constantBelow is the ratio of σ to the largest |x| of a column under which its variation is taken for rounding of
// float32 numbers: the column then is constant.
const constantBelow = 4.0 / (1 << 24)

// deadBelow is the ratio of σ to the largest σ of all columns under which a column is dead: some backbones have channels of
// 1e-31, which weights of 1e+31 would bring back, and any other runtime's rounding with them. It counts as constant.
const deadBelow = 1e-10

// newScaling measures the columns of x, whose rows count weights (nil: 1) each, in float64 and in two passes.
func newScaling(ctx context.Context, x Matrix, weights []float32) (*scaling, error) {
	d := x.Cols
	s := &scaling{mean: make([]float64, d), inv: make([]float64, d)}
	cut := newPartition(x.Rows, 64)
	total := 0.0
	for i := range x.Rows {
		total += weightAt(weights, i)
	}
	// both adds up f(row's weight, feature) over the rows by column, and takes the largest of |feature|
	pass := func(f func(w, v float64, j int) float64) (sum, peak []float64, err error) {
		parts := make([][]float64, cut.parts)
		err = eachPart(ctx, cut.parts, func(_, p int) {
			both := make([]float64, 2*d)
			sum, peak := both[:d], both[d:]
			for i, hi := cut.bounds(p); i < hi; i++ {
				w := weightAt(weights, i)
				if w == 0 {
					continue
				}
				for j, v := range x.Row(i) {
					sum[j] += f(w, float64(v), j)
					peak[j] = max(peak[j], math.Abs(float64(v)))
				}
			}
			parts[p] = both
		})
		if err != nil {
			return nil, nil, err
		}
		all := make([]float64, 2*d)
		for _, both := range parts {
			for j := range d {
				all[j] += both[j]
				all[d+j] = max(all[d+j], both[d+j])
			}
		}
		return all[:d], all[d:], nil
	}
	sum, peak, err := pass(func(w, v float64, _ int) float64 { return w * v })
	if err != nil {
		return nil, err
	}
	for j, v := range sum {
		s.mean[j] = v / total
	}
	squares, _, err := pass(func(w, v float64, j int) float64 { return w * (v - s.mean[j]) * (v - s.mean[j]) })
	if err != nil {
		return nil, err
	}
	widest := math.Sqrt(slices.Max(squares) / total)
	for j, v := range squares {
		if sd := math.Sqrt(v / total); sd > constantBelow*peak[j] && sd > deadBelow*widest {
			s.inv[j] = 1 / sd
		}
	}
	return s, nil
}

func weightAt(weights []float32, i int) float64 {
	if weights == nil {
		return 1
	}
	return float64(weights[i])
}

// apply returns x standardised and rounded to float32, with columns of 0 up to a multiple of lanes.
func (s *scaling) apply(ctx context.Context, x Matrix) (Matrix, error) {
	z := NewMatrix(x.Rows, roundUp(x.Cols))
	cut := newPartition(x.Rows, 64)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		for i, hi := cut.bounds(p); i < hi; i++ {
			to := z.Row(i)
			for j, v := range x.Row(i) {
				to[j] = float32((float64(v) - s.mean[j]) * s.inv[j])
			}
		}
	})
	return z, err
}

// standardize checks that x is finite and returns it standardised, with how that was done.
func standardize(ctx context.Context, x Matrix, weights []float32) (Matrix, *scaling, error) {
	if err := x.checkFinite("feature"); err != nil {
		return Matrix{}, nil, err
	}
	s, err := newScaling(ctx, x, weights)
	if err != nil {
		return Matrix{}, nil, err
	}
	z, err := s.apply(ctx, x)
	return z, s, err
}
