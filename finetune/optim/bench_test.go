package optim

import "testing"

// BenchmarkStep is one step of MiniLM's 22.6 million weights: the norm, and the update with its clipping.
func BenchmarkStep(b *testing.B) {
	const n = 22_600_000
	params := []Param{{Value: make([]float32, n), Decays: true}}
	grads := [][]float32{make([]float32, n)}
	for i := range grads[0] {
		grads[0][i] = float32(i%7) * 1e-3
	}
	o := &AdamW{WeightDecay: 0.01}
	if err := o.Step(params, grads, 1e-4, 1); err != nil {
		b.Fatal(err)
	}
	b.Run("norm", func(b *testing.B) {
		for b.Loop() {
			GlobalNorm(grads)
		}
	})
	b.Run("adamw", func(b *testing.B) {
		for b.Loop() {
			if err := o.Step(params, grads, 1e-4, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
