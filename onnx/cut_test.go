package onnx_test

import (
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// TestCutEqualsInnerTensor compares the first feature of each real model, cut out, with the same tensor read from the whole
// model, to which it is added as an output.
func TestCutEqualsInnerTensor(t *testing.T) {
	for _, c := range realModels {
		t.Run(strings.Join(c.path[1:], "/"), func(t *testing.T) {
			m := load(t, c.path...)
			feeds := feedsFor(m, 2, 5)
			whole := m.Clone()
			if !hasOutput(whole, c.want.Tensor) {
				whole.Graph.Outputs = append(whole.Graph.Outputs, &onnx.Value{Name: c.want.Tensor, Type: onnx.Float32})
			}
			want := run(t, whole, feeds, c.want.Tensor)[0]

			nodes := len(m.Graph.Nodes)
			cut := m.Clone()
			if err := onnx.Cut(cut, c.want.Tensor); err != nil {
				t.Fatal(err)
			}
			if c.want.Kind == onnx.Penultimate && len(cut.Graph.Nodes) >= nodes {
				t.Errorf("still %d nodes of %d", len(cut.Graph.Nodes), nodes)
			}
			if len(m.Graph.Nodes) != nodes {
				t.Errorf("cutting the clone changed the original")
			}
			near(t, run(t, cut, feeds)[0], want, 1e-6)
		})
	}
}

func hasOutput(m *onnx.Model, name string) bool {
	for _, v := range m.Graph.Outputs {
		if v.Name == name {
			return true
		}
	}
	return false
}

// chain builds x → Relu → MatMul(w) → hidden → Gemm(v) → logits with an If between that reads a weight of its own from
// outside, a second input for an output that will go, and types of inner tensors.
func chain(t *testing.T) *onnx.Model {
	t.Helper()
	m := &onnx.Model{Opsets: []onnx.Opset{{Version: 17}}}
	b := onnx.NewBuilder(m)
	x := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(3))
	y := b.Input("y", onnx.Float32, onnx.Param("N"), onnx.Known(3))
	b.Const("outer", random(1, 1, 3))
	b.Const("unused", random(2, 9, 9, 9))
	branch := func(op, name string) *onnx.Graph {
		return &onnx.Graph{Name: name,
			Nodes:   []*onnx.Node{{Name: name, OpType: op, Inputs: []string{"x", "outer"}, Outputs: []string{name + "_out"}}},
			Outputs: []*onnx.Value{{Name: name + "_out", Type: onnx.Float32}}}
	}
	cond := b.Const("cond", onnx.NewTensor("", []bool{true}))
	chosen := b.Op("If", []*onnx.Value{cond}, onnx.GraphAttr("then_branch", branch("Add", "then")),
		onnx.GraphAttr("else_branch", branch("Sub", "else")))
	hidden := b.Op("MatMul", []*onnx.Value{b.Relu(chosen), b.Const("w", random(3, 3, 4))})
	hidden = b.Identity(hidden)
	b.Output(hidden, "hidden")
	m.Graph.Outputs = nil
	b.Output(b.Gemm(b.Value("hidden"), b.Const("v", random(4, 2, 4)), nil, true), "logits")
	b.Output(b.Add(x, y), "sum")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	m.Graph.Values = []*onnx.Value{{Name: "hidden", Type: onnx.Float32}, {Name: "sum", Type: onnx.Float32}, {Name: "gone"}}
	m.Functions = []*onnx.Function{{Name: "F", Domain: "local"}}
	return m
}

func TestCutRemovesWhatIsNotUsed(t *testing.T) {
	m := chain(t)
	feeds := onnx.Feeds{"x": random(9, 2, 3), "y": random(8, 2, 3)}
	whole := m.Clone()
	whole.Functions = nil
	whole.Graph.Outputs = append(whole.Graph.Outputs, &onnx.Value{Name: "hidden", Type: onnx.Float32})
	want := run(t, whole, feeds, "hidden")[0]
	if err := onnx.Cut(m, "hidden"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, in := range m.Graph.Inputs {
		names = append(names, in.Name)
	}
	for _, w := range m.Graph.Initializers {
		names = append(names, w.Name)
	}
	if got := strings.Join(names, " "); got != "x outer cond w" {
		t.Errorf("inputs and weights left: %s; want x outer cond w", got)
	}
	if len(m.Graph.Values) != 0 || len(m.Functions) != 0 {
		t.Errorf("stale types %v or functions %v are left", m.Graph.Values, m.Functions)
	}
	delete(feeds, "y")
	near(t, run(t, m, feeds)[0], want, 0)
}

func TestCutNamesNearMiss(t *testing.T) {
	m := chain(t)
	nodes := len(m.Graph.Nodes)
	for name, says := range map[string]string{"Hiden": `"hidden"`, "xyzzy_plugh": `no tensor "xyzzy_plugh"`} {
		err := onnx.Cut(m, name)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("cut at %q: error %v, want one that says %s", name, err, says)
		}
	}
	if err := onnx.Cut(m); err == nil {
		t.Error("a cut at nothing should be an error")
	}
	if len(m.Graph.Nodes) != nodes {
		t.Error("a failed cut changed the graph")
	}
}

func TestCutAtInputAndWeight(t *testing.T) {
	m := chain(t)
	if err := onnx.Cut(m, "x"); err != nil {
		t.Fatal(err)
	}
	if len(m.Graph.Nodes) != 0 || len(m.Graph.Inputs) != 1 || len(m.Graph.Initializers) != 0 {
		t.Errorf("left: %+v", onnx.Inspect(m))
	}
}

func TestRenameReachesSubgraphs(t *testing.T) {
	m := chain(t)
	feeds := onnx.Feeds{"x": random(9, 2, 3), "y": random(8, 2, 3)}
	m.Functions, m.Graph.Values = nil, m.Graph.Values[:1]
	m.Graph.Annotations = []onnx.Annotation{{Tensor: "hidden", Parameters: []onnx.Property{{Key: "SCALE_TENSOR", Value: "outer"}}}}
	want := run(t, m, feeds, "logits")[0]
	for old, name := range map[string]string{"x": "pixels", "outer": "shift", "hidden": "features", "logits": "scores"} {
		if err := onnx.Rename(m, old, name); err != nil {
			t.Fatal(err)
		}
	}
	if a := m.Graph.Annotations[0]; a.Tensor != "features" || a.Parameters[0].Value != "shift" || m.Graph.Values[0].Name != "features" {
		t.Errorf("annotation %+v and value_info %q keep old names", a, m.Graph.Values[0].Name)
	}
	near(t, run(t, m, onnx.Feeds{"pixels": feeds["x"], "y": feeds["y"]}, "scores")[0], want, 0)
	for _, bad := range [][2]string{{"nothing", "z"}, {"pixels", "y"}, {"pixels", ""}} {
		if err := onnx.Rename(m, bad[0], bad[1]); err == nil {
			t.Errorf("renaming %q to %q should be an error", bad[0], bad[1])
		}
	}
}
