package optim

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// dense are gradients without rows.
func dense(lists ...[]float32) (grads []Gradient) {
	for _, list := range lists {
		grads = append(grads, Gradient{Data: list})
	}
	return grads
}

// problem is a parameter longer than a block, and gradients for a few steps.
func problem(n int) ([]Param, [][]Gradient) {
	r := rand.New(rand.NewPCG(1, 2))
	params := []Param{{Name: "w", Value: make([]float32, n), Decays: true}, {Name: "b", Value: make([]float32, 3), Scale: 10}}
	var steps [][]Gradient
	for range 5 {
		grads := dense(make([]float32, n), make([]float32, 3))
		for _, g := range grads {
			for i := range g.Data {
				g.Data[i] = float32(r.NormFloat64())
			}
		}
		steps = append(steps, grads)
	}
	for i := range params[0].Value {
		params[0].Value[i] = float32(r.NormFloat64())
	}
	return params, steps
}

// TestAdamW follows the update rule in float64.
func TestAdamW(t *testing.T) {
	params, steps := problem(block + 7)
	o := &AdamW{WeightDecay: 0.01}
	want, m, v := make([]float64, len(params[0].Value)), make([]float64, len(params[0].Value)), make([]float64, len(params[0].Value))
	for i, x := range params[0].Value {
		want[i] = float64(x)
	}
	for k, grads := range steps {
		if err := o.Step(params, grads, 1e-2, 1); err != nil {
			t.Fatal(err)
		}
		for i, g := range grads[0].Data {
			g := float64(g)
			m[i], v[i] = 0.9*m[i]+0.1*g, 0.999*v[i]+0.001*g*g
			step := float64(k + 1)
			mh, vh := m[i]/(1-math.Pow(0.9, step)), v[i]/(1-math.Pow(0.999, step))
			want[i] = want[i]*(1-1e-2*0.01) - 1e-2*mh/(math.Sqrt(vh)+1e-8)
		}
	}
	for i, x := range params[0].Value {
		if d := math.Abs(float64(x) - want[i]); d > 1e-6 {
			t.Fatalf("number %d is %v, want %v", i, x, want[i])
		}
	}
}

// TestSGD follows Nesterov's momentum in float64.
func TestSGD(t *testing.T) {
	params, steps := problem(11)
	o := &SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 0.1}
	w, v := float64(params[0].Value[3]), 0.0
	bias, bv := 0.0, 0.0
	for _, grads := range steps {
		if err := o.Step(params, grads, 0.1, 1); err != nil {
			t.Fatal(err)
		}
		g := float64(grads[0].Data[3]) + 0.1*w
		v = 0.9*v + g
		w -= 0.1 * (g + 0.9*v)
		g = float64(grads[1].Data[1])
		bv = 0.9*bv + g
		bias -= 1.0 * (g + 0.9*bv) // ten times the rate, no decay
	}
	if d := math.Abs(float64(params[0].Value[3]) - w); d > 1e-5 {
		t.Errorf("weight is %v, want %v", params[0].Value[3], w)
	}
	if d := math.Abs(float64(params[1].Value[1]) - bias); d > 1e-5 {
		t.Errorf("bias is %v, want %v", params[1].Value[1], bias)
	}
}

// TestResume: a run interrupted and restored from its state ends in the same bits, on one core or several.
func TestResume(t *testing.T) {
	for _, make := range []func() Optimizer{func() Optimizer { return &AdamW{WeightDecay: 0.1} }, func() Optimizer { return &SGD{Momentum: 0.9} }} {
		whole, steps := problem(3*block + 1)
		o := make()
		for _, g := range steps {
			if err := o.Step(whole, g, 0.01, 1); err != nil {
				t.Fatal(err)
			}
		}
		before := runtime.GOMAXPROCS(1)
		parts, steps := problem(3*block + 1)
		o = make()
		for i, g := range steps {
			if i == 2 {
				next := make()
				if err := next.SetState(o.State()); err != nil {
					t.Fatal(err)
				}
				o = next
			}
			if err := o.Step(parts, g, 0.01, 1); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GOMAXPROCS(before)
		if !slices.Equal(whole[0].Value, parts[0].Value) {
			t.Errorf("%T: the resumed run differs", o)
		}
	}
}

func TestMismatch(t *testing.T) {
	for _, o := range []Optimizer{&AdamW{}, &SGD{}} {
		if err := o.Step([]Param{{Name: "w", Value: make([]float32, 2)}}, dense([]float32{1}), 1, 1); err == nil {
			t.Errorf("%T takes a gradient of another length", o)
		}
	}
	if err := new(AdamW).SetState(map[string][]float32{"mean/0": {1}}); err == nil {
		t.Error("AdamW takes half a state")
	}
}

// TestClip: gradients that count by times what Clip returns make the step that gradients of that norm make.
func TestClip(t *testing.T) {
	grads := dense([]float32{3}, []float32{0, 4})
	norm := GlobalNorm(grads)
	if norm != 5 || Clip(norm, 0) != 1 || Clip(norm, 6) != 1 || math.Abs(Clip(norm, 1)-0.2) > 1e-6 {
		t.Errorf("norm %v, factors %v, %v and %v", norm, Clip(norm, 0), Clip(norm, 6), Clip(norm, 1))
	}
	for _, make := range []func() Optimizer{func() Optimizer { return &AdamW{WeightDecay: 0.1} }, func() Optimizer { return &SGD{Momentum: 0.9} }} {
		a, steps := problem(block + 5)
		b, _ := problem(block + 5)
		x, y := make(), make()
		for _, g := range steps {
			if err := x.Step(a, g, 0.01, 0.25); err != nil {
				t.Fatal(err)
			}
			Scale(g, 0.25)
			if err := y.Step(b, g, 0.01, 1); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(a[0].Value, b[0].Value) {
			t.Errorf("%T: a clipped step differs from one with smaller gradients", x)
		}
	}
}

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		s            Schedule
		step, warmup int
		want         float64
	}{
		{Linear, 0, 10, 0}, {Linear, 5, 10, 0.5}, {Linear, 10, 10, 1}, {Linear, 55, 10, 0.5}, {Linear, 100, 10, 0},
		{Cosine, 55, 10, 0.5}, {Cosine, 10, 10, 1}, {Constant, 90, 10, 1}, {Constant, 0, 0, 1},
	} {
		if got := c.s.At(c.step, c.warmup, 100); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s at step %d is %v, want %v", c.s, c.step, got, c.want)
		}
	}
	if _, err := ParseSchedule("steep"); err == nil {
		t.Error("an unknown schedule is taken")
	}
}
