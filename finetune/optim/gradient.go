package optim

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// A Gradient is that of one parameter, with a number for each of the parameter's.
//
// Where Width is above 0 the numbers are rows of that width, of which all but Rows are zero: a table of embeddings has a
// gradient for the few rows a batch looked up. Norms and AdamW then pass over the others; the results are the same bits.
type Gradient struct {
	Data  []float32
	Width int
	Rows  []int // ascending, each once
}

// SetRows makes g the sum of rows, which are those of the numbers in indices; a number may come several times, and one below 0
// counts from the end. g must have a Width.
func (g *Gradient) SetRows(indices []int64, rows []float32) error {
	if g.Width <= 0 || len(rows) != len(indices)*g.Width {
		return fmt.Errorf("optim: %d numbers for %d rows of %d", len(rows), len(indices), g.Width)
	}
	g.Clear()
	height := len(g.Data) / g.Width
	at := make([]int, len(indices))
	for i, row := range indices {
		if row < 0 {
			row += int64(height)
		}
		if row < 0 || row >= int64(height) {
			return fmt.Errorf("optim: row %d of a gradient of %d rows", indices[i], height)
		}
		at[i] = int(row)
	}
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for k := range workers { // by columns: no two add to the same number, and each in the same order
		from, to := k*g.Width/workers, (k+1)*g.Width/workers
		wg.Go(func() {
			for i, row := range at {
				sum, v := g.Data[row*g.Width:][from:to], rows[i*g.Width:][from:to]
				for j := range sum {
					sum[j] += v[j]
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(at)
	g.Rows = slices.Compact(at)
	return nil
}

// Clear makes g zero.
func (g *Gradient) Clear() {
	for _, s := range spans([]Gradient{*g}) {
		clear(g.Data[s.from:s.to])
	}
	g.Rows = nil
}

// Accumulate adds weight·grads to sums.
func Accumulate(sums, grads []Gradient, weight float32) {
	parallel(spans(grads), func(_ int, s span) {
		to, g := sums[s.list].Data[s.from:s.to], grads[s.list].Data[s.from:s.to]
		for i := range to {
			to[i] += weight * g[i]
		}
	})
	for i := range sums {
		if rows := grads[i].Rows; len(rows) > 0 {
			all := slices.Concat(sums[i].Rows, rows)
			slices.Sort(all)
			sums[i].Rows = slices.Compact(all)
		}
	}
}

// Scale multiplies gradients by a factor.
func Scale(grads []Gradient, factor float32) {
	parallel(spans(grads), func(_ int, s span) {
		scale(grads[s.list].Data[s.from:s.to], factor)
	})
}
