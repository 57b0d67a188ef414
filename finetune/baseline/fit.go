package baseline

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"

	"github.com/onnx-graft/graft/heads"
)

// The fit.
const (
	strength    = 10.0 // scikit-learn's C
	enoughGain  = 1e-4 // of the objective, relative: the fit ends where three steps in a row gain less
	fewestSteps = 20
	mostSteps   = 150
	mostWork    = 4e8 // products a fit may take once it has made fewestSteps
)

// learn minimises ½‖W‖² + C Σ loss over the rows of x by L-BFGS, intercepts not penalised, and answers the rows of test.
// Numbers are learned in units of their standard deviation. The same rows give the same answer on any number of cores.
func learn(ctx context.Context, x *bag, y heads.Targets, test *bag) (heads.Matrix, error) {
	p := newProblem(ctx, x, y)
	start := make([]float64, (x.cols+1)*p.k)
	copy(start[x.cols*p.k:], p.intercepts())
	steps := mostWork / float64(max(1, len(x.col)*p.k))
	settings := &optimize.Settings{
		GradientThreshold: 1e-6, MajorIterations: int(min(max(steps, fewestSteps), mostSteps)),
		Converger: &optimize.FunctionConverge{Relative: enoughGain, Iterations: 3},
	}
	result, err := optimize.Minimize(optimize.Problem{Func: p.value, Grad: p.gradient}, start, settings, &optimize.LBFGS{Store: 5})
	if ctx.Err() != nil {
		return heads.Matrix{}, ctx.Err()
	}
	if result == nil {
		return heads.Matrix{}, fmt.Errorf("baseline: %w", err)
	}
	// An error beside a result is a line search at the end of float64's precision: the point is as good as it gets.
	out := heads.NewMatrix(test.rows, p.k)
	err = eachBlock(ctx, test.rows, func(lo, hi int) {
		z := make([]float64, p.k)
		for i := lo; i < hi; i++ {
			test.row(i, result.X, z)
			for j, v := range z {
				if p.scale != nil {
					v = v*p.scale[j] + p.mean[j]
				}
				out.Row(i)[j] = float32(v)
			}
		}
	})
	return out, err
}

// row sets z to row i's outputs: its entries times W, plus the intercepts, which come after the V rows of W.
func (b *bag) row(i int, params, z []float64) {
	k := len(z)
	copy(z, params[b.cols*k:])
	for e := b.start[i]; e < b.start[i+1]; e++ {
		v, w := float64(b.val[e]), params[int(b.col[e])*k:][:k]
		for j, c := range w {
			z[j] += v * c
		}
	}
}

// problem is the objective, divided by C·N, as a function of V×K weights and K intercepts.
type problem struct {
	ctx         context.Context
	x, t        *bag // rows; columns
	y           heads.Targets
	k           int
	mean, scale []float64 // of values; nil where there are none

	at       []float64 // the point that loss and residual belong to
	loss     float64
	residual []float64 // N×K
}

func newProblem(ctx context.Context, x *bag, y heads.Targets) *problem {
	p := &problem{ctx: ctx, x: x, t: x.transposed(), y: y, k: y.Outputs(), residual: make([]float64, x.rows*y.Outputs())}
	if y.Task() != heads.Regression {
		return p
	}
	p.mean, p.scale = means(y.Values), make([]float64, p.k)
	for i := range y.Values.Rows {
		for j, v := range y.Values.Row(i) {
			p.scale[j] += (float64(v) - p.mean[j]) * (float64(v) - p.mean[j]) / float64(y.Values.Rows)
		}
	}
	for j, v := range p.scale {
		p.scale[j] = max(math.Sqrt(v), 1e-12)
	}
	return p
}

// intercepts are those of the constant answer, where the fit begins.
func (p *problem) intercepts() []float64 {
	b := make([]float64, p.k)
	if p.scale == nil {
		for j, v := range Constant(p.y, 1).Row(0) {
			b[j] = float64(v)
		}
	}
	return b
}

// visit computes loss and residuals at params, unless they are there.
func (p *problem) visit(params []float64) {
	if p.at != nil && same(p.at, params) {
		return
	}
	p.at = append(p.at[:0], params...)
	losses := make([]float64, (p.x.rows+blockRows-1)/blockRows)
	eachBlock(p.ctx, p.x.rows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r := p.residual[i*p.k : (i+1)*p.k]
			p.x.row(i, params, r)
			losses[lo/blockRows] += p.judge(i, r)
		}
	})
	p.loss = 0
	for _, l := range losses {
		p.loss += l
	}
}

// judge turns row i's outputs into the derivative of its loss, and returns the loss.
func (p *problem) judge(i int, z []float64) (loss float64) {
	switch p.y.Task() {
	case heads.Classification:
		truth, top, sum := p.y.Class[i], math.Inf(-1), 0.0
		for _, v := range z {
			top = max(top, v)
		}
		own := z[truth] - top
		for j, v := range z {
			z[j] = math.Exp(v - top)
			sum += z[j]
		}
		for j := range z {
			z[j] /= sum
		}
		z[truth]--
		return math.Log(sum) - own
	case heads.MultiLabel:
		for j, has := range p.y.Labels.Row(i) {
			v := z[j]
			loss += max(v, 0) - v*float64(has) + math.Log1p(math.Exp(-math.Abs(v)))
			z[j] = 1/(1+math.Exp(-v)) - float64(has)
		}
		return loss
	}
	for j, v := range p.y.Values.Row(i) {
		z[j] -= (float64(v) - p.mean[j]) / p.scale[j]
		loss += z[j] * z[j] / 2
	}
	return loss
}

func (p *problem) unit() float64 { return 1 / (strength * float64(p.x.rows)) }

func (p *problem) value(params []float64) float64 {
	p.visit(params)
	var square float64
	for _, w := range params[:p.x.cols*p.k] {
		square += w * w
	}
	return p.loss/float64(p.x.rows) + square/2*p.unit()
}

func (p *problem) gradient(grad, params []float64) {
	p.visit(params)
	u, n := p.unit(), 1/float64(p.x.rows)
	eachBlock(p.ctx, p.x.cols, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			g := grad[c*p.k : (c+1)*p.k]
			for j, w := range params[c*p.k : (c+1)*p.k] {
				g[j] = u * w
			}
			for e := p.t.start[c]; e < p.t.start[c+1]; e++ {
				v, r := n*float64(p.t.val[e]), p.residual[int(p.t.col[e])*p.k:][:p.k]
				for j := range g {
					g[j] += v * r[j]
				}
			}
		}
	})
	g := grad[p.x.cols*p.k:]
	clear(g)
	for i := range p.x.rows {
		for j := range g {
			g[j] += n * p.residual[i*p.k+j]
		}
	}
}

func same(a, b []float64) bool {
	for i, v := range a {
		if v != b[i] {
			return false
		}
	}
	return true
}

// rooted makes a bag of rows of shares.
func rooted(m heads.Matrix) *bag {
	b := &bag{rows: m.Rows, cols: m.Cols, start: make([]int, 1, m.Rows+1)}
	for i := range m.Rows {
		var sum float64
		for _, v := range m.Row(i) {
			sum += max(0, float64(v))
		}
		for j, v := range m.Row(i) {
			if v > 0 {
				b.col = append(b.col, int32(j))
				b.val = append(b.val, float32(math.Sqrt(float64(v)/sum)))
			}
		}
		b.start = append(b.start, len(b.col))
	}
	return b
}
