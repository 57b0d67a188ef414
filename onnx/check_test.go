package onnx

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// goodModel returns a model that passes Check and has a part of every kind: initializers, an optional argument left out, a
// subgraph that reads from outside, a function, a sparse initializer, an operator of another domain.
func goodModel() *Model {
	values := NewTensor("s", []float32{1, 2}, 2)
	return &Model{
		IRVersion: 8,
		Opsets:    []Opset{{Domain: "", Version: 17}, {Domain: "com.example", Version: 1}},
		Functions: []*Function{{
			Domain: "com.example", Name: "Twice", Inputs: []string{"a"}, Outputs: []string{"b"}, Attributes: []string{"k"},
			Opsets: []Opset{{Version: 18}},
			Nodes: []*Node{
				{OpType: "Add", Inputs: []string{"a", "a"}, Outputs: []string{"c"}},
				{OpType: "Softmax", Inputs: []string{"c"}, Outputs: []string{"b"},
					Attributes: []*Attribute{{Name: "axis", Type: AttrInt, RefName: "k"}}},
			},
		}},
		Graph: &Graph{
			Name:               "g",
			Inputs:             []*Value{{Name: "x", Type: Float32, Shape: Shape{Param("N"), Known(4)}}},
			Initializers:       []*Tensor{NewTensor("w", []float32{1, 2, 3, 4}, 4), NewTensor("yes", []bool{true})},
			SparseInitializers: []*SparseTensor{{Values: values, Indices: NewTensor("", []int64{0, 3}, 2), Dims: []int64{4}}},
			Nodes: []*Node{
				{Name: "first", OpType: "Add", Inputs: []string{"x", "w"}, Outputs: []string{"y"}},
				{Name: "clip", OpType: "Clip", Inputs: []string{"y", "", "w"}, Outputs: []string{"z"}},
				{Name: "twice", OpType: "Twice", Domain: "com.example", Inputs: []string{"z"}, Outputs: []string{"t"}},
				{Name: "alien", OpType: "Anything", Domain: "com.example", Inputs: []string{"s"}, Outputs: []string{"u"},
					Attributes: []*Attribute{IntAttr("whatever", 1)}},
				{Name: "if", OpType: "If", Inputs: []string{"yes"}, Outputs: []string{"out"}, Attributes: []*Attribute{
					GraphAttr("then_branch", branch("t")), GraphAttr("else_branch", branch("z"))}},
			},
			Outputs: []*Value{{Name: "out", Type: Float32}, {Name: "u"}},
		},
	}
}

// branch returns a subgraph that reads one name from outside.
func branch(reads string) *Graph {
	return &Graph{
		Nodes:   []*Node{{Name: "inner", OpType: "Relu", Inputs: []string{reads}, Outputs: []string{"r"}}},
		Outputs: []*Value{{Name: "r"}},
	}
}

func TestCheckAccepts(t *testing.T) {
	if err := Check(goodModel()); err != nil {
		t.Error(err)
	}
	m := goodModel()
	m.Opsets[0] = Opset{Domain: "ai.onnx", Version: 17}
	m.Graph.Inputs = append(m.Graph.Inputs, &Value{Name: "w", Type: Float32}) // an initializer as a default
	m.Graph.Nodes[0].Domain = "ai.onnx"
	m.Graph.Nodes[0].Outputs = append(m.Graph.Nodes[0].Outputs[:0], "y")
	if err := Check(m); err != nil {
		t.Error(err)
	}
}

// faults changes goodModel in ways that break one rule each.
var faults = []struct {
	name  string
	spoil func(m *Model)
	want  string // part of the message; empty where Where says all
	where Where
}{
	{"input nobody makes", func(m *Model) { m.Graph.Nodes[1].Inputs[2] = "nobody" }, `input 2, "nobody", is made by no graph input`,
		Where{Op: "Clip", Node: "clip", Index: 1}},
	{"input made later", func(m *Model) { m.Graph.Nodes[0].Inputs[0] = "z" }, `the later node 1 (Clip "clip")`,
		Where{Op: "Add", Node: "first"}},
	{"input of itself", func(m *Model) { m.Graph.Nodes[0].Inputs[0] = "y" }, `the node itself`, Where{Op: "Add", Node: "first"}},
	{"inner name read outside", func(m *Model) { m.Graph.Outputs[1].Name = "r" }, "graph output 1", Where{Tensor: "r"}},
	{"missing in a subgraph", func(m *Model) { subgraphs(m.Graph.Nodes[4])[1].Nodes[0].Inputs[0] = "lost" }, `"lost"`,
		Where{Scope: `node 4 (If "if") else_branch`, Op: "Relu", Node: "inner"}},
	{"subgraph output", func(m *Model) { subgraphs(m.Graph.Nodes[4])[0].Outputs[0].Name = "q" }, "graph output 0",
		Where{Scope: `node 4 (If "if") then_branch`, Tensor: "q"}},
	{"subgraph makes an outer name", func(m *Model) { subgraphs(m.Graph.Nodes[4])[0].Nodes[0].Outputs[0] = "y" }, "second time",
		Where{Scope: `node 4 (If "if") then_branch`, Op: "Relu", Node: "inner"}},
	{"function sees the graph", func(m *Model) { m.Functions[0].Nodes[0].Inputs[0] = "x" }, `"x"`,
		Where{Scope: "function com.example.Twice", Op: "Add"}},
	{"function output", func(m *Model) { m.Functions[0].Outputs[0] = "d" }, "output 0", Where{Scope: "function com.example.Twice"}},
	{"function twice", func(m *Model) { m.Functions = append(m.Functions, m.Functions[0]) }, "defined twice",
		Where{Scope: "function com.example.Twice"}},
	{"function without imports", func(m *Model) { m.Functions[0].Opsets = nil }, "no operator set",
		Where{Scope: "function com.example.Twice"}},
	{"two nodes make one name", func(m *Model) { m.Graph.Nodes[1].Outputs[0] = "y" }, `"y" is made a second time`,
		Where{Op: "Clip", Node: "clip", Index: 1}},
	{"a node makes an input", func(m *Model) { m.Graph.Nodes[0].Outputs[0] = "x" }, "second time", Where{Op: "Add", Node: "first"}},
	{"a node makes a weight", func(m *Model) { m.Graph.Nodes[0].Outputs[0] = "w" }, "second time", Where{Op: "Add", Node: "first"}},
	{"initializer twice", func(m *Model) { m.Graph.Initializers[1].Name = "w" }, "second time", Where{Tensor: "w"}},
	{"input twice", func(m *Model) { m.Graph.Inputs = append(m.Graph.Inputs, m.Graph.Inputs[0]) }, "second time", Where{Tensor: "x"}},
	{"sparse twice", func(m *Model) { m.Graph.SparseInitializers[0].Values.Name = "w" }, "second time", Where{Tensor: "w"}},
	{"initializer without name", func(m *Model) { m.Graph.Initializers[1].Name = "" }, "initializer 1 has no name", Where{}},
	{"input without name", func(m *Model) { m.Graph.Inputs[0].Name = "" }, "graph input 0 has no name", Where{}},
	{"input without type", func(m *Model) { m.Graph.Inputs[0].Type = Undefined }, "no type", Where{Tensor: "x"}},
	{"input of unknown type", func(m *Model) { m.Graph.Inputs[0].Type = 77 }, "77", Where{Tensor: "x"}},
	{"too little data", func(m *Model) { m.Graph.Initializers[0].Data = make([]byte, 15) }, "15 bytes of data", Where{Tensor: "w"}},
	{"too much data", func(m *Model) { m.Graph.Initializers[0].Shape = []int64{3} }, "16 bytes of data", Where{Tensor: "w"}},
	{"negative dimension", func(m *Model) { m.Graph.Initializers[0].Shape = []int64{-4} }, "negative", Where{Tensor: "w"}},
	{"dimensions overflow", func(m *Model) { m.Graph.Initializers[0].Shape = []int64{1 << 32, 1 << 32} }, "too many elements",
		Where{Tensor: "w"}},
	{"bytes overflow", func(m *Model) { m.Graph.Initializers[0].Shape = []int64{math.MaxInt64 / 2} }, "too many bytes", Where{Tensor: "w"}},
	{"unknown element type", func(m *Model) { m.Graph.Initializers[0].Type = 99 }, "element type 99", Where{Tensor: "w"}},
	{"strings missing", func(m *Model) { m.Graph.Initializers[0].Type = String }, "0 strings", Where{Tensor: "w"}},
	{"sparse without indices", func(m *Model) { m.Graph.SparseInitializers[0].Indices = nil }, "without indices", Where{Tensor: "s"}},
	{"sparse without values", func(m *Model) { m.Graph.SparseInitializers[0].Values = nil }, "no name", Where{}},
	{"sparse indices too few", func(m *Model) { m.Graph.SparseInitializers[0].Indices = NewTensor("", []int64{0}, 1) }, "[n, 1]",
		Where{Tensor: "s"}},
	{"attribute twice", func(m *Model) { a := &m.Graph.Nodes[3].Attributes; *a = append(*a, IntAttr("whatever", 2)) }, "given twice",
		Where{Op: "Anything", Node: "alien", Index: 3}},
	{"attribute unknown", func(m *Model) { m.Graph.Nodes[0].SetAttr(IntAttr("axis", 1)) }, `"axis" is unknown`, Where{Op: "Add", Node: "first"}},
	{"attribute missing", func(m *Model) { m.Graph.Nodes[4].DropAttr("else_branch") }, `"else_branch" is missing`,
		Where{Op: "If", Node: "if", Index: 4}},
	{"attribute of another type", func(m *Model) { m.Graph.Nodes[4].SetAttr(IntAttr("else_branch", 1)) }, "of type graph",
		Where{Op: "If", Node: "if", Index: 4}},
	{"attribute without a value", func(m *Model) { m.Graph.Nodes[4].SetAttr(GraphAttr("else_branch", nil)) }, "holds none",
		Where{Op: "If", Node: "if", Index: 4}},
	{"attribute without a type", func(m *Model) { m.Graph.Nodes[3].Attributes[0].Type = 0 }, "no type",
		Where{Op: "Anything", Node: "alien", Index: 3}},
	{"attribute without a name", func(m *Model) { m.Graph.Nodes[3].Attributes[0].Name = "" }, "no name",
		Where{Op: "Anything", Node: "alien", Index: 3}},
	{"bad tensor in an attribute", func(m *Model) {
		m.Graph.Nodes[3].SetAttr(TensorAttr("value", &Tensor{Type: Float32, Shape: []int64{2}}))
	}, "0 bytes of data", Where{Op: "Anything", Node: "alien", Index: 3, Tensor: "value"}},
	{"reference outside a function", func(m *Model) { m.Graph.Nodes[3].Attributes[0].RefName = "k" }, "outside any function",
		Where{Op: "Anything", Node: "alien", Index: 3}},
	{"too few inputs", func(m *Model) { m.Graph.Nodes[0].Inputs = []string{"x"} }, "1 inputs; the operator has 2", Where{Op: "Add", Node: "first"}},
	{"too many inputs", func(m *Model) { m.Graph.Nodes[1].Inputs = []string{"y", "w", "w", "w"} }, "at most 3",
		Where{Op: "Clip", Node: "clip", Index: 1}},
	{"too many outputs", func(m *Model) { m.Graph.Nodes[0].Outputs = []string{"y", "y2"} }, "2 outputs", Where{Op: "Add", Node: "first"}},
	{"needed input left out", func(m *Model) { m.Graph.Nodes[0].Inputs[1] = "" }, "input 1 is left out", Where{Op: "Add", Node: "first"}},
	{"no operator", func(m *Model) { m.Graph.Nodes[0].OpType = "" }, `node 0 ("first") has no operator`, Where{Node: "first"}},
	{"operator of a later opset", func(m *Model) { m.Graph.Nodes[0].OpType = "Gelu" }, "came with opset 20", Where{Op: "Gelu", Node: "first"}},
	{"operator taken out", func(m *Model) { m.Graph.Nodes[0].OpType = "Upsample" }, "taken out with opset 10",
		Where{Op: "Upsample", Node: "first"}},
	{"domain not imported", func(m *Model) { m.Opsets = m.Opsets[:1] }, `"com.example"`, Where{Op: "Anything", Node: "alien", Index: 3}},
	{"no imports", func(m *Model) { m.Opsets = nil }, "no operator set is imported", Where{}},
	{"two versions", func(m *Model) { m.Opsets = append(m.Opsets, Opset{Domain: "ai.onnx", Version: 13}) }, "versions 17 and 13", Where{}},
	{"version zero", func(m *Model) { m.Opsets[1].Version = 0 }, "version 0", Where{}},
	{"no graph", func(m *Model) { m.Graph = nil }, "no graph", Where{}},
	{"no IR version", func(m *Model) { m.IRVersion = 0 }, "no IR version", Where{}},
}

func TestCheckFindsFaults(t *testing.T) {
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			m := goodModel()
			c.spoil(m)
			err := Check(m)
			var malformed *MalformedError
			if !errors.As(err, &malformed) {
				t.Fatalf("got %v, want a MalformedError", err)
			}
			if malformed.Where != c.where {
				t.Errorf("at %+v, want %+v", malformed.Where, c.where)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "onnx: "+c.where.String()) {
				t.Errorf("got %v, want it to say %s", err, c.want)
			}
		})
	}
}

func TestCheckKnowsItsLimits(t *testing.T) {
	for name, spoil := range map[string]func(m *Model){
		"opset 6":          func(m *Model) { m.Opsets[0].Version = 6 },
		"opset 24":         func(m *Model) { m.Opsets[0].Version = 24 },
		"IR version 14":    func(m *Model) { m.IRVersion = 14 },
		"IR version 2":     func(m *Model) { m.IRVersion = 2 },
		"unknown operator": func(m *Model) { m.Graph.Nodes[0].OpType = "Frobnicate" },
	} {
		m := goodModel()
		spoil(m)
		var unsupported *UnsupportedError
		if err := Check(m); !errors.As(err, &unsupported) {
			t.Errorf("%s: got %v, want an UnsupportedError", name, err)
		}
	}
}

// The same operator means different things in different opsets.
func TestCheckFollowsOpsets(t *testing.T) {
	squeeze := &Node{OpType: "Squeeze", Inputs: []string{"x"}, Outputs: []string{"y"}, Attributes: []*Attribute{IntsAttr("axes", 1)}}
	for opset, ok := range map[int64]bool{7: true, 11: true, 12: true, 13: false, 23: false} {
		m := &Model{IRVersion: 4, Opsets: []Opset{{Version: opset}}, Graph: &Graph{
			Inputs: []*Value{{Name: "x", Type: Float32}}, Nodes: []*Node{squeeze}, Outputs: []*Value{{Name: "y"}}}}
		if err := Check(m); (err == nil) != ok {
			t.Errorf("opset %d: %v", opset, err)
		}
	}
	pad := func(opset int64, attributes ...*Attribute) error {
		return Check(&Model{IRVersion: 4, Opsets: []Opset{{Version: opset}}, Graph: &Graph{
			Inputs: []*Value{{Name: "x", Type: Float32}}, Outputs: []*Value{{Name: "y"}},
			Nodes: []*Node{{OpType: "Pad", Inputs: []string{"x"}, Outputs: []string{"y"}, Attributes: attributes}}}})
	}
	if err := pad(10, IntsAttr("pads", 0, 1), FloatAttr("value", 1)); err != nil {
		t.Error(err)
	}
	if err := pad(10, IntsAttr("pads", 0, 1), TensorAttr("value", NewTensor("", []float32{1}))); err == nil {
		t.Error("a tensor passed as Pad's value")
	}
}

// The table must be sorted for the search, and every attribute in it have a type.
func TestOperatorTable(t *testing.T) {
	types := typesOfAttributes()
	for i, op := range operators {
		if i > 0 && (op.name < operators[i-1].name || op.name == operators[i-1].name && op.since <= operators[i-1].since) {
			t.Errorf("%s %d is out of order", op.name, op.since)
		}
		for name := range strings.FieldsSeq(op.attributes) {
			if types[strings.TrimSuffix(name, "!")] == AttrUndefined {
				t.Errorf("%s: attribute %s has no type", op.name, name)
			}
		}
	}
}
