package heads

import (
	"context"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// A LeftOut says how well one α predicts rows by fits on the others: the mean over rows and targets of the squared error,
// weighted, and its standard error.
type LeftOut struct{ Alpha, Mean, SE float64 }

// meanError returns the mean and its standard error.
func meanError(v []float64) (mean, se float64) {
	n := float64(len(v))
	mean = floats.Sum(v) / n
	for _, e := range v {
		se += (e - mean) * (e - mean)
	}
	return mean, math.Sqrt(se) / n
}

// leaveOneOut returns, for every row, the mean over targets of w_i times the squared error of row i predicted by a fit on
// the others. It follows from the fit on all: error / (1 − h), with h the row's weight in its own prediction.
func (s *solved) leaveOneOut(ctx context.Context) ([]float64, error) {
	if s.dual {
		return s.leaveOneOutDual()
	}
	n, t := s.y.Dims()
	_, d := s.x.size()
	var lower mat.TriDense
	s.factor.LTo(&lower)
	if err := exact(lower.InverseTri(&lower)); err != nil {
		return nil, err
	}
	half, w, width := make([]float32, d*d), make([]float32, d*roundUp(t)), roundUp(t)
	for i := range d {
		for j := range i + 1 {
			half[j*d+i] = float32(lower.At(i, j)) // L⁻ᵀ: h_i is |x_i L⁻ᵀ|²
		}
		for k := range t {
			w[i*width+k] = float32(s.solution.At(i, k))
		}
	}
	h := make([]float64, n)
	err := product(ctx, s.x, half, d, func(lo int, block []float32) {
		for i := 0; i*d < len(block); i++ {
			for _, v := range block[i*d : (i+1)*d] {
				h[lo+i] += float64(v) * float64(v)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	predicted := make([]float32, n*width)
	if err := product(ctx, s.x, w, width, func(lo int, block []float32) { copy(predicted[lo*width:], block) }); err != nil {
		return nil, err
	}
	errors := make([]float64, n)
	for i, wi := range s.weights {
		left := max(1-wi*(1/s.total+h[i]), 1e-9)
		for k := range t {
			e := (s.y.At(i, k) - float64(predicted[i*width+k])) / left
			errors[i] += wi * e * e / float64(t)
		}
	}
	return errors, nil
}

// leaveOneOutDual reads errors and 1 − h off the inverse of the dual's matrix.
func (s *solved) leaveOneOutDual() ([]float64, error) {
	var inverse mat.SymDense
	if err := exact(s.factor.InverseTo(&inverse)); err != nil {
		return nil, err
	}
	n, t := s.y.Dims()
	errors := make([]float64, n)
	for i, w := range s.weights {
		left := max(s.alpha*inverse.At(i, i)-w/s.total, 1e-12)
		for k := range t {
			e := s.alpha * s.solution.At(i, k) / left
			errors[i] += e * e / float64(t)
		}
	}
	return errors, nil
}
