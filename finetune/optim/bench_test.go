package optim

import "testing"

// BenchmarkStep is one step of MiniLM's 22.6 million weights, the norm and the update with its clipping: with all gradients
// at hand, and with those of 400 of the 30,522 embeddings.
func BenchmarkStep(b *testing.B) {
	const tokens, width, others = 30522, 384, 10_845_698
	params := []Param{{Value: make([]float32, tokens*width), Decays: true}, {Value: make([]float32, others), Decays: true}}
	all := dense(make([]float32, tokens*width), make([]float32, others))
	for _, g := range all {
		for i := range g.Data {
			g.Data[i] = float32(i%7) * 1e-3
		}
	}
	rows := []Gradient{{Data: make([]float32, tokens*width), Width: width}, all[1]}
	for i := range 400 {
		rows[0].Rows = append(rows[0].Rows, 50*i)
	}
	for _, c := range []struct {
		name  string
		grads []Gradient
	}{{"dense", all}, {"rows", rows}} {
		o := &AdamW{WeightDecay: 0.01}
		b.Run("norm/"+c.name, func(b *testing.B) {
			for b.Loop() {
				GlobalNorm(c.grads)
			}
		})
		if err := o.Step(params, c.grads, 1e-4, 1); err != nil { // memory is there after the first
			b.Fatal(err)
		}
		b.Run("adamw/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if err := o.Step(params, c.grads, 1e-4, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
