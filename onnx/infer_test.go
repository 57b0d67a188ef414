package onnx_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// TestShapeEqualsRun compares what is known of shapes and types beforehand with those that running the models gives, for
// inner tensors all over each model, and sees that much is known.
func TestShapeEqualsRun(t *testing.T) {
	for _, c := range realModels {
		t.Run(strings.Join(c.path[1:], "/"), func(t *testing.T) {
			m := load(t, c.path...).Clone()
			feeds := feedsFor(m, 2, 5)
			x := onnx.NewIndex(m.Graph)
			var tensors []string
			m.Graph.Outputs = nil
			for _, n := range m.Graph.Nodes {
				for _, out := range n.Outputs {
					if out != "" {
						tensors = append(tensors, out)
						m.Graph.Outputs = append(m.Graph.Outputs, &onnx.Value{Name: out, Type: x.Type(out)})
					}
				}
			}
			named, unknown := map[string]int64{}, 0
			for i, got := range run(t, m, feeds, tensors...) {
				name := tensors[i]
				if x.Type(name) != got.Type {
					t.Errorf("%s is %v, said to be %v", name, got.Type, x.Type(name))
				}
				shape := x.Shape(name)
				if shape == nil {
					unknown++
					continue
				}
				if got.Shape = slices.Clone(got.Shape); len(shape) != len(got.Shape) {
					t.Errorf("%s has shape %v, said to be %v", name, got.Shape, shape)
					continue
				}
				for k, d := range shape {
					size, seen := named[d.Param]
					switch {
					case d.Known && d.Size != got.Shape[k], d.Param != "" && seen && size != got.Shape[k]:
						t.Errorf("%s has shape %v, said to be %v", name, got.Shape, shape)
					case d.Param != "":
						named[d.Param] = got.Shape[k]
					}
				}
			}
			if unknown*20 > len(tensors) {
				t.Errorf("of %d of %d tensors not even the rank is known", unknown, len(tensors))
			}
		})
	}
}

// TestShapeOfHostileGraphs has ranks and contents that double with every node: they must not take memory without end.
func TestShapeOfHostileGraphs(t *testing.T) {
	g := &onnx.Graph{Initializers: []*onnx.Tensor{onnx.NewTensor("i0", []int64{1, 2}, 2), onnx.NewTensor("r0", []int64{0}, 1, 1),
		onnx.NewTensor("z", []int64{0, 1 << 40}, 2)}}
	for i := range 100 {
		from, to := string(rune('a'+i%2)), string(rune('a'+(i+1)%2))
		if i == 0 {
			from = ""
		}
		name := func(prefix, s string) string {
			if s == "" {
				return prefix + "0"
			}
			return prefix + s + strings.Repeat("'", i/2)
		}
		g.Nodes = append(g.Nodes,
			&onnx.Node{OpType: "Concat", Inputs: []string{name("i", from), name("i", from)}, Outputs: []string{name("i", to) + "n"}},
			&onnx.Node{OpType: "Identity", Inputs: []string{name("i", to) + "n"}, Outputs: []string{name("i", to)}},
			&onnx.Node{OpType: "Gather", Inputs: []string{name("r", from), name("r", from)}, Outputs: []string{name("r", to)}})
	}
	g.Nodes = append(g.Nodes,
		&onnx.Node{OpType: "ConstantOfShape", Inputs: []string{"z"}, Outputs: []string{"empty"},
			Attributes: []*onnx.Attribute{onnx.TensorAttr("value", onnx.NewTensor("", []int64{1}, 1))}},
		&onnx.Node{OpType: "Transpose", Inputs: []string{"empty"}, Outputs: []string{"turned"}})
	x := onnx.NewIndex(g)
	if got := x.Shape("turned"); len(got) != 2 || got[0].Size != 1<<40 {
		t.Errorf("shape %v, want 2⁴⁰×0", got)
	}
}

func TestIndexOrder(t *testing.T) {
	node := func(name string, in ...string) *onnx.Node {
		return &onnx.Node{Name: name, OpType: "Sum", Inputs: in, Outputs: []string{name}}
	}
	a, b, c, d := node("a", "x"), node("b", "a"), node("c", "b", "a"), node("d", "x")
	for _, nodes := range [][]*onnx.Node{{a, b, c, d}, {c, b, a, d}, {d, c, a, b}} {
		order, ok := onnx.NewIndex(&onnx.Graph{Nodes: nodes}).Order()
		if !ok || len(order) != 4 || slices.Index(order, a) > slices.Index(order, b) || slices.Index(order, b) > slices.Index(order, c) {
			t.Errorf("order %v of %v", order, nodes)
		}
	}
	if order, _ := onnx.NewIndex(&onnx.Graph{Nodes: []*onnx.Node{a, d, b, c}}).Order(); !slices.Equal(order, []*onnx.Node{a, d, b, c}) {
		t.Error("nodes in order should keep it")
	}
	if _, ok := onnx.NewIndex(&onnx.Graph{Nodes: []*onnx.Node{node("a", "b"), node("b", "a")}}).Order(); ok {
		t.Error("a cycle has no order")
	}
}

func TestIndexSource(t *testing.T) {
	half := &onnx.Tensor{Name: "half", Type: onnx.Float16, Shape: []int64{1}, Data: []byte{0, 0x3c}}
	g := &onnx.Graph{Initializers: []*onnx.Tensor{half}, Nodes: []*onnx.Node{
		{OpType: "Cast", Inputs: []string{"half"}, Outputs: []string{"w"}, Attributes: []*onnx.Attribute{onnx.IntAttr("to", 1)}},
		{OpType: "Identity", Inputs: []string{"w"}, Outputs: []string{"tied"}},
		{OpType: "Constant", Outputs: []string{"five"}, Attributes: []*onnx.Attribute{onnx.IntAttr("value_int", 5)}},
		{OpType: "Relu", Inputs: []string{"tied"}, Outputs: []string{"y"}},
	}}
	x := onnx.NewIndex(g)
	if got, via := x.Source("tied"); got != half || len(via) != 2 || via[0].OpType != "Identity" {
		t.Errorf("source %v via %v", got, via)
	}
	if x.Constant("tied") != nil || x.Constant("half") != half {
		t.Error("a value behind Cast is no constant as it lies, a weight is")
	}
	if five := x.Constant("five"); five == nil || five.Type != onnx.Int64 || five.Data[0] != 5 {
		t.Errorf("constant %v", five)
	}
	if got, _ := x.Source("y"); got != nil {
		t.Errorf("source %v of what is computed", got)
	}
}
