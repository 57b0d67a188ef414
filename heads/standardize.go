package heads

import (
	"context"
	"math"
)

// A scaling turns features to mean 0 and variance 1: (x − mean) · inv.
type scaling struct {
	mean []float64 // D
	inv  []float64 // D: 1/σ, 0 for a column that is constant, whose weight is then 0
}

// constantBelow is the ratio of σ to the largest |x| of a column under which its variation is taken for rounding of
// float32 numbers: the column then is constant.
const constantBelow = 4.0 / (1 << 24)

// newScaling measures the columns of x, in float64 and in two passes (mean, then squares about it).
func newScaling(ctx context.Context, x Matrix) (*scaling, error) {
	s := &scaling{mean: make([]float64, x.Cols), inv: make([]float64, x.Cols)}
	largest := make([]float64, x.Cols)
	cut := newPartition(x.Rows, 64)
	sums := make([][]float64, cut.parts)
	peaks := make([][]float64, cut.parts)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		sum, peak := make([]float64, x.Cols), make([]float64, x.Cols)
		for i, hi := cut.bounds(p); i < hi; i++ {
			for j, v := range x.Row(i) {
				f := float64(v)
				sum[j] += f
				peak[j] = max(peak[j], math.Abs(f))
			}
		}
		sums[p], peaks[p] = sum, peak
	})
	if err != nil {
		return nil, err
	}
	for p := range sums {
		for j, v := range sums[p] {
			s.mean[j] += v / float64(x.Rows)
			largest[j] = max(largest[j], peaks[p][j])
		}
	}
	err = eachPart(ctx, cut.parts, func(_, p int) {
		sum := make([]float64, x.Cols)
		for i, hi := cut.bounds(p); i < hi; i++ {
			for j, v := range x.Row(i) {
				d := float64(v) - s.mean[j]
				sum[j] += d * d
			}
		}
		sums[p] = sum
	})
	if err != nil {
		return nil, err
	}
	for j := range s.inv {
		var square float64
		for p := range sums {
			square += sums[p][j]
		}
		if sd := math.Sqrt(square / float64(x.Rows)); sd > constantBelow*largest[j] {
			s.inv[j] = 1 / sd
		}
	}
	return s, nil
}

// apply returns x standardised, rounded to float32.
func (s *scaling) apply(ctx context.Context, x Matrix) (Matrix, error) {
	z := NewMatrix(x.Rows, x.Cols)
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
func standardize(ctx context.Context, x Matrix) (Matrix, *scaling, error) {
	if err := x.checkFinite("feature"); err != nil {
		return Matrix{}, nil, err
	}
	s, err := newScaling(ctx, x)
	if err != nil {
		return Matrix{}, nil, err
	}
	z, err := s.apply(ctx, x)
	return z, s, err
}
