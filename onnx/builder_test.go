package onnx

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// newTestModel returns an empty model of an opset with a float32 input x of the given dimensions.
func newTestModel(opset int64, dims ...Dim) (*Model, *Builder, *Value) {
	m := &Model{Opsets: []Opset{{Version: opset}}, Graph: &Graph{Name: "test"}}
	b := NewBuilder(m)
	return m, b, b.Input("x", Float32, dims...)
}

func TestBuilderNamesAreFreshAndScoped(t *testing.T) {
	m, b, x := newTestModel(17, Param("N"), Known(4))
	head := b.Scope("head")
	y := head.Relu(head.Relu(x))
	z := b.Relu(y)
	head.Output(z, "logits")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range m.Graph.Nodes {
		names = append(names, n.Name)
	}
	if want := []string{"head/Relu", "head/Relu_1", "Relu"}; !slices.Equal(names, want) {
		t.Errorf("node names %q, want %q", names, want)
	}
	if got := m.Graph.Nodes[2].Outputs[0]; got != "logits" || len(m.Graph.Nodes) != 3 {
		t.Errorf("the last node makes %q in %d nodes, want logits in 3: Output should rename", got, len(m.Graph.Nodes))
	}
	if out := m.Graph.Outputs[0]; out.Type != Float32 || len(out.Shape) != 2 || out.Shape[1].Size != 4 {
		t.Errorf("output is %v %v, want float32 N×4", out.Type, out.Shape)
	}
}

func TestBuilderOutputAddsIdentityOnlyWhereItMust(t *testing.T) {
	m, b, x := newTestModel(17, Param("N"), Known(4))
	y := b.Relu(x)
	b.Output(y, "a")
	b.Output(y, "b")
	b.Output(x, "c")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	ops := Inspect(m).Ops
	if ops["Identity"] != 2 || ops["Relu"] != 1 {
		t.Errorf("ops %v, want one Relu and an Identity for each of b and c", ops)
	}
}

func TestBuilderOutputTakesNameFromInnerTensor(t *testing.T) {
	m, b, x := newTestModel(17, Known(2))
	inner := b.Relu(x)
	if err := Rename(m, inner.Name, "logits"); err != nil {
		t.Fatal(err)
	}
	b = NewBuilder(m)
	b.Output(b.Neg(b.Value("logits")), "logits")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	last := m.Graph.Nodes[1]
	if last.Outputs[0] != "logits" || last.Inputs[0] != m.Graph.Nodes[0].Outputs[0] || last.Inputs[0] == "logits" {
		t.Errorf("nodes %+v %+v: the inner tensor should have given way", m.Graph.Nodes[0], last)
	}
}

func TestBuilderSharesSmallConstants(t *testing.T) {
	m, b, x := newTestModel(17, Known(2))
	b.Add(b.Mul(x, b.Float(2)), b.Float(2))
	b.Mul(x, b.Float(3))
	b.Reshape(x, 2)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if got := len(m.Graph.Initializers); got != 3 {
		t.Errorf("%d initializers, want 3 (2, 3 and the int64 [2])", got)
	}
}

func TestBuilderErrorSticks(t *testing.T) {
	_, b, x := newTestModel(17, Known(2))
	y := b.Add(x, b.Value("weigth"))
	b.Scope("more").Softmax(y, -1)
	b.Output(y, "y")
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), `"weigth"`) {
		t.Errorf("error %v, want the first: no tensor weigth", err)
	}
	first := b.Err()
	b.Fail(errors.New("later"))
	if b.Err() != first {
		t.Errorf("a later error took the first one's place")
	}
}

// TestBuilderFollowsOpset says for each operator and opset whether its parameter is an attribute or an input.
func TestBuilderFollowsOpset(t *testing.T) {
	build := map[string]func(b *Builder, x *Value) *Value{
		"ReduceSum":  func(b *Builder, x *Value) *Value { return b.ReduceSum(x, true, -1) },
		"ReduceMean": func(b *Builder, x *Value) *Value { return b.ReduceMean(x, false, 1) },
		"Squeeze":    func(b *Builder, x *Value) *Value { return b.Squeeze(x, 0) },
		"Unsqueeze":  func(b *Builder, x *Value) *Value { return b.Unsqueeze(x, -1) },
		"Slice":      func(b *Builder, x *Value) *Value { return b.Slice(x, []int64{0}, []int64{1}, []int64{1}) },
		"Split":      func(b *Builder, x *Value) *Value { return b.Split(x, 1, 2, 3)[0] },
		"Clip":       func(b *Builder, x *Value) *Value { return b.Clip(x, 0, 6) },
		"Pad":        func(b *Builder, x *Value) *Value { return b.Pad(x, 0, 1, 0, 1) },
		"TopK":       func(b *Builder, x *Value) *Value { v, _ := b.TopK(x, 2, -1); return v },
	}
	inputsFrom := map[string]int64{"ReduceSum": 13, "ReduceMean": 18, "Squeeze": 13, "Unsqueeze": 13, "Slice": 10,
		"Split": 13, "Clip": 11, "Pad": 11, "TopK": 10}
	attr := map[string]string{"ReduceSum": "axes", "ReduceMean": "axes", "Squeeze": "axes", "Unsqueeze": "axes",
		"Slice": "starts", "Split": "split", "Clip": "max", "Pad": "pads", "TopK": "k"}
	for op, f := range build {
		for _, opset := range []int64{7, 9, 10, 11, 12, 13, 17, 18, 21} {
			m, b, x := newTestModel(opset, Known(1), Known(5))
			f(b, x)
			if err := b.Err(); err != nil {
				t.Fatalf("%s opset %d: %v", op, opset, err)
			}
			n := m.Graph.Nodes[len(m.Graph.Nodes)-1]
			asInput := opset >= inputsFrom[op]
			if (len(n.Inputs) > 1) != asInput || (n.Attr(attr[op]) != nil) == asInput {
				t.Errorf("%s opset %d: inputs %q, attributes %v", op, opset, n.Inputs, n.Attributes)
			}
			if axes := n.Ints("axes"); opset < 11 && len(axes) > 0 && axes[0] < 0 {
				t.Errorf("%s opset %d: axes %v count from the back", op, opset, axes)
			}
		}
	}
}

func TestBuilderSoftmaxOverInnerAxisBefore13(t *testing.T) {
	m, b, x := newTestModel(11, Known(2), Known(3), Known(4))
	y := b.Softmax(x, 1)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	ops := Inspect(m).Ops
	if ops["Transpose"] != 2 || m.Graph.Nodes[1].Int("axis", 0) != 2 {
		t.Errorf("ops %v: want the axis moved last and back", ops)
	}
	if len(y.Shape) != 3 || y.Shape[1].Size != 3 {
		t.Errorf("shape %v, want that of x", y.Shape)
	}
}

func TestBuilderRaisesOldIRVersion(t *testing.T) {
	m := &Model{IRVersion: 3, Opsets: []Opset{{Version: 7}}, Graph: &Graph{
		Inputs:       []*Value{{Name: "x", Type: Float32}, {Name: "w", Type: Float32}},
		Initializers: []*Tensor{float32Tensor([]int64{1}, 1)},
	}}
	m.Graph.Initializers[0].Name = "w"
	NewBuilder(m)
	if m.IRVersion != 4 || len(m.Graph.Inputs) != 1 {
		t.Errorf("IR version %d with %d inputs, want 4 with the one that is no weight", m.IRVersion, len(m.Graph.Inputs))
	}
}
