package heads

import "gonum.org/v1/gonum/floats"

// A memory is what L-BFGS keeps of its last steps: an approximation of the inverse Hessian. Steps and what they did to the
// gradient are kept in float32: they only choose a direction.
type memory struct {
	precondition preconditioner // may be nil
	dim          int            // padded to a multiple of lanes
	steps        []float32      // history×dim, pair i in slot place[i]
	changes      []float32      // history×dim
	place        []int          // slots of the pairs, oldest first
	product      [][]float64    // by slots a, b: step a · change b, where a is not newer than b
	in, out      []float32      // dim
	dots         []float32      // by slot
	scratch      []float64
}

func newMemory(dim int, precondition preconditioner) *memory {
	m := &memory{precondition: precondition, dim: roundUp(dim), scratch: make([]float64, dim)}
	m.steps, m.changes = make([]float32, history*m.dim), make([]float32, history*m.dim)
	m.in, m.out = make([]float32, m.dim), make([]float32, m.dim)
	m.dots = make([]float32, history)
	m.product = make([][]float64, history)
	for i := range m.product {
		m.product[i] = make([]float64, history)
	}
	return m
}

func (m *memory) empty() bool { return len(m.place) == 0 }

func (m *memory) forget() { m.place = m.place[:0] }

// remember adds the step from x to next, with their gradients, where the function curves up along it.
func (m *memory) remember(next, x, gradNext, grad []float64) {
	var along, square float64
	for i := range x {
		s, y := next[i]-x[i], gradNext[i]-grad[i]
		along += s * y
		square += y * y
	}
	if along <= 1e-12*square {
		return
	}
	slot := len(m.place)
	if slot == history {
		slot = m.place[0]
		copy(m.place, m.place[1:])
		m.place = m.place[:history-1]
	}
	m.place = append(m.place, slot)
	step, change := m.steps[slot*m.dim:], m.changes[slot*m.dim:]
	for i := range x {
		step[i], change[i] = float32(next[i]-x[i]), float32(gradNext[i]-grad[i])
	}
	for a, v := range m.against(m.steps, change[:m.dim]) {
		m.product[a][slot] = float64(v)
	}
	m.product[slot][slot] = along
}

// against returns the products of every slot's vector with v, valid until the next call.
func (m *memory) against(slots, v []float32) []float32 {
	clear(m.dots)
	addProduct(m.dots, view{slots, m.dim, 1}, v, history, m.dim, 1)
	return m.dots
}

// direction sets dir to minus the inverse Hessian times grad (Nocedal & Wright 2006, algorithm 7.4, with the products
// between remembered vectors looked up).
func (m *memory) direction(dir, grad []float64) {
	copy(dir, grad)
	n := len(m.place)
	alpha := make([]float64, history)
	if n > 0 {
		for i, v := range grad {
			m.in[i] = float32(v)
		}
		along := m.against(m.steps, m.in)
		for i := n - 1; i >= 0; i-- {
			a := m.place[i]
			left := float64(along[a])
			for _, b := range m.place[i+1:] {
				left -= alpha[b] * m.product[a][b]
			}
			alpha[a] = left / m.product[a][a]
		}
		m.add(dir, m.changes, alpha, -1)
	}
	if m.precondition != nil {
		m.precondition.apply(dir)
	}
	if n > 0 {
		m.scale(dir)
		for i, v := range dir {
			m.in[i] = float32(v)
		}
		along := m.against(m.changes, m.in)
		for i, b := range m.place {
			left := float64(along[b])
			for _, a := range m.place[:i] {
				left += alpha[a] * m.product[a][b]
			}
			alpha[b] -= left / m.product[b][b]
		}
		m.add(dir, m.steps, alpha, 1)
	}
	floats.Scale(-1, dir)
}

// scale multiplies dir by what the preconditioner, or 1, is off along the last step.
func (m *memory) scale(dir []float64) {
	slot := m.place[len(m.place)-1]
	change := m.changes[slot*m.dim:]
	for i := range m.scratch {
		m.scratch[i] = float64(change[i])
	}
	if m.precondition != nil {
		m.precondition.apply(m.scratch)
	}
	var square float64
	for i, v := range m.scratch {
		square += v * float64(change[i])
	}
	floats.Scale(m.product[slot][slot]/square, dir)
}

// add adds sign·Σ alpha·vector over the pairs' slots to dir.
func (m *memory) add(dir []float64, slots []float32, alpha []float64, sign float64) {
	weights := make([]float32, history)
	for _, slot := range m.place {
		weights[slot] = float32(sign * alpha[slot])
	}
	clear(m.out)
	addProduct(m.out, view{slots, 1, m.dim}, weights, m.dim, history, 1)
	for i := range dir {
		dir[i] += float64(m.out[i])
	}
}
