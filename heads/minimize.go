package heads

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// Fitted tells how an iterative fit went.
type Fitted struct {
	Iterations  int
	Evaluations int     // passes over the rows
	Objective   float64 // the head's objective where it stopped, as its documentation states it
	Gradient    float64 // largest element of the gradient there, in the units of the head's Tol
	Converged   bool    // false where MaxIter came first
}

// minimize runs L-BFGS (Nocedal 1980, as gonum has it) from x, which it overwrites with the best point found. It stops
// where no element of the gradient is above tol, where the value no longer falls by more than float64 can tell, or after
// maxIter steps.
func minimize(o *objective, x []float64, tol float64, maxIter int) (Fitted, error) {
	problem := optimize.Problem{
		Func: func(p []float64) float64 {
			o.eval(p)
			return o.value
		},
		Grad: func(g, p []float64) {
			o.eval(p)
			copy(g, o.grad)
		},
		Status: func() (optimize.Status, error) {
			if o.err != nil {
				return optimize.Failure, o.err
			}
			return optimize.NotTerminated, nil
		},
	}
	settings := &optimize.Settings{
		GradientThreshold: tol,
		MajorIterations:   maxIter,
		Converger:         &optimize.FunctionConverge{Relative: 1e-14, Iterations: 5},
	}
	calls := o.calls
	r, err := optimize.Minimize(problem, x, settings, &optimize.LBFGS{Linesearcher: &optimize.MoreThuente{}, Store: 20, GradStopThreshold: math.NaN()})
	if o.err != nil {
		return Fitted{}, o.err
	}
	// A line search that finds no lower point has met the rounding of float32 products: that is where the fit ends.
	if err != nil && (r == nil || !errors.Is(err, optimize.ErrLinesearcherFailure) && !errors.Is(err, optimize.ErrNonDescentDirection) && !errors.Is(err, optimize.ErrNoProgress)) {
		return Fitted{}, err
	}
	copy(x, r.X)
	o.eval(x)
	if o.err != nil {
		return Fitted{}, o.err
	}
	f := Fitted{Iterations: r.MajorIterations, Evaluations: o.calls - calls, Objective: o.value, Converged: r.Status != optimize.IterationLimit}
	for _, g := range o.grad {
		f.Gradient = max(f.Gradient, math.Abs(g))
	}
	return f, nil
}
