package heads

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"
)

// Fitted tells how an iterative fit went.
type Fitted struct {
	Iterations  int
	Evaluations int     // passes over the rows
	Objective   float64 // the head's objective where it stopped, as its documentation states it
	Gradient    float64 // largest element of the gradient there, in the units of the head's Tol
	Converged   bool    // false where MaxIter came first
}

// errNotFinite is what comes of weights beyond float32's range.
var errNotFinite = errors.New("heads: the objective is no finite number; row weights or C are too large")

// A function can be minimised. eval computes value and gradient at params; the gradient is valid until the next call.
type function interface {
	eval(params []float64) (value float64, grad []float64, err error)
}

const (
	history = 20 // pairs L-BFGS remembers
	// armijo and wolfe are the constants of the line search: of the decrease that the slope promises, how much must come,
	// and of the slope, how much may be left.
	armijo, wolfe = 1e-4, 0.9
	// noise is what rounding of float32 products may do to a value, relative to it: a line search must not take it for a
	// rise.
	noise = 1e-7
	// trials is how many points a line search looks at.
	trials = 25
)

// minimize moves x to a minimum of f by L-BFGS (Nocedal 1980). It stops where no element of the gradient is above tol and
// half the product of gradient and step, which estimates how far above the minimum the value is, is at most 10·tol of it;
// where ten steps lower neither the value nor the gradient by more than rounding does; or after maxIter steps.
//
// p may be nil.
func minimize(f function, x []float64, tol float64, maxIter int, p preconditioner) (Fitted, error) {
	m := newMemory(len(x), p)
	if p != nil {
		p.due(0)
	}
	value, grad, err := f.eval(x)
	if err != nil {
		return Fitted{}, err
	}
	if value-value != 0 {
		return Fitted{}, errNotFinite
	}
	if p != nil {
		p.refresh()
	}
	fit := Fitted{Evaluations: 1}
	g, dir := append([]float64(nil), grad...), make([]float64, len(x))
	next := make([]float64, len(x))
	progress := newProgress()
	for {
		fit.Objective, fit.Gradient = value, floats.Norm(g, math.Inf(1))
		stop := progress.over(value, fit.Gradient)
		m.direction(dir, g)
		slope := floats.Dot(dir, g)
		informed := p != nil || fit.Iterations > 0 // the direction knows something of the curvature
		if stop || fit.Gradient <= tol && informed && -slope/2 <= 10*tol*math.Abs(value) {
			fit.Converged = true
			return fit, nil
		}
		if fit.Iterations == maxIter {
			return fit, nil
		}
		if !(slope < 0) { // rounding has spoilt the memory
			m.forget()
			m.direction(dir, g)
			slope = floats.Dot(dir, g)
		}
		step := 1.0
		if m.empty() && p == nil {
			step = min(1, 1/floats.Norm(g, 1))
		}
		s := search{f: f, x: x, dir: dir, next: next, value: value, slope: slope}
		due := p != nil && p.due(fit.Iterations+1)
		to, err := s.run(step)
		fit.Evaluations += s.calls
		if err != nil {
			return Fitted{}, err
		}
		if to.grad == nil {
			if m.empty() {
				fit.Converged = true // nothing below x that rounding lets us see
				return fit, nil
			}
			m.forget()
			continue
		}
		m.remember(next, x, to.grad, g)
		copy(x, next)
		copy(g, to.grad)
		value = to.value
		if due {
			p.refresh()
		}
		fit.Iterations++
	}
}

// progress watches a minimiser for steps that lead nowhere.
type progress struct {
	value, gradient float64 // when last either was clearly lower
	since           int     // steps after that
}

func newProgress() *progress { return &progress{value: math.Inf(1), gradient: math.Inf(1)} }

// over tells whether ten steps have gone by without progress.
func (p *progress) over(value, gradient float64) bool {
	if value < p.value-noise*math.Abs(value) || gradient < p.gradient/2 {
		p.value, p.gradient, p.since = min(value, p.value), min(gradient, p.gradient), 0
		return false
	}
	p.since++
	return p.since > 10
}

// A search looks along dir from x for a lower value with a flatter slope (strong Wolfe conditions, by bracketing and
// cubic interpolation).
type search struct {
	f            function
	x, dir, next []float64
	value, slope float64
	calls        int
}

// A trial is what was found a step along the direction.
type trial struct {
	step, value, slope float64
	grad               []float64
}

// run returns the step taken, with next and the gradient there, or a trial without gradient where none is lower.
func (s *search) run(step float64) (trial, error) {
	lo := trial{value: s.value, slope: s.slope} // the best step that is too short, or the start
	var hi trial                                // a step that is too long; 0: none yet
	slack := noise * math.Abs(s.value)
	for s.calls < trials {
		t, err := s.at(step)
		if err != nil {
			return trial{}, err
		}
		switch {
		case !(t.value <= s.value+armijo*step*s.slope+slack) || lo.step > 0 && t.value > lo.value+slack:
			hi = t
		case math.Abs(t.slope) <= -wolfe*s.slope:
			return t, nil
		case t.slope > 0:
			hi = t
		default:
			lo = t
		}
		if hi.step == 0 {
			step = min(10*lo.step, max(2*lo.step, lo.step+secant(lo, s.slope)))
			continue
		}
		width := hi.step - lo.step
		step = lo.step + min(0.9*width, max(0.1*width, interpolate(lo, hi)-lo.step))
		if width <= 1e-10*hi.step {
			break
		}
	}
	if lo.step == 0 {
		return trial{}, nil
	}
	return s.at(lo.step)
}

// secant guesses from two slopes how far past lo the minimum lies.
func secant(lo trial, slope0 float64) float64 {
	if rise := lo.slope - slope0; rise > 0 {
		return -lo.slope * lo.step / rise
	}
	return math.Inf(1)
}

// interpolate returns the minimum of the cubic through two trials' values and slopes, or their middle.
func interpolate(a, b trial) float64 {
	d := a.slope + b.slope - 3*(b.value-a.value)/(b.step-a.step)
	root := math.Sqrt(d*d - a.slope*b.slope)
	at := b.step - (b.step-a.step)*(b.slope+root-d)/(b.slope-a.slope+2*root)
	if math.IsNaN(at) || math.IsInf(at, 0) {
		return (a.step + b.step) / 2
	}
	return at
}

func (s *search) at(step float64) (trial, error) {
	floats.AddScaledTo(s.next, s.x, step, s.dir)
	value, grad, err := s.f.eval(s.next)
	s.calls++
	if err != nil {
		return trial{}, err
	}
	return trial{step: step, value: value, slope: floats.Dot(grad, s.dir), grad: grad}, nil
}
