package optim

import (
	"errors"
	"math"
	"slices"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101), in the order of operations
// PyTorch's torch.optim.AdamW has them.
type AdamW struct {
	Beta1, Beta2 float64 // decay of the running mean and mean square; 0 is 0.9 and 0.999
	Epsilon      float64 // 0 is 1e-8
	WeightDecay  float64 // times the learning rate is taken off decaying parameters each step

	steps int
	mean  [][]float32
	power [][]float32
	awake [][]bool // of each parameter whose gradient has rows: which of them ever had one; mean and power of the others are zero
}

// Step implements [Optimizer].
func (a *AdamW) Step(params []Param, grads []Gradient, lr, by float64) error {
	if err := check(params, grads); err != nil {
		return err
	}
	if a.mean == nil {
		a.mean, a.power = moments(params), moments(params)
	}
	if len(a.mean) != len(params) {
		return errors.New("optim: AdamW: the parameters are not those of the steps before")
	}
	a.wake(grads)
	a.steps++
	beta1, beta2 := or(a.Beta1, 0.9), or(a.Beta2, 0.999)
	correct1 := 1 - math.Pow(beta1, float64(a.steps))
	correct2 := math.Sqrt(1 - math.Pow(beta2, float64(a.steps)))
	u := adamUpdate{b1: float32(1 - beta1), b2: float32(beta2), c2: float32(1 - beta2),
		root: float32(1 / correct2), epsilon: float32(or(a.Epsilon, 1e-8)), by: float32(by)}
	parallel(a.spans(grads), func(_ int, s span) {
		p, v := params[s.list], u
		rate := lr * p.scale()
		v.rate, v.shrink = float32(rate/correct1), 1
		if p.Decays {
			v.shrink = float32(1 - rate*a.WeightDecay)
		}
		switch awake := a.awake[s.list]; {
		case awake == nil || awake[s.from/grads[s.list].Width]:
			v.apply(p.Value[s.from:s.to], grads[s.list].Data[s.from:s.to], a.mean[s.list][s.from:s.to], a.power[s.list][s.from:s.to])
		case v.shrink != 1:
			scale(p.Value[s.from:s.to], v.shrink)
		}
	})
	return nil
}

// spans cuts all numbers into blocks; where the gradient has rows, of whole rows that are all awake or all not.
func (a *AdamW) spans(grads []Gradient) []span {
	var all []span
	for i, g := range grads {
		awake := a.awake[i]
		if awake == nil {
			all = append(all, blocks(i, len(g.Data), block)...)
			continue
		}
		most := max(block/g.Width, 1)
		for row := 0; row < len(awake); {
			end := row + 1
			for end < len(awake) && end-row < most && awake[end] == awake[row] {
				end++
			}
			all = append(all, span{i, row * g.Width, end * g.Width})
			row = end
		}
	}
	return all
}

// wake notes the rows that have a gradient now. What was restored is awake where a moment is not zero.
func (a *AdamW) wake(grads []Gradient) {
	if a.awake == nil {
		a.awake = make([][]bool, len(grads))
	}
	for i, g := range grads {
		if g.Width == 0 {
			a.awake[i] = nil
			continue
		}
		if a.awake[i] == nil {
			a.awake[i] = make([]bool, len(g.Data)/g.Width)
			for row := range a.awake[i] {
				from, to := row*g.Width, (row+1)*g.Width
				a.awake[i][row] = !zero(a.mean[i][from:to]) || !zero(a.power[i][from:to])
			}
		}
		for _, row := range g.Rows {
			a.awake[i][row] = true
		}
	}
}

func zero(x []float32) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return v != 0 })
}

// plainScale multiplies any number of numbers; scale does it with what the processor has.
func plainScale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}

// An adamUpdate holds one step's constants. The assembly reads them in this order.
type adamUpdate struct{ b1, b2, c2, root, epsilon, rate, shrink, by float32 }

// plain updates weights and moments of any number; apply does it with what the processor has.
func (u *adamUpdate) plain(w, g, m, v []float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		x := float32(g[i] * u.by)
		m[i] += (x - m[i]) * u.b1
		v[i] = v[i]*u.b2 + x*x*u.c2
		w[i] = w[i]*u.shrink - u.rate*m[i]/(float32(math.Sqrt(float64(v[i])))*u.root+u.epsilon)
	}
}

// State implements [Optimizer].
func (a *AdamW) State() map[string][]float32 {
	state := map[string][]float32{"steps": {float32(a.steps)}}
	keep(state, "mean", a.mean)
	keep(state, "power", a.power)
	return state
}

// SetState implements [Optimizer].
func (a *AdamW) SetState(state map[string][]float32) error {
	mean, power := restore(state, "mean"), restore(state, "power")
	if len(state["steps"]) != 1 || len(mean) != len(power) {
		return errors.New("optim: AdamW: the saved state is incomplete")
	}
	a.steps, a.mean, a.power, a.awake = int(state["steps"][0]), mean, power, nil
	return nil
}

// or returns v, or def where v is 0.
func or(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}
