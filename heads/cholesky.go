package heads

import (
	"context"
	"math"
)

// cholBlock is the size of the blocks in which a matrix is factorised.
const cholBlock = 4 * lanes

// A cholesky is the factor L of a symmetric positive definite matrix L·Lᵀ, in float32 and by blocks: where only the
// direction of a solution matters, that is enough.
type cholesky struct {
	d        int         // a multiple of lanes
	lower    []float32   // d×d: L below its diagonal blocks
	diagonal [][]float32 // inverses of the diagonal blocks of L
	turned   [][]float32 // and their transposes
}

// factorise overwrites a, whose lower triangle is read, and returns its factor; nil where a is not positive definite to
// float32's precision.
func factorise(a []float32, d int) *cholesky {
	c := &cholesky{d: d, lower: a}
	for k := 0; k < d; k += cholBlock {
		n := min(cholBlock, d-k)
		t := invertSmall(a[k*d+k:], d, n)
		if t == nil {
			return nil
		}
		turned := make([]float32, n*n)
		for i := range n {
			for j := range n {
				turned[j*n+i] = t[i*n+j]
			}
		}
		c.diagonal, c.turned = append(c.diagonal, t), append(c.turned, turned)
		c.reduce(k, n, turned)
	}
	return c
}

// invertSmall returns the inverse of the Cholesky factor of the n×n block at a, whose rows are d apart; nil where it has
// none.
func invertSmall(a []float32, d, n int) []float32 {
	l := make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			s := float64(a[i*d+j])
			for k := range j {
				s -= l[i*n+k] * l[j*n+k]
			}
			if i > j {
				l[i*n+j] = s / l[j*n+j]
				continue
			}
			if !(s > 0) {
				return nil
			}
			l[i*n+i] = math.Sqrt(s)
		}
	}
	inverse := make([]float64, n*n)
	for j := range n {
		for i := j; i < n; i++ {
			s := 0.0
			if i == j {
				s = 1
			}
			for k := j; k < i; k++ {
				s -= l[i*n+k] * inverse[k*n+j]
			}
			inverse[i*n+j] = s / l[i*n+i]
		}
	}
	return narrow(inverse)
}

// reduce turns the n columns at k, below their diagonal block, into those of L, and takes their outer product off the
// lower triangle to their right. turned is the transposed inverse of the diagonal block.
func (c *cholesky) reduce(k, n int, turned []float32) {
	a, d, below := c.lower, c.d, k+n
	rows := d - below
	if rows == 0 {
		return
	}
	l := make([]float32, rows*n)
	addBlock(l, n, view{a[below*d+k:], d, 1}, turned, n, rows, n, n)
	for i := range rows {
		copy(a[(below+i)*d+k:(below+i)*d+k+n], l[i*n:(i+1)*n])
	}
	_ = eachPart(context.Background(), (rows+cholBlock-1)/cholBlock, func(_, p int) {
		j := p * cholBlock
		width := min(cholBlock, rows-j)
		minus := make([]float32, n*width)
		for i := range width {
			for p := range n {
				minus[p*width+i] = -l[(j+i)*n+p]
			}
		}
		to := below + j
		addBlock(a[to*d+to:], d, view{l[j*n:], n, 1}, minus, width, rows-j, n, width)
	})
}

// solve replaces b, d×width, by (L·Lᵀ)⁻¹·b. tmp has room for as much. width is 1 or a multiple of lanes.
func (c *cholesky) solve(b, tmp []float32, width int) {
	d := c.d
	// L·u = b, from the top: u_i = T_i·(b_i − Σ L_ij u_j). What is kept is −u.
	for i, t := range c.diagonal {
		lo := i * cholBlock
		n := min(cholBlock, d-lo)
		part := b[lo*width : (lo+n)*width]
		addBlock(part, width, view{c.lower[lo*d:], d, 1}, tmp, width, n, lo, width)
		u := tmp[lo*width : (lo+n)*width]
		clear(u)
		addBlock(u, width, view{t, n, 1}, part, width, n, n, width)
		for j := range u {
			u[j] = -u[j]
		}
	}
	// Lᵀ·v = u, from the bottom: v_i = T_iᵀ·(u_i − Σ L_jiᵀ v_j)
	for i := len(c.turned) - 1; i >= 0; i-- {
		lo := i * cholBlock
		n := min(cholBlock, d-lo)
		hi := lo + n
		part := tmp[lo*width : hi*width]
		if hi < d {
			addBlock(part, width, view{c.lower[hi*d+lo:], 1, d}, b[hi*width:], width, n, d-hi, width)
		}
		v := b[lo*width : hi*width]
		clear(v)
		addBlock(v, width, view{c.turned[i], n, 1}, part, width, n, n, width)
		for j := range v {
			v[j] = -v[j]
		}
	}
}
