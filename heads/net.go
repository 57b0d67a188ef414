package heads

import (
	"math"
	"math/rand/v2"
	"sync"
)

// An Activation is what an MLP's hidden layers do to each number.
type Activation string

const (
	GELU Activation = "gelu" // x·Φ(x), exactly (Hendrycks & Gimpel 2016); also what the empty string means
	ReLU Activation = "relu"
)

// apply sets h to the activation of z and, where slope is not nil, slope to its derivative.
func (a Activation) apply(h, slope, z []float32) {
	if a == ReLU {
		for i, v := range z {
			h[i] = max(v, 0)
			if slope != nil {
				slope[i] = 0
				if v > 0 {
					slope[i] = 1
				}
			}
		}
		return
	}
	table := gaussTable()
	for i, v := range z {
		below, density := table.at(v)
		h[i] = v * below
		if slope != nil {
			slope[i] = below + v*density
		}
	}
}

// A gauss is the standard normal distribution Φ and its density φ at gaussSteps points a unit from −gaussEnd to gaussEnd.
type gauss [2*gaussEnd*gaussSteps + 1]struct{ below, density float32 }

const gaussEnd, gaussSteps = 6, 256

var gaussTable = sync.OnceValue(func() *gauss {
	g := new(gauss)
	for i := range g {
		x := float64(i)/gaussSteps - gaussEnd
		g[i].below = float32(0.5 * math.Erfc(-x/math.Sqrt2))
		g[i].density = float32(math.Exp(-x*x/2) / math.Sqrt(2*math.Pi))
	}
	return g
})

// at returns Φ(x) and φ(x) to within float32's rounding of numbers about 1, by Taylor's series about the nearest point:
// φ' = −xφ.
func (g *gauss) at(x float32) (below, density float32) {
	if !(x > -gaussEnd && x < gaussEnd) {
		return far(x)
	}
	i := int((x+gaussEnd)*gaussSteps + 0.5)
	p := g[i]
	near := float32(i)/gaussSteps - gaussEnd
	d := x - near
	below = p.below + d*p.density*(1-d/2*(near+d/3*(1-near*near)))
	density = p.density * (1 - d*(near+d/2*(1-near*near)))
	return below, density
}

// far is at beyond the table.
func far(v float32) (below, density float32) {
	x := float64(v)
	return float32(0.5 * math.Erfc(-x/math.Sqrt2)), float32(math.Exp(-x*x/2) / math.Sqrt(2*math.Pi))
}

// A net is the layers of an MLP being fitted, on padded rows of standardised features. All its numbers are in one slice,
// so that the optimizer need not know about layers.
type net struct {
	activation Activation
	layers     []dense
	params     []float32
	decays     []bool // by parameter: weights decay, biases don't
}

// A dense layer is in×out weights and out biases, padded with 0, inside the net's parameters.
type dense struct {
	in, out int // padded
	weight  []float32
	bias    []float32
	turned  []float32 // weight transposed, for the way back; of the first layer nil
}

// newNet makes layers of the sizes given, from features to outputs, with Glorot's uniform weights.
func newNet(sizes []int, a Activation, r *rand.Rand) *net {
	n := &net{activation: a}
	total := 0
	for i := 1; i < len(sizes); i++ {
		total += (roundUp(sizes[i-1]) + 1) * roundUp(sizes[i])
	}
	n.params, n.decays = make([]float32, total), make([]bool, total)
	free, decays := n.params, n.decays
	for i := 1; i < len(sizes); i++ {
		l := dense{in: roundUp(sizes[i-1]), out: roundUp(sizes[i])}
		w := l.in * l.out
		l.weight, l.bias = free[:w], free[w:w+l.out]
		limit := math.Sqrt(6 / float64(sizes[i-1]+sizes[i]))
		for j := range sizes[i-1] {
			for k := range sizes[i] {
				l.weight[j*l.out+k] = float32(limit * (2*r.Float64() - 1))
			}
		}
		for j := range w {
			decays[j] = true
		}
		if i > 1 {
			l.turned = make([]float32, w)
		}
		free, decays = free[w+l.out:], decays[w+l.out:]
		n.layers = append(n.layers, l)
	}
	n.turn()
	return n
}

// turn brings the transposes up to date.
func (n *net) turn() {
	for _, l := range n.layers {
		if l.turned == nil {
			continue
		}
		for j := range l.in {
			for k := range l.out {
				l.turned[k*l.in+j] = l.weight[j*l.out+k]
			}
		}
	}
}

// A pass is what one goroutine needs to take rows through a net and back.
type pass struct {
	input  [][]float32 // by layer: what goes in, n×in
	slope  [][]float32 // by layer but the last: of activation and dropout, n×out
	output []float32   // n×out of the last layer
	back   []float32   // n×the widest
	tmp    []float32
	grad   []float32 // like the net's params
}

func newPass(n *net, rows int) *pass {
	p := &pass{grad: make([]float32, len(n.params)), tmp: make([]float32, 3*rows)}
	widest := 0
	for i, l := range n.layers {
		p.input = append(p.input, make([]float32, rows*l.in))
		if i+1 < len(n.layers) {
			p.slope = append(p.slope, make([]float32, rows*l.out))
		}
		widest = max(widest, l.out)
	}
	p.output = make([]float32, rows*n.layers[len(n.layers)-1].out)
	p.back = make([]float32, rows*widest)
	return p
}

// forward takes the rows in p.input[0] through the net to p.output. Where drop is not nil, slopes are kept for the way
// back and numbers of hidden layers are dropped with probability rate.
func (n *net) forward(p *pass, rows int, rate float64, drop *rand.Rand) {
	for i, l := range n.layers {
		z := p.output
		last := i+1 == len(n.layers)
		if !last {
			z = p.back
		}
		z = z[:rows*l.out]
		for r := range rows {
			copy(z[r*l.out:(r+1)*l.out], l.bias)
		}
		addProduct(z, view{p.input[i], l.in, 1}, l.weight, rows, l.in, l.out)
		if last {
			return
		}
		h := p.input[i+1][:rows*l.out]
		if drop == nil {
			n.activation.apply(h, nil, z)
			continue
		}
		slope := p.slope[i][:rows*l.out]
		n.activation.apply(h, slope, z)
		dropout(h, slope, rate, drop)
	}
}

// dropout zeroes numbers with probability rate and enlarges the others so that their mean stays.
func dropout(h, slope []float32, rate float64, r *rand.Rand) {
	if rate == 0 {
		return
	}
	keep := float32(1 / (1 - rate))
	for i := range h {
		if r.Float64() < rate {
			h[i], slope[i] = 0, 0
		} else {
			h[i] *= keep
			slope[i] *= keep
		}
	}
}

// backward adds to p.grad the gradient for the derivative of the loss in p.output.
func (n *net) backward(p *pass, rows int) {
	dz := p.output[:rows*n.layers[len(n.layers)-1].out]
	end := len(p.grad)
	for i := len(n.layers) - 1; i >= 0; i-- {
		l := n.layers[i]
		w := l.in * l.out
		grad := p.grad[end-w-l.out : end]
		end -= w + l.out
		addProduct(grad[:w], view{p.input[i], 1, l.in}, dz, l.in, rows, l.out)
		for r := range rows {
			for k, v := range dz[r*l.out : (r+1)*l.out] {
				grad[w+k] += v
			}
		}
		if i == 0 {
			return
		}
		dh := p.input[i][:rows*l.in] // done with what went in
		clear(dh)
		addProduct(dh, view{dz, l.out, 1}, l.turned, rows, l.out, l.in)
		for j, s := range p.slope[i-1][:rows*l.in] {
			dh[j] *= s
		}
		dz = dh
	}
}
