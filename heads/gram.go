package heads

import (
	"context"
	"math"

	"gonum.org/v1/gonum/floats"
)

const (
	panelColumns = 6 * lanes // columns of a Gram matrix that are added up together
	panelRows    = 256       // rows of features at a time
)

// gram returns Σ w_i x_i x_iᵀ, d×d for the d columns of x, both triangles. w nil counts each row once. What is added up
// together, panels of columns over parts of the rows, depends on the sizes alone.
func gram(ctx context.Context, x source, w []float64) ([]float64, error) {
	n, d := x.size()
	panels := (d + panelColumns - 1) / panelColumns
	cut := newCoarse(n, max(1, 16/panels), 16*panelRows)
	sums := make([][]float64, panels*cut.parts)
	err := eachPart(ctx, len(sums), func(_, p int) {
		from := p / cut.parts * panelColumns
		lo, hi := cut.bounds(p % cut.parts)
		sums[p] = gramPanel(ctx, x, w, from, min(panelColumns, d-from), lo, hi)
	})
	if err != nil {
		return nil, err
	}
	g := make([]float64, d*d)
	for p, sum := range sums {
		from := p / cut.parts * panelColumns
		width := min(panelColumns, d-from)
		for i := range from + width {
			floats.Add(g[i*d+from:i*d+from+width], sum[i*width:(i+1)*width])
		}
	}
	for i := range d {
		for j := range i {
			g[i*d+j] = g[j*d+i]
		}
	}
	return g, nil
}

// gramPanel returns width columns of the Gram matrix of rows lo to end, from the column named on and as far down as the
// diagonal.
func gramPanel(ctx context.Context, x source, w []float64, from, width, lo, end int) []float64 {
	_, d := x.size()
	high := from + width // the rest is the other triangle
	sum := make([]float64, high*width)
	var buf, weighted []float32
	if _, kept := x.(Matrix); !kept {
		buf = make([]float32, panelRows*d)
	}
	if w != nil {
		weighted = make([]float32, panelRows*width)
	}
	c := make([]float32, high*width)
	flush := func() {
		widenGo(sum, c)
		clear(c)
	}
	since := 0
	for ; lo < end && ctx.Err() == nil; lo += panelRows {
		hi := min(lo+panelRows, end)
		block := x.block(lo, hi, buf)
		b, ldb := block[from:], d
		if w != nil {
			b, ldb = weighted, width
			for i := lo; i < hi; i++ {
				for j, v := range block[(i-lo)*d+from : (i-lo)*d+high] {
					b[(i-lo)*width+j] = float32(w[i]) * v
				}
			}
		}
		addBlock(c, width, view{block, 1, d}, b, ldb, high, hi-lo, width)
		if since += hi - lo; since >= flushRows {
			flush()
			since = 0
		}
	}
	flush()
	return sum
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

// product returns x·b, for b of D rows and width columns, a multiple of lanes, by blocks: do is called with the
// first row of each block and the block's product, by several goroutines at once.
func product(ctx context.Context, x source, b []float32, width int, do func(lo int, block []float32)) error {
	n, d := x.size()
	cut := newPartition(n, 64)
	return eachPart(ctx, cut.parts, func(_, p int) {
		out := make([]float32, panelRows*width)
		var buf []float32
		if _, kept := x.(Matrix); !kept {
			buf = make([]float32, panelRows*d)
		}
		for lo, end := cut.bounds(p); lo < end; lo += panelRows {
			n := min(panelRows, end-lo)
			block := out[:n*width]
			clear(block)
			addProduct(block, view{x.block(lo, lo+n, buf), d, 1}, b, n, d, width)
			do(lo, block)
		}
	})
}
