package heads

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// A sketch is a preconditioner for many features: it knows the covariance's largest eigenvalues and their vectors, by a
// random projection (Nyström's approximation; Frangella, Tropp & Udell 2023), and takes the others to be alike. For column
// k of W the Hessian then is α_k·U Λ Uᵀ + l2 and a multiple of 1 beyond U's columns; neither making nor using it costs
// more than a few passes.
type sketch struct {
	objective *objective
	rank      int
	basis     []float32 // U: D×rank, orthonormal columns
	values    []float64 // Λ: falling
	alpha     []float64 // by column
	in, out   []float32 // D×width
	part      []float32 // rank×width
}

const (
	sketchRank = 8 * lanes
	sketchRows = 16 * sketchRank // rows the covariance is estimated from, about
)

// newSketch returns nil where there are too few rows, or rounding spoils it.
func newSketch(ctx context.Context, o *objective) (*sketch, error) {
	n, d := o.x.size()
	s := &sketch{objective: o, rank: min(sketchRank, d, n/2&^(lanes-1))}
	if s.rank == 0 {
		return nil, nil
	}
	x := sample(o.x, max(1, n/sketchRows))
	r := rand.New(rand.NewPCG(0x736b65746368, 0))
	omega := make([]float32, d*s.rank)
	for i := 0; i < len(omega); {
		for bits, k := r.Uint64(), 0; k < 64 && i < len(omega); bits, k, i = bits>>1, k+1, i+1 {
			omega[i] = float32(int(bits&1)*2 - 1)
		}
	}
	y, err := covariance(ctx, x, omega, s.rank)
	if err != nil {
		return nil, err
	}
	if s.basis, s.values = nystrom(omega, y, d, s.rank); s.basis == nil {
		return nil, nil
	}
	width := len(o.bias)
	s.in, s.out, s.part = make([]float32, d*width), make([]float32, d*width), make([]float32, s.rank*width)
	return s, nil
}

// covariance returns XᵀX/n·v for v of width columns, a multiple of lanes.
func covariance(ctx context.Context, x Matrix, v []float32, width int) ([]float32, error) {
	d := x.Cols
	xv := make([]float32, x.Rows*width)
	if err := product(ctx, x, v, width, func(lo int, block []float32) { copy(xv[lo*width:], block) }); err != nil {
		return nil, err
	}
	out := make([]float32, d*width)
	const columns = 4 * lanes
	err := eachPart(ctx, (d+columns-1)/columns, func(_, p int) {
		lo := p * columns
		n := min(columns, d-lo)
		to := out[lo*width : (lo+n)*width]
		addBlock(to, width, view{x.Data[lo:], 1, d}, xv, width, n, x.Rows, width)
		for i := range to {
			to[i] /= float32(x.Rows)
		}
	})
	return out, err
}

// nystrom returns eigenvectors, d×r, and eigenvalues of y·(ωᵀy)⁻¹·yᵀ, less those that rounding has made; nil where there
// are none.
func nystrom(omega, y []float32, d, r int) ([]float32, []float64) {
	core := gramOf(omega, y, d, r)
	var trace float64
	for i := range r {
		trace += math.Abs(float64(core[i*r+i]))
	}
	for i := range r {
		core[i*r+i] += float32(1e-6 * trace / float64(r))
	}
	inverse := invertSmall(core, r, r)
	if inverse == nil {
		return nil, nil
	}
	b := times(y, transposed(inverse, r), d, r)
	var e mat.EigenSym
	square := gramOf(b, b, d, r)
	sym := mat.NewSymDense(r, nil)
	for i := range r {
		for j := range i + 1 {
			sym.SetSym(i, j, float64(square[i*r+j]))
		}
	}
	if !e.Factorize(sym, true) {
		return nil, nil
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	rising, values := e.Values(nil), make([]float64, r)
	turn := make([]float32, r*r)
	for k := range r {
		from := r - 1 - k // largest first
		values[k] = max(rising[from], 1e-7*max(rising[r-1], 1e-30))
		for i := range r {
			turn[i*r+k] = float32(vectors.At(i, from) / math.Sqrt(values[k]))
		}
	}
	u := times(b, turn, d, r)
	for range 2 { // rounding has bent the small ones: make them orthonormal again
		inverse := invertSmall(gramOf(u, u, d, r), r, r)
		if inverse == nil {
			return nil, nil
		}
		u = times(u, transposed(inverse, r), d, r)
	}
	return u, values
}

// gramOf returns aᵀb, r×r, for a and b of d×r.
func gramOf(a, b []float32, d, r int) []float32 {
	out := make([]float32, r*r)
	addBlock(out, r, view{a, 1, r}, b, r, r, d, r)
	return out
}

// times returns a·b, d×r, for a of d×r and b of r×r.
func times(a, b []float32, d, r int) []float32 {
	out := make([]float32, d*r)
	addBlock(out, r, view{a, r, 1}, b, r, d, r, r)
	return out
}

func transposed(a []float32, n int) []float32 {
	t := make([]float32, n*n)
	for i := range n {
		for j := range n {
			t[j*n+i] = a[i*n+j]
		}
	}
	return t
}

// due implements [preconditioner].
func (s *sketch) due(iteration int) bool {
	s.objective.curved = refreshes(iteration)
	return s.objective.curved
}

// refresh implements [preconditioner].
func (s *sketch) refresh() {
	s.objective.curved = false
	s.alpha = s.objective.curvature()
	for k := range s.alpha {
		s.alpha[k] = max(s.alpha[k], 1e-9)
	}
}

// apply implements [preconditioner].
func (s *sketch) apply(v []float64) {
	d, m, width := s.objective.dim(), s.objective.loss.columns(), len(s.objective.bias)
	for j := range d {
		for k := range m {
			s.in[j*width+k] = float32(v[j*m+k])
		}
	}
	clear(s.part)
	addBlock(s.part, width, view{s.basis, 1, s.rank}, s.in, width, s.rank, d, width)
	least := s.values[s.rank-1]
	beyond := make([]float64, m) // the Hessian beyond U's columns
	for k, alpha := range s.alpha {
		beyond[k] = alpha*least + s.objective.l2
		for i, value := range s.values {
			s.part[i*width+k] *= float32(beyond[k]/(alpha*value+s.objective.l2) - 1)
		}
	}
	clear(s.out)
	addBlock(s.out, width, view{s.basis, s.rank, 1}, s.part, width, d, s.rank, width)
	for j := range d {
		row, out := v[j*m:(j+1)*m], s.out[j*width:]
		for k, h := range beyond {
			row[k] = (row[k] + float64(out[k])) / h
		}
	}
	for k, alpha := range s.alpha {
		v[d*m+k] /= alpha
	}
}
