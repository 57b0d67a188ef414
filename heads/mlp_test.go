package heads

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func normals(r *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// The gradient of a net against differences of its loss. Where the slopes on the two sides of a weight differ, a ReLU
// switches in between and differences say nothing; that may be so for a few weights only.
func TestNetGradients(t *testing.T) {
	const rows = 10
	for _, activation := range []Activation{GELU, ReLU} {
		for _, task := range []string{"classes", "values"} {
			t.Run(string(activation)+"/"+task, func(t *testing.T) {
				r := rand.New(rand.NewPCG(4, 4))
				y := Targets{Class: []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0}, Classes: 3}
				if task == "values" {
					y = Targets{Values: Matrix{Rows: rows, Cols: 2, Data: normals(r, 2*rows)}}
				}
				n := newNet([]int{5, 7, 6, y.Outputs()}, activation, r)
				for i := range n.params {
					n.params[i] *= 1.5
				}
				n.turn()
				weights := make([]float64, rows)
				for i := range weights {
					weights[i] = 1 + float64(i%2)
				}
				f := &trainer{z: Matrix{Rows: rows, Cols: 16, Data: normals(r, 16*rows)}, task: newTask(y, weights, 0.1), net: n}
				for i := range f.z.Data {
					if i%16 >= 5 {
						f.z.Data[i] = 0
					}
				}
				all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
				p := newPass(n, rows)
				loss := func() float64 { return f.block(p, all, nil) }
				here := f.block(p, all, r) // the pass back too; nothing is dropped
				grad := slices.Clone(p.grad)
				kinks, seen := 0, 0
				for i := range n.params {
					if grad[i] == 0 {
						continue // padding
					}
					seen++
					const h = 2e-3
					old := n.params[i]
					n.params[i] = old + h
					n.turn()
					up := loss()
					n.params[i] = old - h
					n.turn()
					down := loss()
					n.params[i] = old
					right, left := (up-here)/h, (here-down)/h
					want := (right + left) / 2
					if activation == ReLU && math.Abs(right-left) > 0.05*math.Abs(want)+0.05 {
						kinks++
						continue
					}
					if math.Abs(float64(grad[i])-want) > 0.02*math.Abs(want)+0.02 {
						t.Errorf("gradient of parameter %d is %v, differences say %v", i, grad[i], want)
					}
				}
				if kinks > seen/10 || seen < 50 {
					t.Errorf("%d weights have a gradient, %d of them lie at a kink", seen, kinks)
				}
			})
		}
	}
}

// rings are two classes that no line divides.
func rings(n int) (Matrix, Targets) {
	r := rand.New(rand.NewPCG(6, 6))
	x, y := NewMatrix(n, 2), Targets{Class: make([]int, n), Classes: 2}
	for i := range n {
		y.Class[i] = i % 2
		angle, radius := 2*math.Pi*r.Float64(), 1+1.5*float64(i%2)+0.2*r.NormFloat64()
		x.Row(i)[0], x.Row(i)[1] = float32(radius*math.Cos(angle)), float32(radius*math.Sin(angle))
	}
	return x, y
}

func accuracy(t *testing.T, h Head, x Matrix, y Targets) float64 {
	t.Helper()
	z, err := h.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	right := 0.0
	for i, k := range y.Class {
		if row := z.Row(i); slices.Index(row, slices.Max(row)) == k {
			right++
		}
	}
	return right / float64(z.Rows)
}

func TestMLPLearnsWhatNoLineDivides(t *testing.T) {
	x, y := rings(600)
	held, truth := rings(900)
	for _, h := range []*MLP{{Rate: 1e-2, Hidden: []int{32}}, {Rate: 1e-2, Hidden: []int{16, 16}, Activation: ReLU, Dropout: 0.05}} {
		if err := h.Fit(t.Context(), x, y); err != nil {
			t.Fatal(err)
		}
		if a := accuracy(t, h, held, truth); a < 0.95 {
			t.Errorf("hidden %v: accuracy %.3f after %d epochs, want 0.95", h.Hidden, a, h.Ran())
		}
	}
	var line Logistic
	if err := line.Fit(t.Context(), x, y); err != nil {
		t.Fatal(err)
	}
	if a := accuracy(t, &line, held, truth); a > 0.7 {
		t.Errorf("a line gets %.3f: the rings are too easy to test anything", a)
	}
}

// On labels that are noise, held-out loss only rises: training must stop early and go back to where it was lowest.
func TestMLPStopsBeforeItLearnsNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	const n = 300
	x, y := Matrix{Rows: n, Cols: 20, Data: normals(r, 20*n)}, Targets{Class: make([]int, n), Classes: 2}
	for i := range y.Class {
		y.Class[i] = r.IntN(2)
	}
	h := MLP{Rate: 3e-3, Patience: 5}
	if err := h.Fit(t.Context(), x, y); err != nil {
		t.Fatal(err)
	}
	if h.Ran() > 40 {
		t.Errorf("%d epochs, want few", h.Ran())
	}
	if a := accuracy(t, &h, x, y); a > 0.85 {
		t.Errorf("noise is learned to an accuracy of %.3f", a)
	}
}

func TestMLPSeed(t *testing.T) {
	x, y := rings(100)
	fit := func(seed uint64) []float32 {
		h := MLP{Hidden: []int{8}, Epochs: 5, Seed: seed, Dropout: 0.2}
		if err := h.Fit(t.Context(), x, y); err != nil {
			t.Fatal(err)
		}
		z, err := h.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		return z.Data
	}
	if !slices.Equal(fit(1), fit(1)) {
		t.Error("the same seed gives different heads")
	}
	if slices.Equal(fit(1), fit(2)) {
		t.Error("different seeds give the same head")
	}
}
