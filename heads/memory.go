package heads

import "gonum.org/v1/gonum/floats"

// A memory is what L-BFGS keeps of its last steps: an approximation of the inverse Hessian.
type memory struct {
	pairs        []pair // oldest first
	precondition func([]float64)
	alpha        []float64
	scratch      []float64
}

// A pair is a step and what it did to the gradient.
type pair struct {
	step, change []float64
	curvature    float64 // step · change
}

func newMemory(dim int, precondition func([]float64)) *memory {
	return &memory{precondition: precondition, alpha: make([]float64, history), scratch: make([]float64, dim)}
}

func (m *memory) empty() bool { return len(m.pairs) == 0 }

func (m *memory) forget() { m.pairs = m.pairs[:0] }

// remember adds the step from x to next, with their gradients, where the function curves up along it.
func (m *memory) remember(next, x, gradNext, grad []float64) {
	var p pair
	if len(m.pairs) == history {
		p = m.pairs[0]
		copy(m.pairs, m.pairs[1:])
		m.pairs = m.pairs[:history-1]
	} else {
		p = pair{step: make([]float64, len(x)), change: make([]float64, len(x))}
	}
	floats.SubTo(p.step, next, x)
	floats.SubTo(p.change, gradNext, grad)
	p.curvature = floats.Dot(p.step, p.change)
	if p.curvature > 1e-12*floats.Dot(p.change, p.change) {
		m.pairs = append(m.pairs, p)
	}
}

// direction sets dir to minus the inverse Hessian times grad (Nocedal & Wright 2006, algorithm 7.4).
func (m *memory) direction(dir, grad []float64) {
	copy(dir, grad)
	for i := len(m.pairs) - 1; i >= 0; i-- {
		p := m.pairs[i]
		m.alpha[i] = floats.Dot(p.step, dir) / p.curvature
		floats.AddScaled(dir, -m.alpha[i], p.change)
	}
	if m.precondition != nil {
		m.precondition(dir)
	}
	if n := len(m.pairs); n > 0 {
		last := m.pairs[n-1]
		copy(m.scratch, last.change)
		if m.precondition != nil {
			m.precondition(m.scratch)
		}
		floats.Scale(last.curvature/floats.Dot(last.change, m.scratch), dir)
	}
	for i, p := range m.pairs {
		floats.AddScaled(dir, m.alpha[i]-floats.Dot(p.change, dir)/p.curvature, p.step)
	}
	floats.Scale(-1, dir)
}
