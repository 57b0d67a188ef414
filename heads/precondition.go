package heads

import (
	"context"
	"math"
	"slices"
)

// A preconditioner is an approximation of a function's inverse Hessian that minimize goes by.
type preconditioner interface {
	// due tells whether the step to come should end in a refresh.
	due(iteration int) bool
	// refresh adapts it to the point evaluated last.
	refresh()
	// apply replaces a gradient by the inverse Hessian times it.
	apply(v []float64)
}

// A whitening approximates the Hessian of a linear head by α_k·XᵀX/n + l2 for column k of W, with α_k the mean
// curvature of the loss in that column. On features that are correlated it saves most of L-BFGS's steps, the more the
// less curvature varies between rows.
type whitening struct {
	objective *objective
	gram      []float32 // D×D: XᵀX over rows
	groups    []group
	in, out   []float32
}

// A group of columns shares one α.
type group struct {
	columns []int
	alpha   float64
	lower   []float32 // D×D, the factor's memory
	factor  *cholesky // of α·gram + l2; nil where even a large penalty does not make it one
}

const (
	gramRows  = 16 // rows by which a column of the Gram matrix is estimated, at least
	maxGroups = 3
	// mayBeSaved is how many passes the preconditioner is trusted to save.
	mayBeSaved = 40
	// apart is the ratio of curvatures from which columns are in different groups.
	apart = 4
)

// newPreconditioner returns the one that saves most for an objective; nil where none pays.
func newPreconditioner(ctx context.Context, o *objective) (preconditioner, error) {
	n, d := o.x.size()
	if d >= sketchFrom {
		if s, err := newSketch(ctx, o); s != nil || err != nil {
			return s, err
		}
	} else if worthWhitening(n, d, len(o.bias)) {
		return newWhitening(ctx, o)
	}
	return nil, nil
}

// sketchFrom is the number of features from which a sketch of their covariance does better than all of it.
const sketchFrom = 768

func newWhitening(ctx context.Context, o *objective) (*whitening, error) {
	n, d := o.x.size()
	x := sample(o.x, max(1, n/(gramRows*d)))
	g, err := gram(ctx, x, nil)
	if err != nil {
		return nil, err
	}
	w := &whitening{objective: o, gram: make([]float32, len(g))}
	for i, v := range g {
		w.gram[i] = float32(v / float64(x.Rows))
	}
	width := len(o.bias)
	w.in, w.out = make([]float32, d*width), make([]float32, d*width)
	return w, nil
}

// sample returns every stride-th row of x.
func sample(x source, stride int) Matrix {
	n, d := x.size()
	if m, ok := x.(Matrix); ok && stride == 1 {
		return m
	}
	m := NewMatrix((n+stride-1)/stride, d)
	for i := range m.Rows {
		copy(m.Row(i), x.block(i*stride, i*stride+1, m.Row(i)))
	}
	return m
}

// worthWhitening compares, in multiplications, the Gram matrix and a few factorisations with the passes they may save.
// A pass over few columns is bound by memory: it takes as long as one over six.
func worthWhitening(n, d, width int) bool {
	pass := 2 * float64(n) * float64(d) * float64(max(width, 6))
	rows := math.Min(float64(n), float64(gramRows*d))
	cost := rows*float64(d)*float64(d)/2 + 2*float64(d)*float64(d)*float64(d)
	return cost < mayBeSaved*pass
}

// due implements [preconditioner]: curvature changes fast at first.
func (w *whitening) due(iteration int) bool {
	w.objective.curved = refreshes(iteration)
	return w.objective.curved
}

func refreshes(iteration int) bool {
	switch iteration {
	case 0, 3, 8, 15, 24, 36, 52, 80, 120, 180, 270, 400:
		return true
	}
	return false
}

// refresh implements [preconditioner].
func (w *whitening) refresh() {
	w.objective.curved = false
	alpha := w.objective.curvature()
	groups := grouped(alpha)
	for i := range groups {
		var a []float32
		if i < len(w.groups) {
			a = w.groups[i].lower
		} else {
			a = make([]float32, len(w.gram))
		}
		w.factorise(&groups[i], a)
	}
	w.groups = groups
}

// grouped puts columns of similar α together, in at most maxGroups.
func grouped(alpha []float64) []group {
	order := make([]int, len(alpha))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case alpha[a] > alpha[b]:
			return -1
		case alpha[a] < alpha[b]:
			return 1
		}
		return 0
	})
	var groups []group
	for _, k := range order {
		n := len(groups)
		if n == 0 || n < maxGroups && alpha[k]*apart < alpha[groups[n-1].columns[0]] {
			groups = append(groups, group{})
			n++
		}
		groups[n-1].columns = append(groups[n-1].columns, k)
	}
	for i := range groups {
		g := &groups[i]
		for _, k := range g.columns {
			g.alpha += alpha[k] / float64(len(g.columns))
		}
	}
	return groups
}

// factorise sets g's factor. What float32 cannot bear is made up for by a larger penalty, which only costs steps.
func (w *whitening) factorise(g *group, a []float32) {
	d := w.objective.dim()
	g.alpha, g.lower = max(g.alpha, 1e-9), a
	for shift := max(w.objective.l2, 1e-7*g.alpha*float64(d)); shift < math.MaxFloat32; shift *= 10 {
		for i, v := range w.gram {
			a[i] = float32(g.alpha) * v
		}
		for i := range d {
			a[i*d+i] += float32(shift)
		}
		if g.factor = factorise(a, d); g.factor != nil {
			return
		}
	}
}

// apply implements [preconditioner].
func (w *whitening) apply(v []float64) {
	d, m, width := w.objective.dim(), w.objective.loss.columns(), len(w.objective.bias)
	for _, g := range w.groups {
		n := len(g.columns)
		if width > 1 {
			n = roundUp(n)
		}
		in, out := w.in[:d*n], w.out[:d*n]
		clear(in)
		for j := range d {
			for i, k := range g.columns {
				in[j*n+i] = float32(v[j*m+k])
			}
		}
		if g.factor != nil {
			g.factor.solve(in, out, n)
		}
		for j := range d {
			for i, k := range g.columns {
				v[j*m+k] = float64(in[j*n+i])
			}
		}
		for _, k := range g.columns {
			v[d*m+k] /= g.alpha
		}
	}
}
