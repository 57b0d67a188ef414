package heads

import (
	"context"
	"math"
)

const (
	panelColumns = 6 * lanes // columns of a Gram matrix that are added up together
	panelRows    = 256       // rows of features at a time
)

// gram returns Σ w_i x_i x_iᵀ, d×d for the d = x.Cols columns of x, both triangles. w nil counts each row once.
// Each panel of columns is added up by one goroutine, in the rows' order.
func gram(ctx context.Context, x Matrix, w []float64) ([]float64, error) {
	d := x.Cols
	g := make([]float64, d*d)
	err := eachPart(ctx, (d+panelColumns-1)/panelColumns, func(_, p int) {
		from := p * panelColumns
		width := min(panelColumns, d-from)
		high := from + width // the rest is the other triangle
		var weighted []float32
		if w != nil {
			weighted = make([]float32, panelRows*width)
		}
		c := make([]float32, high*width)
		flush := func() {
			for i := range high {
				for j, v := range c[i*width : (i+1)*width] {
					g[i*d+from+j] += float64(v)
				}
			}
			clear(c)
		}
		for lo := 0; lo < x.Rows && ctx.Err() == nil; lo += panelRows {
			hi := min(lo+panelRows, x.Rows)
			b, ldb := x.Data[lo*d+from:], d
			if w != nil {
				b, ldb = weighted, width
				for i := lo; i < hi; i++ {
					for j, v := range x.Row(i)[from:high] {
						b[(i-lo)*width+j] = float32(w[i]) * v
					}
				}
			}
			addBlock(c, width, view{x.Data[lo*d:], 1, d}, b, ldb, high, hi-lo, width)
			if hi%flushRows == 0 {
				flush()
			}
		}
		flush()
	})
	for i := range d {
		for j := range i {
			g[i*d+j] = g[j*d+i]
		}
	}
	return g, err
}

// outer returns x_i·x_j √(w_i w_j), n×n for the n rows of x.
func outer(ctx context.Context, x Matrix, w []float64) ([]float64, error) {
	turned := NewMatrix(x.Cols, roundUp(x.Rows))
	for i := range x.Rows {
		scale := float32(math.Sqrt(w[i]))
		for j, v := range x.Row(i) {
			turned.Data[j*turned.Cols+i] = scale * v
		}
	}
	g, err := gram(ctx, turned, nil)
	if err != nil {
		return nil, err
	}
	out := make([]float64, x.Rows*x.Rows)
	for i := range x.Rows {
		copy(out[i*x.Rows:(i+1)*x.Rows], g[i*turned.Cols:])
	}
	return out, nil
}

// product returns x·b, for b of x.Cols rows and width columns, a multiple of lanes, by blocks: do is called with the
// first row of each block and the block's product, by several goroutines at once.
func product(ctx context.Context, x Matrix, b []float32, width int, do func(lo int, block []float32)) error {
	cut := newPartition(x.Rows, 64)
	return eachPart(ctx, cut.parts, func(_, p int) {
		out := make([]float32, panelRows*width)
		for lo, end := cut.bounds(p); lo < end; lo += panelRows {
			n := min(panelRows, end-lo)
			block := out[:n*width]
			clear(block)
			addProduct(block, view{x.Data[lo*x.Cols:], x.Cols, 1}, b, n, x.Cols, width)
			do(lo, block)
		}
	})
}
