package heads

import "math"

// cholBlock is the size of the blocks in which a matrix is factorised.
const cholBlock = 4 * lanes

// invertFactor overwrites the lower triangle of the symmetric d×d matrix a with the inverse of its Cholesky factor,
// A = L⁻¹ with AᵀA = a⁻¹, and the rest with 0. d is a multiple of lanes. It returns false where a is not positive
// definite to float32's precision; a is then of no use.
func invertFactor(a []float32, d int) bool {
	diagonal := make([][]float32, 0, (d+cholBlock-1)/cholBlock) // inverses of the diagonal blocks of L
	for k := 0; k < d; k += cholBlock {
		n := min(cholBlock, d-k)
		t := invertSmall(a[k*d+k:], d, n)
		if t == nil {
			return false
		}
		diagonal = append(diagonal, t)
		reduceBelow(a, d, k, n, t)
	}
	invertBlocks(a, d, diagonal)
	return true
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

// reduceBelow turns the n columns at k, below their diagonal block, into those of L, and takes their outer product off
// the lower triangle to their right.
func reduceBelow(a []float32, d, k, n int, inverse []float32) {
	below := k + n
	if below == d {
		return
	}
	turned := make([]float32, n*n) // inverseᵀ
	for i := range n {
		for j := range n {
			turned[j*n+i] = inverse[i*n+j]
		}
	}
	rows := d - below
	l := make([]float32, rows*n)
	addBlock(l, n, view{a[below*d+k:], d, 1}, turned, n, rows, n, n)
	for i := range rows {
		copy(a[(below+i)*d+k:(below+i)*d+k+n], l[i*n:(i+1)*n])
	}
	minus := make([]float32, n*cholBlock)
	for j := 0; j < rows; j += cholBlock {
		width := min(cholBlock, rows-j)
		for i := range width {
			for p := range n {
				minus[p*width+i] = -l[(j+i)*n+p]
			}
		}
		to := below + j
		addBlock(a[to*d+to:], d, view{l[j*n:], n, 1}, minus, width, rows-j, n, width)
	}
}

// invertBlocks turns L, whose diagonal blocks' inverses are given, into its inverse: row block i of it is
// −T_i·(L_i,<i · A_<i), and T_i on the diagonal.
func invertBlocks(a []float32, d int, diagonal [][]float32) {
	for b, t := range diagonal {
		i := b * cholBlock
		n := min(cholBlock, d-i)
		if i > 0 {
			l := make([]float32, n*i)
			for r := range n {
				copy(l[r*i:(r+1)*i], a[(i+r)*d:])
			}
			sum := make([]float32, n*i)
			addBlock(sum, i, view{l, i, 1}, a, d, n, i, i)
			for r := range n {
				clear(a[(i+r)*d : (i+r)*d+i])
			}
			minus := make([]float32, n*n)
			for j, v := range t {
				minus[j] = -v
			}
			addBlock(a[i*d:], d, view{minus, n, 1}, sum, i, n, n, i)
		}
		for r := range n {
			copy(a[(i+r)*d+i:], t[r*n:(r+1)*n])
			clear(a[(i+r)*d+i+n : (i+r+1)*d])
		}
	}
}
