package optim

import "errors"

// SGD is stochastic gradient descent with momentum, plain or Nesterov's (Sutskever et al., ICML 2013), in the order of
// operations PyTorch's torch.optim.SGD has them. Weight decay is added to the gradient.
type SGD struct {
	Momentum    float64 // 0 is none
	Nesterov    bool
	WeightDecay float64

	velocity [][]float32
}

// Step implements [Optimizer].
func (o *SGD) Step(params []Param, grads []Gradient, lr, by float64) error {
	if err := check(params, grads); err != nil {
		return err
	}
	if o.velocity == nil {
		o.velocity = moments(params)
	}
	if len(o.velocity) != len(params) {
		return errors.New("optim: SGD: the parameters are not those of the steps before")
	}
	momentum, times := float32(o.Momentum), float32(by)
	// Rows without gradient move too: they have velocity and decay.
	parallel(allSpans(params), func(_ int, s span) {
		p := params[s.list]
		w, g, v := p.Value[s.from:s.to], grads[s.list].Data[s.from:s.to], o.velocity[s.list][s.from:s.to]
		rate, decay := float32(lr*p.scale()), float32(0)
		if p.Decays {
			decay = float32(o.WeightDecay)
		}
		for i := range w {
			d := float32(g[i]*times) + decay*w[i]
			v[i] = momentum*v[i] + d
			if o.Nesterov {
				w[i] -= rate * (d + momentum*v[i])
			} else {
				w[i] -= rate * v[i]
			}
		}
	})
	return nil
}

// State implements [Optimizer].
func (o *SGD) State() map[string][]float32 {
	state := map[string][]float32{}
	keep(state, "velocity", o.velocity)
	return state
}

// SetState implements [Optimizer].
func (o *SGD) SetState(state map[string][]float32) error {
	o.velocity = restore(state, "velocity")
	return nil
}
