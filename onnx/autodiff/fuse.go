package autodiff

import (
	"math"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Fuse puts single nodes in the place of decomposed layer normalisations and GELUs, as exporters below ai.onnx 17 and 20
// write them, and returns how many it found. The results differ only in rounding; the backward pass is shorter, and does
// not keep ONNX Runtime from its own fusions by reading values in between. A pattern of which an inner value is used
// elsewhere too, or is a graph output, is left alone. GELUs are fused where the model imports ai.onnx 20 or later.
func Fuse(m *onnx.Model) (int, error) {
	f := fuser{index: onnx.NewIndex(m.Graph), output: map[string]bool{}}
	var outputs []string
	for _, o := range m.Graph.Outputs {
		f.output[o.Name] = true
		outputs = append(outputs, o.Name)
	}
	found := 0
	for _, n := range slices.Clone(m.Graph.Nodes) {
		switch {
		case n.Is("Div") && m.Opset("") >= 17 && f.layerNorm(n),
			n.Is("Erf") && m.Opset("") >= 20 && f.erfGelu(n),
			n.Is("Tanh") && m.Opset("") >= 20 && f.tanhGelu(n):
			found++
		}
	}
	return found, onnx.Cut(m, outputs...)
}

// A fuser finds patterns in a graph.
type fuser struct {
	index  *onnx.Index
	output map[string]bool
}

// made returns the node that makes the tensor if it is of the named operator, else nil.
func (f fuser) made(name, op string) *onnx.Node {
	if n := f.index.Producer(name); n != nil && n.Is(op) {
		return n
	}
	return nil
}

// user returns the only user of the tensor if it is of the named operator, else nil.
func (f fuser) user(name, op string) *onnx.Node {
	if u := f.index.Readers(name); len(u) == 1 && u[0].Is(op) && !f.output[name] {
		return u[0]
	}
	return nil
}

// other returns the operand of a two-input node that is not name.
func other(n *onnx.Node, name string) string {
	if n.Input(0) == name {
		return n.Input(1)
	}
	return n.Input(0)
}

// number returns the value of a constant of one element.
func (f fuser) number(name string) (float64, bool) {
	t := f.index.Constant(name)
	if t == nil {
		return 0, false
	}
	v, err := t.Float32s()
	if err != nil || len(v) != 1 {
		return 0, false
	}
	return float64(v[0]), true
}

func (f fuser) isNumber(name string, want float64) bool {
	v, ok := f.number(name)
	return ok && math.Abs(v-want) <= 1e-4*math.Abs(want)
}

// scaledBy returns the other operand of a Mul by the constant c, or of a Div by 1/c.
func (f fuser) scaledBy(name string, c float64) (string, bool) {
	if n := f.made(name, "Mul"); n != nil {
		for i := range 2 {
			if f.isNumber(n.Input(i), c) {
				return n.Input(1 - i), true
			}
		}
	}
	if n := f.made(name, "Div"); n != nil && f.isNumber(n.Input(1), 1/c) {
		return n.Input(0), true
	}
	return "", false
}

// meanOfLast returns x where the tensor is ReduceMean(x) over the last axis, kept.
func (f fuser) meanOfLast(name string) (string, bool) {
	n := f.made(name, "ReduceMean")
	if n == nil || n.Int("keepdims", 1) == 0 {
		return "", false
	}
	axes := n.Ints("axes")
	if t := f.index.Constant(n.Input(1)); t != nil {
		axes, _ = onnx.View[int64](t)
	}
	return n.Input(0), len(axes) == 1 && axes[0] == -1
}

// squareOf returns x where the tensor is x², as Pow or Mul.
func (f fuser) squareOf(name string) (string, bool) {
	if n := f.made(name, "Pow"); n != nil && f.isNumber(n.Input(1), 2) {
		return n.Input(0), true
	}
	if n := f.made(name, "Mul"); n != nil && n.Input(0) == n.Input(1) {
		return n.Input(0), true
	}
	return "", false
}

// centredFrom returns x where the tensor is x − mean(x).
func (f fuser) centredFrom(name string) (string, bool) {
	n := f.made(name, "Sub")
	if n == nil {
		return "", false
	}
	x, ok := f.meanOfLast(n.Input(1))
	return x, ok && x == n.Input(0)
}

// layerNorm replaces (x − mean)/√(var + ε)·scale + bias, found from its Div.
func (f fuser) layerNorm(div *onnx.Node) bool {
	x, ok := f.centredFrom(div.Input(0))
	root := f.made(div.Input(1), "Sqrt")
	if !ok || root == nil {
		return false
	}
	add := f.made(root.Input(0), "Add")
	if add == nil {
		return false
	}
	variance, epsilon := add.Input(0), 0.0
	if epsilon, ok = f.number(add.Input(1)); !ok {
		variance = add.Input(1)
		if epsilon, ok = f.number(add.Input(0)); !ok {
			return false
		}
	}
	squared, ok1 := f.meanOfLast(variance)
	centred, ok2 := f.squareOf(squared)
	source, ok3 := f.centredFrom(centred)
	if !ok1 || !ok2 || !ok3 || source != x {
		return false
	}
	scale := f.user(div.Output(0), "Mul")
	if scale == nil {
		return false
	}
	bias := f.user(scale.Output(0), "Add")
	if bias == nil {
		return false
	}
	w, b := other(scale, div.Output(0)), other(bias, scale.Output(0))
	if !f.vector(w) || !f.vector(b) {
		return false
	}
	f.replace(bias, &onnx.Node{Name: bias.Name, OpType: "LayerNormalization", Inputs: []string{x, w, b},
		Attributes: []*onnx.Attribute{onnx.IntAttr("axis", -1), onnx.FloatAttr("epsilon", float32(epsilon))}})
	return true
}

// vector tells whether the tensor is a weight of one dimension.
func (f fuser) vector(name string) bool {
	t := f.index.Constant(name)
	return t != nil && len(t.Shape) == 1
}

// erfGelu replaces x·½·(1 + erf(x/√2)), found from its Erf.
func (f fuser) erfGelu(erf *onnx.Node) bool {
	x, ok := f.scaledBy(erf.Input(0), 1/math.Sqrt2)
	return ok && f.gelu(erf, x, "none")
}

// tanhGelu replaces x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))), found from its Tanh.
func (f fuser) tanhGelu(tanh *onnx.Node) bool {
	inner, ok := f.scaledBy(tanh.Input(0), math.Sqrt(2/math.Pi))
	if !ok {
		return false
	}
	add := f.made(inner, "Add")
	if add == nil {
		return false
	}
	for i := range 2 {
		x := add.Input(i)
		if c, ok := f.cube(add.Input(1-i), x); ok && math.Abs(c-0.044715) < 1e-5 {
			return f.gelu(tanh, x, "tanh")
		}
	}
	return false
}

// cube returns c where the tensor is c·x³, multiplied out in whatever order or written as Pow.
func (f fuser) cube(name, x string) (c float64, ok bool) {
	c = 1
	power, open := 0, []string{name}
	for len(open) > 0 && power <= 3 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		v, constant := f.number(at)
		pow, mul := f.made(at, "Pow"), f.made(at, "Mul")
		switch {
		case constant:
			c *= v
		case at == x:
			power++
		case pow != nil && pow.Input(0) == x && f.isNumber(pow.Input(1), 3):
			power += 3
		case pow != nil && pow.Input(0) == x && f.isNumber(pow.Input(1), 2):
			power += 2
		case mul != nil:
			open = append(open, mul.Input(0), mul.Input(1))
		default:
			return 0, false
		}
	}
	return c, power == 3 && len(open) == 0
}

// gelu replaces the product of x, ½ and 1 + bend's output, in any order of the factors.
func (f fuser) gelu(bend *onnx.Node, x, approximate string) bool {
	last := f.user(bend.Output(0), "Add")
	if last == nil || !f.isNumber(other(last, bend.Output(0)), 1) {
		return false
	}
	var seenX, seenHalf bool
	for !seenX || !seenHalf {
		next := f.user(last.Output(0), "Mul")
		if next == nil {
			return false
		}
		factor := other(next, last.Output(0))
		halved, both := f.scaledBy(factor, 0.5)
		switch {
		case factor == x && !seenX:
			seenX = true
		case f.isNumber(factor, 0.5) && !seenHalf:
			seenHalf = true
		case both && halved == x && !seenX && !seenHalf:
			seenX, seenHalf = true, true
		default:
			return false
		}
		last = next
	}
	f.replace(last, &onnx.Node{Name: last.Name, OpType: "Gelu", Inputs: []string{x},
		Attributes: []*onnx.Attribute{onnx.StringAttr("approximate", approximate)}})
	return true
}

// replace puts fused in the place of last, the final node of a pattern, and keeps its output's name.
func (f fuser) replace(last, fused *onnx.Node) {
	fused.Outputs = last.Outputs
	*last = *fused
}
