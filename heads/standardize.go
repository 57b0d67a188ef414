package heads

import (
	"context"
	"math"

	"gonum.org/v1/gonum/floats"
)

// A scaling turns features to mean 0 and variance 1: (x − mean) · inv.
type scaling struct {
	mean []float64 // D
	inv  []float64 // D: 1/σ, 0 for a column that is constant, whose weight is then 0
}

// constantBelow is the ratio of σ to the mean of a column under which its variation is taken for rounding of float32
// numbers: the column then is constant.
const constantBelow = 4.0 / (1 << 24)

// newScaling measures the columns of x, whose rows count weights (nil: 1) each, in float64. It returns a [RowError] for
// the first row with a feature that is not finite.
func newScaling(ctx context.Context, x Matrix, weights []float32) (*scaling, error) {
	d := x.Cols
	shift := make([]float64, d) // some row: sums of squares about it do not cancel as those about 0 may
	widenGo(shift, x.Row(0))
	cut := newPartition(x.Rows, 64)
	sums, squares, totals := make([][]float64, cut.parts), make([][]float64, cut.parts), make([]float64, cut.parts)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		sum, square := make([]float64, d), make([]float64, d)
		for i, hi := cut.bounds(p); i < hi; i++ {
			w := weightAt(weights, i)
			totals[p] += w
			addMoments(sum, square, shift, x.Row(i), w)
		}
		sums[p], squares[p] = sum, square
	})
	if err != nil {
		return nil, err
	}
	sum, square, total := sums[0], squares[0], totals[0]
	for p := 1; p < cut.parts; p++ {
		floats.Add(sum, sums[p])
		floats.Add(square, squares[p])
		total += totals[p]
	}
	if s := floats.Sum(square); s-s != 0 { // what is not finite stays so in sums, even times 0
		if err := x.checkFinite("feature"); err != nil {
			return nil, err
		}
	}
	s := &scaling{mean: sum, inv: square}
	for j := range d {
		off := sum[j] / total
		s.mean[j] = shift[j] + off
		s.inv[j] = math.Sqrt(max(0, square[j]/total-off*off))
	}
	for j, sd := range s.inv {
		if s.inv[j] = 0; sd > constantBelow*math.Abs(s.mean[j]) {
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
			scaleTo(z.Row(i), x.Row(i), s.mean, s.inv)
		}
	})
	return z, err
}

// copyBytes is the size up to which standardised features are kept; larger ones are made again at each pass.
const copyBytes = 256 << 20

// standardize returns x standardised, with columns of 0 up to a multiple of lanes, and how that was done. Where it would
// take more than limit bytes it keeps no copy, and x must stay as it is while the source is in use.
func standardize(ctx context.Context, x Matrix, weights []float32, limit int) (source, *scaling, error) {
	s, err := newScaling(ctx, x, weights)
	if err != nil {
		return nil, nil, err
	}
	if 4*x.Rows*roundUp(x.Cols) > limit {
		return &scaledRows{x: x, scaling: s}, s, nil
	}
	z, err := s.apply(ctx, x)
	return z, s, err
}

// scaledRows is a source that standardises rows when they are asked for.
type scaledRows struct {
	x       Matrix
	scaling *scaling
}

func (s *scaledRows) size() (rows, cols int) { return s.x.Rows, roundUp(s.x.Cols) }

func (s *scaledRows) block(lo, hi int, buf []float32) []float32 {
	d := roundUp(s.x.Cols)
	if cap(buf) < (hi-lo)*d {
		buf = make([]float32, (hi-lo)*d)
	}
	buf = buf[:(hi-lo)*d]
	for i := lo; i < hi; i++ {
		row := buf[(i-lo)*d : (i-lo+1)*d]
		scaleTo(row, s.x.Row(i), s.scaling.mean, s.scaling.inv)
		clear(row[s.x.Cols:])
	}
	return buf
}
