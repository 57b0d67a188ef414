package autodiff_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/onnxtest/reference"
)

// A ruleCase is one operator on random inputs. Each float input is differentiated unless it is fixed.
type ruleCase struct {
	name    string
	op      string
	inputs  []input
	attrs   []*onnx.Attribute
	outputs int  // 1 unless said
	only    int  // which output feeds the loss, where the others do not
	away    bool // inputs keep away from 0, where the operator has a corner
}

// An input is a random float tensor, or given integers or numbers.
type input struct {
	shape    []int
	ints     []int64   // an integer input of that shape
	floats   []float64 // a constant
	positive bool
}

func x(shape ...int) input         { return input{shape: shape} }
func pos(shape ...int) input       { return input{shape: shape, positive: true} }
func ints(v ...int64) input        { return input{shape: []int{len(v)}, ints: v} }
func scalar(v float64) input       { return input{shape: []int{}, floats: []float64{v}} }
func at(v []int64, s ...int) input { return input{shape: s, ints: v} }

var (
	axisAttr = func(a int64) *onnx.Attribute { return onnx.IntAttr("axis", a) }
	strides  = onnx.IntsAttr("strides", 2, 2)
	pads     = onnx.IntsAttr("pads", 1, 1, 1, 1)
	kernel2  = onnx.IntsAttr("kernel_shape", 2, 2)
	kernel3  = onnx.IntsAttr("kernel_shape", 3, 3)
)

var ruleCases = []ruleCase{
	{op: "Add", inputs: []input{x(2, 3, 4), x(3, 1)}}, {op: "Add", inputs: []input{x(4), x(2, 3, 4)}},
	{op: "Sub", inputs: []input{x(2, 1, 4), x(3, 4)}}, {op: "Mul", inputs: []input{x(2, 3), x(1)}},
	{op: "Mul", inputs: []input{x(2, 3), x(2, 3)}}, {op: "Div", inputs: []input{x(2, 3), pos(3)}},
	{op: "Div", inputs: []input{x(1, 3), pos(2, 3)}}, {name: "square", op: "Pow", inputs: []input{x(2, 3), scalar(2)}},
	{name: "root", op: "Pow", inputs: []input{pos(2, 3), scalar(0.5)}}, {op: "Sum", inputs: []input{x(2, 3), x(3), x(2, 1)}},
	{op: "Min", inputs: []input{x(4, 5), x(5)}}, {op: "Max", inputs: []input{x(4, 5), scalar(0.1)}, away: true},
	{op: "Where", inputs: []input{{shape: []int{2, 1}, ints: []int64{0, 1}}, x(2, 3), x(3)}},
	{op: "Neg", inputs: []input{x(3)}}, {op: "Abs", inputs: []input{x(9)}, away: true}, {op: "Exp", inputs: []input{x(5)}},
	{op: "Log", inputs: []input{pos(5)}}, {op: "Sqrt", inputs: []input{pos(5)}}, {op: "Reciprocal", inputs: []input{pos(5)}},
	{op: "Sin", inputs: []input{x(5)}}, {op: "Cos", inputs: []input{x(5)}}, {op: "Identity", inputs: []input{x(2, 2)}},
	{op: "Cast", inputs: []input{x(2, 2)}, attrs: []*onnx.Attribute{onnx.IntAttr("to", 1)}},

	{op: "Relu", inputs: []input{x(20)}, away: true}, {op: "LeakyRelu", inputs: []input{x(20)}, away: true},
	{op: "Tanh", inputs: []input{x(7)}}, {op: "Sigmoid", inputs: []input{x(7)}}, {op: "Softplus", inputs: []input{x(7)}},
	{op: "Erf", inputs: []input{x(7)}}, {op: "Gelu", inputs: []input{x(7)}},
	{name: "tanh", op: "Gelu", inputs: []input{x(7)}, attrs: []*onnx.Attribute{onnx.StringAttr("approximate", "tanh")}},
	{op: "Clip", inputs: []input{x(30), scalar(-0.6), scalar(0.7)}}, {op: "HardSigmoid", inputs: []input{x(30)}},
	{op: "HardSwish", inputs: []input{x(30)}}, {op: "Softmax", inputs: []input{x(2, 3, 4)}},
	{name: "axis 1", op: "Softmax", inputs: []input{x(2, 3, 4)}, attrs: []*onnx.Attribute{axisAttr(1)}},
	{op: "LogSoftmax", inputs: []input{x(3, 4)}},

	{op: "MatMul", inputs: []input{x(3, 4), x(4, 2)}}, {name: "flat", op: "MatMul", inputs: []input{x(2, 3, 4), x(4, 5)}},
	{name: "batched", op: "MatMul", inputs: []input{x(2, 2, 3, 4), x(2, 2, 4, 5)}},
	{name: "broadcast", op: "MatMul", inputs: []input{x(2, 3, 4), x(2, 2, 4, 5)}},
	{name: "broadcast 2", op: "MatMul", inputs: []input{x(3, 4), x(2, 4, 5)}},
	{op: "Gemm", inputs: []input{x(3, 4), x(4, 2), x(2)}},
	{name: "transposed", op: "Gemm", inputs: []input{x(4, 3), x(2, 4), x(3, 1)}, attrs: []*onnx.Attribute{onnx.IntAttr("transA", 1),
		onnx.IntAttr("transB", 1), onnx.FloatAttr("alpha", 0.5), onnx.FloatAttr("beta", 2)}},
	{name: "transB", op: "Gemm", inputs: []input{x(3, 4), x(2, 4)}, attrs: []*onnx.Attribute{onnx.IntAttr("transB", 1)}},
	{name: "transA", op: "Gemm", inputs: []input{x(4, 3), x(4, 2)}, attrs: []*onnx.Attribute{onnx.IntAttr("transA", 1)}},
	{op: "Einsum", inputs: []input{x(2, 3, 4), x(2, 5, 4)}, attrs: []*onnx.Attribute{onnx.StringAttr("equation", "bid, bjd -> bij")}},

	{op: "Conv", inputs: []input{x(2, 3, 5, 6), x(4, 3, 3, 3), x(4)}, attrs: []*onnx.Attribute{pads}},
	{name: "1x1", op: "Conv", inputs: []input{x(2, 3, 4, 5), x(4, 3, 1, 1), x(4)}},
	{name: "1x1 strided", op: "Conv", inputs: []input{x(2, 3, 5, 6), x(4, 3, 1, 1)}, attrs: []*onnx.Attribute{strides}},
	{name: "strided", op: "Conv", inputs: []input{x(2, 3, 6, 7), x(4, 3, 3, 3), x(4)}, attrs: []*onnx.Attribute{pads, strides}},
	{name: "uneven pads", op: "Conv", inputs: []input{x(2, 3, 6, 6), x(4, 3, 3, 3)},
		attrs: []*onnx.Attribute{onnx.IntsAttr("pads", 0, 0, 1, 1), strides}},
	{name: "same", op: "Conv", inputs: []input{x(2, 3, 6, 7), x(4, 3, 3, 3)},
		attrs: []*onnx.Attribute{onnx.StringAttr("auto_pad", "SAME_UPPER"), strides}},
	{name: "dilated", op: "Conv", inputs: []input{x(2, 3, 7, 7), x(2, 3, 3, 3)}, attrs: []*onnx.Attribute{onnx.IntsAttr("dilations", 2, 2)}},
	{name: "depthwise", op: "Conv", inputs: []input{x(2, 3, 5, 6), x(3, 1, 3, 3), x(3)}, attrs: []*onnx.Attribute{pads, onnx.IntAttr("group", 3)}},
	{name: "depthwise strided", op: "Conv", inputs: []input{x(2, 3, 5, 6), x(3, 1, 3, 3)},
		attrs: []*onnx.Attribute{pads, strides, onnx.IntAttr("group", 3)}},
	{op: "MaxPool", inputs: []input{x(2, 2, 5, 6)}, attrs: []*onnx.Attribute{kernel3, strides, pads}},
	{op: "AveragePool", inputs: []input{x(2, 2, 5, 6)}, attrs: []*onnx.Attribute{kernel3, strides, pads}},
	{name: "with padding", op: "AveragePool", inputs: []input{x(2, 2, 5, 6)},
		attrs: []*onnx.Attribute{kernel2, onnx.IntsAttr("pads", 1, 0, 1, 0), onnx.IntAttr("count_include_pad", 1)}},
	{op: "GlobalAveragePool", inputs: []input{x(2, 3, 4, 5)}},
	{op: "BatchNormalization", inputs: []input{x(2, 3, 2, 2), x(3), x(3), {shape: []int{3}, floats: []float64{0.1, 0.2, -0.1}},
		{shape: []int{3}, floats: []float64{1, 2, 0.5}}}},

	{op: "LayerNormalization", inputs: []input{x(2, 3, 6), x(6), x(6)}},
	{name: "no bias", op: "LayerNormalization", inputs: []input{x(2, 3, 4), x(3, 4)}, attrs: []*onnx.Attribute{axisAttr(-2)}},
	{op: "ReduceMean", inputs: []input{x(2, 3, 4), ints(-1)}},
	{name: "squeezed", op: "ReduceMean", inputs: []input{x(2, 3, 4), ints(0, 2)}, attrs: []*onnx.Attribute{onnx.IntAttr("keepdims", 0)}},
	{name: "all", op: "ReduceSum", inputs: []input{x(2, 3)}}, {op: "ReduceSum", inputs: []input{x(2, 3, 4), ints(1)}},
	{op: "ReduceL2", inputs: []input{x(3, 4), ints(1)}},
	{name: "squeezed", op: "ReduceL2", inputs: []input{x(3, 4), ints(1)}, attrs: []*onnx.Attribute{onnx.IntAttr("keepdims", 0)}},

	{op: "Reshape", inputs: []input{x(2, 6), ints(0, 3, -1)}}, {op: "Flatten", inputs: []input{x(2, 3, 4)}},
	{op: "Squeeze", inputs: []input{x(2, 1, 4), ints(1)}}, {op: "Unsqueeze", inputs: []input{x(2, 4), ints(0, -1)}},
	{op: "Transpose", inputs: []input{x(2, 3, 4)}, attrs: []*onnx.Attribute{onnx.IntsAttr("perm", 1, 2, 0)}},
	{name: "reversed", op: "Transpose", inputs: []input{x(2, 3, 4)}}, {op: "Expand", inputs: []input{x(3, 1), ints(2, 3, 4)}},
	{op: "Concat", inputs: []input{x(2, 3), x(2, 1), x(2, 2)}, attrs: []*onnx.Attribute{axisAttr(-1)}},
	{op: "Split", inputs: []input{x(2, 6), ints(1, 2, 3)}, attrs: []*onnx.Attribute{axisAttr(1)}, outputs: 3},
	{name: "one part", op: "Split", inputs: []input{x(2, 6), ints(1, 2, 3)}, attrs: []*onnx.Attribute{axisAttr(1)}, outputs: 3, only: 1},
	{op: "Slice", inputs: []input{x(4, 5), ints(1, -3), ints(3, 1<<40)}},
	{name: "axes", op: "Slice", inputs: []input{x(4, 5), ints(-4), ints(-1), ints(1)}},
	{name: "strided", op: "Slice", inputs: []input{x(4, 5, 7), ints(1, 0), ints(5, 1<<40), ints(1, 2), ints(2, 3)}},
	{op: "Pad", inputs: []input{x(2, 3), ints(1, 0, -1, 2)}},

	{op: "Gather", inputs: []input{x(5, 3), at([]int64{0, 4, 4, 1, -1, 2}, 2, 3)}},
	{name: "one", op: "Gather", inputs: []input{x(2, 3, 4), {shape: []int{}, ints: []int64{0}}}, attrs: []*onnx.Attribute{axisAttr(1)}},
	{name: "columns", op: "Gather", inputs: []input{x(2, 5), ints(3, 3, 0)}, attrs: []*onnx.Attribute{axisAttr(1)}},
	{op: "GatherElements", inputs: []input{x(3, 4), at([]int64{0, 3, 1, 1, 2, 2}, 3, 2)}, attrs: []*onnx.Attribute{axisAttr(1)}},
}

// TestRules holds each rule against central differences in float64: the gradient graph is evaluated by the reference
// evaluator, so that nothing but the rule itself can differ.
func TestRules(t *testing.T) {
	covered := map[string]bool{}
	for i, c := range ruleCases {
		covered[c.op] = true
		t.Run(c.op+" "+c.name, func(t *testing.T) { c.run(t, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	for _, op := range autodiff.Operators() {
		if !covered[op] && op != "Dropout" {
			t.Errorf("the rule for %s has no test", op)
		}
	}
}

func (c ruleCase) run(t *testing.T, r *rand.Rand) {
	m, feeds, wrt := c.build(t, r)
	shapes, err := autodiff.Measure(context.Background(), exact{}, m, tensors(feeds), tensors(feeds))
	if err != nil {
		t.Fatal(err)
	}
	g, err := autodiff.Gradient(m, "loss", wrt, shapes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := reference.Evaluate(g, feeds)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range wrt {
		want := differences(t, m, feeds, name)
		grad := got[autodiff.GradientName(name)]
		if !slices.Equal(grad.Shape, feeds[name].Shape) {
			t.Errorf("gradient of %s has shape %v, want %v", name, grad.Shape, feeds[name].Shape)
			continue
		}
		if d := distance(grad.F, want); !(d < 1e-6) {
			t.Errorf("gradient of %s is off by %.2g relative:\n got %.6v\nwant %.6v", name, d, grad.F, want)
		}
	}
}

// build makes the graph loss = Σ weights·op(inputs), and random values for the inputs.
func (c ruleCase) build(t *testing.T, r *rand.Rand) (*onnx.Model, map[string]*reference.Array, []string) {
	t.Helper()
	m := &onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 20}}, Graph: &onnx.Graph{Name: c.op}}
	b := onnx.NewBuilder(m)
	feeds, in, wrt := map[string]*reference.Array{}, []*onnx.Value{}, []string{}
	for i, spec := range c.inputs {
		name := fmt.Sprintf("x%d", i)
		dims := make([]onnx.Dim, len(spec.shape))
		for j, n := range spec.shape {
			dims[j] = onnx.Known(int64(n))
		}
		a := &reference.Array{Shape: spec.shape, I: spec.ints, F: spec.floats}
		feeds[name] = a
		if spec.ints != nil || spec.floats != nil {
			in = append(in, b.Const(name, a.Tensor(name)))
			continue
		}
		for range product(spec.shape) {
			a.F = append(a.F, c.random(r, spec.positive))
		}
		in = append(in, b.Input(name, onnx.Float32, dims...))
		wrt = append(wrt, name)
	}
	outs := b.Ops(c.op, max(1, c.outputs), in, c.attrs...)
	var parts []*onnx.Value
	for i, out := range outs {
		if c.outputs > 1 && c.only > 0 && i != c.only {
			continue
		}
		// a loss that weighs every element differently: Σ y·cos(index)
		flat := b.Op("Reshape", []*onnx.Value{out, b.Const("flat", onnx.NewTensor("", []int64{1, -1}, 2))})
		n := b.Op("Size", []*onnx.Value{out})
		zero, step := b.Const("zero", onnx.NewTensor("", []int64{0})), b.Const("step", onnx.NewTensor("", []int64{1}))
		zero.Shape, step.Shape = onnx.Shape{}, onnx.Shape{}
		index := b.Op("Cast", []*onnx.Value{b.Op("Range", []*onnx.Value{zero, n, step})}, onnx.IntAttr("to", 1))
		weights := b.Op("Cos", []*onnx.Value{index})
		parts = append(parts, b.Reshape(b.ReduceSum(b.Mul(flat, weights), true, 0, 1), 1))
	}
	loss := parts[0]
	if len(parts) > 1 {
		loss = b.Op("Sum", parts)
	}
	b.Output(loss, "loss")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m, feeds, wrt
}

func (c ruleCase) random(r *rand.Rand, positive bool) float64 {
	v := r.NormFloat64()
	switch {
	case positive:
		return 0.5 + math.Abs(v)
	case c.away && math.Abs(v) < 0.2:
		return math.Copysign(0.2+math.Abs(v), v)
	}
	return v
}

// differences are the loss's central differences with respect to each element of the tensor called name.
func differences(t *testing.T, m *onnx.Model, feeds map[string]*reference.Array, name string) []float64 {
	t.Helper()
	const h = 1e-5
	base := feeds[name]
	defer func() { feeds[name] = base }()
	loss := func(i int, d float64) float64 {
		moved := &reference.Array{Shape: base.Shape, F: slices.Clone(base.F)}
		moved.F[i] += d
		feeds[name] = moved
		v, err := reference.Evaluate(m, feeds)
		if err != nil {
			t.Fatal(err)
		}
		return v["loss"].F[0]
	}
	grad := make([]float64, len(base.F))
	for i := range grad {
		grad[i] = (loss(i, h) - loss(i, -h)) / (2 * h)
	}
	return grad
}

// distance is the norm of the difference relative to that of want.
func distance(got, want []float64) float64 {
	var d, n float64
	for i := range want {
		d += (got[i] - want[i]) * (got[i] - want[i])
		n += want[i] * want[i]
	}
	return math.Sqrt(d / max(n, 1e-12))
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// exact is an onnx.Runtime over the reference evaluator.
type exact struct{}

type exactSession struct{ m *onnx.Model }

func (exact) NewSession(m *onnx.Model) (onnx.Session, error) { return exactSession{m}, nil }
func (exactSession) Close() error                            { return nil }

func (s exactSession) Run(_ context.Context, feeds onnx.Feeds, outputs ...string) ([]*onnx.Tensor, error) {
	arrays := map[string]*reference.Array{}
	for name, t := range feeds {
		a, err := reference.FromTensor(t)
		if err != nil {
			return nil, err
		}
		arrays[name] = a
	}
	values, err := reference.Evaluate(s.m, arrays)
	if err != nil {
		return nil, err
	}
	if len(outputs) == 0 {
		for _, o := range s.m.Graph.Outputs {
			outputs = append(outputs, o.Name)
		}
	}
	out := make([]*onnx.Tensor, len(outputs))
	for i, name := range outputs {
		out[i] = values[name].Tensor(name)
	}
	return out, nil
}

func tensors(arrays map[string]*reference.Array) onnx.Feeds {
	feeds := onnx.Feeds{}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		feeds[name] = arrays[name].Tensor(name)
	}
	return feeds
}
