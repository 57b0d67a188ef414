package heads

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// leastSquares is a penalised least-squares problem on standardised features, of the rows whose weight is above 0. With
// fewer rows than columns it is solved in the dual. Large features are standardised as they are read.
type leastSquares struct {
	x       source     // n×D, padded, of weighted mean 0
	cols    int        // D without padding
	weights []float64  // n
	total   float64    // Σ weights
	y       *mat.Dense // n×t, less the mean
	mean    []float64  // t: weighted mean of the targets
	scaling *scaling
	dual    bool
	gram    *mat.SymDense // Xᵀ diag(w) X, or √w X Xᵀ √w in the dual
	right   *mat.Dense    // Xᵀ diag(w) y, or √w y in the dual
	// write turns W, t×D, and the intercept into a head's; nil: they are the head's.
	write func(w, b []float64) ([]float64, []float64)
}

// newLeastSquares prepares the regression of y on x. Features are scaled to variance 1 by rowWeights, and centred as y
// is by weights, which the fit uses.
func newLeastSquares(ctx context.Context, x, y Matrix, rowWeights []float32, weights []float64, limit int) (*leastSquares, error) {
	s, err := newScaling(ctx, x, rowWeights)
	if err != nil {
		return nil, err
	}
	centred, err := newScaling(ctx, x, narrow(weights))
	if err != nil {
		return nil, err
	}
	s.mean = centred.mean
	r := &leastSquares{cols: x.Cols, scaling: s, mean: make([]float64, y.Cols)}
	stream := x.Rows >= x.Cols && 4*x.Rows*roundUp(x.Cols) > limit
	var kept []int
	for i, w := range weights {
		if w > 0 || stream {
			kept = append(kept, i)
			r.weights = append(r.weights, w)
			r.total += w
		}
	}
	if stream {
		r.x = &scaledRows{x: x, scaling: s}
	} else {
		z, err := s.apply(ctx, x)
		if err != nil {
			return nil, err
		}
		if r.x = z; len(kept) < x.Rows {
			r.x = z.Subset(kept)
		}
	}
	r.centre(y, kept)
	r.dual = len(kept) < x.Cols
	return r, r.normal(ctx)
}

// centre sets y and its mean from the rows kept.
func (r *leastSquares) centre(y Matrix, kept []int) {
	for n, i := range kept {
		for k, v := range y.Row(i) {
			r.mean[k] += r.weights[n] / r.total * float64(v)
		}
	}
	r.y = mat.NewDense(len(kept), y.Cols, nil)
	for n, i := range kept {
		for k, v := range y.Row(i) {
			r.y.Set(n, k, float64(v)-r.mean[k])
		}
	}
}

// normal sets both sides of the normal equations.
func (r *leastSquares) normal(ctx context.Context) error {
	n, t := r.y.Dims()
	if r.dual {
		k, err := outer(ctx, sample(r.x, 1), r.weights)
		if err != nil {
			return err
		}
		r.gram = mat.NewSymDense(n, k)
		r.right = r.rooted(r.y)
		return nil
	}
	g, err := gram(ctx, r.x, r.weights)
	if err != nil {
		return err
	}
	_, d := r.x.size()
	r.gram = mat.NewSymDense(d, g)
	weighted := mat.NewDense(n, t, nil)
	weighted.Apply(func(i, _ int, v float64) float64 { return v * r.weights[i] }, r.y)
	r.right, err = r.spread(ctx, weighted)
	return err
}

// spread returns Xᵀ·v, D×t, added up over a partition of the rows that depends on the sizes alone.
func (r *leastSquares) spread(ctx context.Context, v *mat.Dense) (*mat.Dense, error) {
	_, t := v.Dims()
	n, d := r.x.size()
	cut := newPartition(n, max(1, min(16, gradBytes/(8*d*t))))
	sums := make([][]float64, cut.parts)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		sums[p] = make([]float64, d*t)
		lo, hi := cut.bounds(p)
		eachRow(r.x, lo, hi, func(i int, x []float32) {
			row := v.RawRowView(i)
			for j, f := range x {
				to := sums[p][j*t : (j+1)*t]
				for k, w := range row {
					to[k] += float64(f) * w
				}
			}
		})
	})
	if err != nil {
		return nil, err
	}
	for _, s := range sums[1:] {
		floats.Add(sums[0], s)
	}
	return mat.NewDense(d, t, sums[0]), nil
}

// predicted returns X·w, n×t.
func (r *leastSquares) predicted(ctx context.Context, w *mat.Dense) (*mat.Dense, error) {
	_, t := w.Dims()
	n, _ := r.x.size()
	out := mat.NewDense(n, t, nil)
	cut := newPartition(n, 64)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		lo, hi := cut.bounds(p)
		eachRow(r.x, lo, hi, func(i int, x []float32) {
			to := out.RawRowView(i)
			for j, f := range x {
				for k, v := range w.RawRowView(j) {
					to[k] += float64(f) * v
				}
			}
		})
	})
	return out, err
}

// fit solves for alpha, or where that is 0 for the best of alphas, which it returns too, with how all did.
func (r *leastSquares) fit(ctx context.Context, head string, alpha float64, alphas []float64, scale float64) (fitted *affine, chosen float64, curve []LeftOut, err error) {
	if alpha != 0 {
		alphas = []float64{alpha}
	} else if len(alphas) == 0 {
		alphas = defaultAlphas
	}
	var best *solved
	lowest := math.Inf(1)
	for _, a := range alphas {
		if !(a > 0) || math.IsInf(a, 0) {
			return nil, 0, nil, &SettingError{Field: head + ".Alpha", Value: a, Want: "a number above 0"}
		}
		s, err := r.solve(a)
		if err != nil {
			return nil, 0, nil, err
		}
		if len(alphas) == 1 {
			best = s
			break
		}
		errors, err := s.leaveOneOut(ctx)
		if err != nil {
			return nil, 0, nil, err
		}
		score := LeftOut{Alpha: a}
		score.Mean, score.SE = meanError(errors)
		curve = append(curve, score)
		if score.Mean < lowest || best == nil {
			lowest, best = score.Mean, s
		}
	}
	fitted, err = best.affine(ctx, refinements, scale)
	return fitted, best.alpha, curve, err
}

// A solved problem is the normal equations with one α.
type solved struct {
	*leastSquares
	alpha    float64
	factor   mat.Cholesky
	solution *mat.Dense
}

// roughly is solve in float32, enough digits to compare αs by; nil where float32 does not bear this α.
func (r *leastSquares) roughly(alpha float64) *solved {
	d, t := r.right.Dims()
	if d%lanes != 0 {
		return nil
	}
	a, width := make([]float32, d*d), roundUp(t)
	for i := range d {
		for j := range i + 1 {
			a[i*d+j] = float32(r.gram.At(i, j))
		}
		a[i*d+i] += float32(alpha)
	}
	factor := factorise(a, d)
	if factor == nil {
		return nil
	}
	b := make([]float32, d*width)
	for i := range d {
		for k, v := range r.right.RawRowView(i) {
			b[i*width+k] = float32(v)
		}
	}
	factor.solve(b, make([]float32, d*width), width)
	s := &solved{leastSquares: r, alpha: alpha, solution: mat.NewDense(d, t, nil)}
	for i := range d {
		for k := range t {
			s.solution.Set(i, k, float64(b[i*width+k]))
		}
	}
	return s
}

func (r *leastSquares) solve(alpha float64) (*solved, error) {
	s := &solved{leastSquares: r, alpha: alpha}
	a := mat.NewSymDense(r.gram.SymmetricDim(), nil)
	a.CopySym(r.gram)
	for i := range a.SymmetricDim() {
		a.SetSym(i, i, a.At(i, i)+alpha)
	}
	if !s.factor.Factorize(a) {
		return nil, fmt.Errorf("heads: α = %g is too small for these features: %w", alpha, ErrSingular)
	}
	_, t := r.right.Dims()
	s.solution = mat.NewDense(a.SymmetricDim(), t, nil)
	if err := exact(s.factor.SolveTo(s.solution, r.right)); err != nil {
		return nil, fmt.Errorf("heads: α = %g: %w", alpha, err)
	}
	return s, nil
}

// affine returns the solution as a map of features, with its outputs times scale, after so many steps of refinement.
func (s *solved) affine(ctx context.Context, refinements int, scale float64) (*affine, error) {
	solution, err := s.primal(ctx, refinements)
	if err != nil {
		return nil, err
	}
	w, b := make([]float64, len(s.mean)*s.cols), s.mean
	for k := range s.mean {
		for j := range s.cols {
			w[k*s.cols+j] = solution.At(j, k)
		}
	}
	if s.write != nil {
		w, b = s.write(w, b)
	}
	return newAffine(s.scaling, w, b).times(scale), nil
}

// refinements is how many steps of iterative refinement in float64 make up for normal equations that were added up from
// float32 products.
const refinements = 2

// primal returns W, D×t, after so many steps of refinement.
func (s *solved) primal(ctx context.Context, refinements int) (*mat.Dense, error) {
	for range refinements {
		left, err := s.residual(ctx)
		if err != nil {
			return nil, err
		}
		var step mat.Dense
		if err := exact(s.factor.SolveTo(&step, left)); err != nil {
			return nil, err
		}
		s.solution.Add(s.solution, &step)
	}
	if s.dual {
		return s.spread(ctx, s.rooted(s.solution))
	}
	return s.solution, nil
}

// residual is what the solution leaves of the right-hand side.
func (s *solved) residual(ctx context.Context) (*mat.Dense, error) {
	var left mat.Dense
	if s.dual {
		w, err := s.spread(ctx, s.rooted(s.solution))
		if err != nil {
			return nil, err
		}
		z, err := s.predicted(ctx, w)
		if err != nil {
			return nil, err
		}
		left.Sub(s.right, s.rooted(z))
	} else {
		z, err := s.predicted(ctx, s.solution)
		if err != nil {
			return nil, err
		}
		z.Apply(func(i, k int, v float64) float64 { return s.weights[i] * (s.y.At(i, k) - v) }, z)
		right, err := s.spread(ctx, z)
		if err != nil {
			return nil, err
		}
		left.CloneFrom(right)
	}
	left.Apply(func(i, k int, v float64) float64 { return v - s.alpha*s.solution.At(i, k) }, &left)
	return &left, nil
}

// rooted returns √w·v.
func (r *leastSquares) rooted(v *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Apply(func(i, _ int, f float64) float64 { return f * math.Sqrt(r.weights[i]) }, v)
	return &out
}

// exact drops gonum's warning that a matrix is badly conditioned: refinement mends what that does.
func exact(err error) error {
	if _, warned := err.(mat.Condition); warned {
		return nil
	}
	return err
}
