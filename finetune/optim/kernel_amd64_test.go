package optim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestKernels: with and without vector instructions the bits are the same, at any length.
func TestKernels(t *testing.T) {
	if !hasAVX2 {
		t.Skip("this processor has no AVX2")
	}
	r := rand.New(rand.NewPCG(4, 4))
	draw := func(n int, square bool) []float32 {
		list := make([]float32, n)
		for i := range list {
			list[i] = float32(r.NormFloat64())
			if square {
				list[i] *= list[i] * 1e-3
			}
		}
		return list
	}
	u := &adamUpdate{b1: 0.1, b2: 0.999, c2: 0.001, root: 1.3, epsilon: 1e-8, rate: 1e-3, shrink: 0.9999, by: 0.7}
	for n := range 70 {
		w, g, m, v := draw(n, false), draw(n, false), draw(n, false), draw(n, true)
		w2, m2, v2 := slices.Clone(w), slices.Clone(m), slices.Clone(v)
		u.apply(w, g, m, v)
		u.plain(w2, g, m2, v2)
		if !slices.Equal(w, w2) || !slices.Equal(m, m2) || !slices.Equal(v, v2) {
			t.Fatalf("AdamW of %d numbers differs", n)
		}
		scale(w, 0.9)
		plainScale(w2, 0.9)
		if !slices.Equal(w, w2) {
			t.Fatalf("scaling %d numbers differs", n)
		}
		var a, b [16]float64
		addSquares(&a, g)
		plainSquares(&b, g)
		if a != b {
			t.Fatalf("squares of %d numbers differ", n)
		}
	}
}
