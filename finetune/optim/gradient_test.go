package optim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// lookups are the gradients of a table's rows in a few steps: rows by number, some twice, some counted from the end.
func lookups(r *rand.Rand, height, width int) (indices []int64, rows []float32) {
	for range 5 {
		indices = append(indices, int64(r.IntN(2*height)-height))
	}
	indices = append(indices, indices[0])
	rows = make([]float32, len(indices)*width)
	for i := range rows {
		rows[i] = float32(r.NormFloat64())
	}
	return indices, rows
}

// TestRows: rows give the bits that the same gradient with all its zeros gives: norm, sums over batches, weights, and a run
// that goes on from saved moments.
func TestRows(t *testing.T) {
	const height, width = 200, 96 // more than a block
	for _, make2 := range []func() Optimizer{func() Optimizer { return &AdamW{WeightDecay: 0.1} }, func() Optimizer { return &SGD{Momentum: 0.9, WeightDecay: 0.1} }} {
		r := rand.New(rand.NewPCG(1, 3))
		table := make([]float32, height*width)
		for i := range table {
			table[i] = float32(r.NormFloat64())
		}
		a, b := []Param{{Value: slices.Clone(table), Decays: true}}, []Param{{Value: slices.Clone(table), Decays: true}}
		x, y := make2(), make2()
		sparse, sum := []Gradient{{Data: make([]float32, height*width), Width: width}}, []Gradient{{Data: make([]float32, height*width), Width: width}}
		for step := range 8 {
			full := make([]float32, height*width)
			sum[0].Clear()
			for range 2 {
				indices, rows := lookups(r, height, width)
				if err := sparse[0].SetRows(indices, rows); err != nil {
					t.Fatal(err)
				}
				Accumulate(sum, sparse, 0.5)
				for i := range full {
					full[i] += 0.5 * sparse[0].Data[i]
				}
			}
			if !slices.Equal(full, sum[0].Data) {
				t.Fatalf("%T, step %d: the sum over batches differs", x, step)
			}
			if p, q := GlobalNorm(sum), GlobalNorm(dense(full)); p-q > 1e-9 || q-p > 1e-9 {
				t.Errorf("%T, step %d: norm %v, want %v", x, step, p, q)
			}
			if step == 4 {
				next := make2()
				if err := next.SetState(x.State()); err != nil {
					t.Fatal(err)
				}
				x = next
			}
			if err := x.Step(a, sum, 0.01, 0.7); err != nil {
				t.Fatal(err)
			}
			if err := y.Step(b, dense(full), 0.01, 0.7); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a[0].Value, b[0].Value) {
				t.Fatalf("%T, step %d: the weights differ", x, step)
			}
		}
		if slices.Equal(a[0].Value[:width], table[:width]) {
			t.Errorf("%T: nothing moved", x)
		}
	}
}

func TestSetRows(t *testing.T) {
	g := Gradient{Data: make([]float32, 6), Width: 2}
	if err := g.SetRows([]int64{2, -1, 0}, []float32{1, 2, 10, 20, 5, 6}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.Data, []float32{5, 6, 0, 0, 11, 22}) || !slices.Equal(g.Rows, []int{0, 2}) {
		t.Errorf("%+v", g)
	}
	if err := g.SetRows([]int64{1}, []float32{3, 4}); err != nil || !slices.Equal(g.Data, []float32{0, 0, 3, 4, 0, 0}) {
		t.Errorf("%+v, %v: what was there before is left", g, err)
	}
	for _, bad := range []struct {
		indices []int64
		rows    []float32
	}{{[]int64{3}, []float32{1, 1}}, {[]int64{-4}, []float32{1, 1}}, {[]int64{0}, []float32{1}}} {
		if err := g.SetRows(bad.indices, bad.rows); err == nil {
			t.Errorf("rows %v of %v are taken", bad.indices, bad.rows)
		}
	}
}
