package onnx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

func TestUpgradeKeepsOutputsOfRealModels(t *testing.T) {
	for _, c := range realModels {
		t.Run(strings.Join(c.path[1:], "/"), func(t *testing.T) {
			m := load(t, c.path...)
			feeds := feedsFor(m, 2, 5)
			want := run(t, m, feeds)
			for _, opset := range []int64{17, 21} {
				lifted := m.Clone()
				if err := onnx.Upgrade(lifted, opset); err != nil {
					t.Fatal(err)
				}
				if lifted.Opset("") != max(opset, m.Opset("")) {
					t.Errorf("opset is %d, want %d", lifted.Opset(""), opset)
				}
				for i, got := range run(t, lifted, feeds) {
					near(t, got, want[i], 1e-5)
				}
			}
		})
	}
}

// oldNodes are nodes as old opsets write them, for an input x of 2×3×4×4 and constants beside it, up to the last opset in
// which that form is right.
var oldNodes = []struct {
	from, to int64
	node     onnx.Node
	consts   []*onnx.Tensor
}{
	{7, 8, onnx.Node{OpType: "BatchNormalization", Inputs: []string{"x", "c", "c", "c", "c"},
		Attributes: []*onnx.Attribute{onnx.IntAttr("spatial", 1), onnx.FloatAttr("epsilon", 1e-3)}},
		[]*onnx.Tensor{onnx.NewTensor("c", []float32{1, 2, 3}, 3)}},
	{7, 10, onnx.Node{OpType: "Clip", Attributes: []*onnx.Attribute{onnx.FloatAttr("min", -0.5), onnx.FloatAttr("max", 0.25)}}, nil},
	{7, 10, onnx.Node{OpType: "Clip", Attributes: []*onnx.Attribute{onnx.FloatAttr("max", 0.25)}}, nil},
	{7, 11, onnx.Node{OpType: "Dropout", Attributes: []*onnx.Attribute{onnx.FloatAttr("ratio", 0.3)}}, nil},
	{7, 12, onnx.Node{OpType: "Softmax"}, nil},
	{7, 12, onnx.Node{OpType: "Softmax", Attributes: []*onnx.Attribute{onnx.IntAttr("axis", 2)}}, nil},
	{7, 12, onnx.Node{OpType: "Softmax", Attributes: []*onnx.Attribute{onnx.IntAttr("axis", 3)}}, nil},
	{11, 12, onnx.Node{OpType: "LogSoftmax", Attributes: []*onnx.Attribute{onnx.IntAttr("axis", -2)}}, nil},
	{7, 12, onnx.Node{OpType: "Hardmax"}, nil},
	{7, 10, onnx.Node{OpType: "Pad", Attributes: []*onnx.Attribute{onnx.IntsAttr("pads", 0, 0, 1, 2, 0, 0, 3, 1),
		onnx.FloatAttr("value", 1.5)}}, nil},
	{7, 10, onnx.Node{OpType: "Pad", Attributes: []*onnx.Attribute{onnx.IntsAttr("pads", 0, 0, 1, 2, 0, 0, 3, 1),
		onnx.StringAttr("mode", "reflect")}}, nil},
	{7, 12, onnx.Node{OpType: "ReduceSum", Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 1, 3)}}, nil},
	{7, 12, onnx.Node{OpType: "ReduceSum", Attributes: []*onnx.Attribute{onnx.IntAttr("keepdims", 0)}}, nil},
	{7, 17, onnx.Node{OpType: "ReduceMean", Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 2), onnx.IntAttr("keepdims", 0)}}, nil},
	{7, 17, onnx.Node{OpType: "ReduceL2", Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 1)}}, nil},
	{11, 17, onnx.Node{OpType: "ReduceMax", Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", -1)}}, nil},
	{7, 9, onnx.Node{OpType: "Slice", Attributes: []*onnx.Attribute{onnx.IntsAttr("starts", 1, -3), onnx.IntsAttr("ends", 9, -1),
		onnx.IntsAttr("axes", 1, 3)}}, nil},
	{7, 9, onnx.Node{OpType: "Slice", Attributes: []*onnx.Attribute{onnx.IntsAttr("starts", 1), onnx.IntsAttr("ends", 2)}}, nil},
	{7, 12, onnx.Node{OpType: "Split", Outputs: []string{"y", "y2"}, Attributes: []*onnx.Attribute{onnx.IntAttr("axis", 1),
		onnx.IntsAttr("split", 1, 2)}}, nil},
	{7, 17, onnx.Node{OpType: "Split", Outputs: []string{"y", "y2"}, Attributes: []*onnx.Attribute{onnx.IntAttr("axis", 2)}}, nil},
	{7, 12, onnx.Node{OpType: "Unsqueeze", Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 0, 3)}}, nil},
	{7, 12, onnx.Node{OpType: "Squeeze", Inputs: []string{"one"}, Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 1)}},
		[]*onnx.Tensor{random(3, 2, 1, 4, 1)}},
	{7, 12, onnx.Node{OpType: "Squeeze", Inputs: []string{"one"}}, []*onnx.Tensor{random(3, 2, 1, 4, 1)}},
	{7, 9, onnx.Node{OpType: "TopK", Outputs: []string{"y", "y2"}, Attributes: []*onnx.Attribute{onnx.IntAttr("k", 2)}}, nil},
	{7, 8, onnx.Node{OpType: "Upsample", Attributes: []*onnx.Attribute{onnx.FloatsAttr("scales", 1, 1, 2, 3),
		onnx.StringAttr("mode", "nearest")}}, nil},
	{7, 8, onnx.Node{OpType: "Upsample", Attributes: []*onnx.Attribute{onnx.FloatsAttr("scales", 1, 1, 2, 3),
		onnx.StringAttr("mode", "linear")}}, nil},
	{9, 9, onnx.Node{OpType: "Upsample", Inputs: []string{"x", "s"}, Attributes: []*onnx.Attribute{onnx.StringAttr("mode", "nearest")}},
		[]*onnx.Tensor{onnx.NewTensor("s", []float32{1, 1, 2, 2}, 4)}},
	{10, 10, onnx.Node{OpType: "Resize", Inputs: []string{"x", "s"}, Attributes: []*onnx.Attribute{onnx.StringAttr("mode", "linear")}},
		[]*onnx.Tensor{onnx.NewTensor("s", []float32{1, 1, 1.5, 2}, 4)}},
	{9, 10, onnx.Node{OpType: "Scatter", Inputs: []string{"m", "i", "u"}},
		[]*onnx.Tensor{onnx.NewTensor("m", make([]float32, 9), 3, 3), onnx.NewTensor("i", []int64{1, 0, 2}, 1, 3),
			onnx.NewTensor("u", []float32{5, 6, 7}, 1, 3)}},
	{7, 23, onnx.Node{OpType: "Flatten", Attributes: []*onnx.Attribute{onnx.IntAttr("axis", 2)}}, nil},
	{8, 23, onnx.Node{OpType: "MaxPool", Attributes: []*onnx.Attribute{onnx.IntsAttr("kernel_shape", 2, 2)}}, nil},
	{16, 19, onnx.Node{OpType: "GridSample", Inputs: []string{"x", "g"}, Attributes: []*onnx.Attribute{onnx.StringAttr("mode", "bilinear")}},
		[]*onnx.Tensor{onnx.NewTensor("g", []float32{0, 0.5, -0.25, 1, 0, 0, 0.1, 0.2}, 2, 1, 2, 2)}},
	{10, 15, onnx.Node{OpType: "RoiAlign", Inputs: []string{"x", "rois", "at"}, Attributes: []*onnx.Attribute{
		onnx.IntAttr("output_height", 2), onnx.IntAttr("output_width", 2)}},
		[]*onnx.Tensor{onnx.NewTensor("rois", []float32{0, 0, 3, 3}, 1, 4), onnx.NewTensor("at", []int64{1}, 1)}},
}

// oldModel puts a node into a model of an opset. Constants without a name are called "one".
func oldModel(opset int64, n onnx.Node, consts []*onnx.Tensor) *onnx.Model {
	shape := onnx.Shape{onnx.Known(2), onnx.Known(3), onnx.Known(4), onnx.Known(4)}
	g := &onnx.Graph{Name: "old", Inputs: []*onnx.Value{{Name: "x", Type: onnx.Float32, Shape: shape}}}
	if n.Inputs == nil {
		n.Inputs = []string{"x"}
	}
	if n.Outputs == nil {
		n.Outputs = []string{"y"}
	}
	n.Name = "old_" + n.OpType
	g.Nodes = []*onnx.Node{{OpType: "Identity", Inputs: []string{"x"}, Outputs: []string{"x_out"}}, &n}
	for _, c := range consts {
		if c.Name == "" {
			c.Name = "one"
		}
		g.Initializers = append(g.Initializers, c)
	}
	for _, out := range append([]string{"x_out"}, n.Outputs...) {
		g.Outputs = append(g.Outputs, &onnx.Value{Name: out, Type: onnx.Float32})
	}
	if n.OpType == "TopK" {
		g.Outputs[2].Type = onnx.Int64
	}
	return &onnx.Model{IRVersion: 4, Opsets: []onnx.Opset{{Version: opset}}, Graph: g}
}

func TestUpgradeKeepsOutputsOfOldNodes(t *testing.T) {
	feeds := onnx.Feeds{"x": random(5, 2, 3, 4, 4)}
	for i, c := range oldNodes {
		for _, from := range []int64{7, 9, 11, 13, c.from, c.to} {
			if from < c.from || from > c.to {
				continue
			}
			m := oldModel(from, c.node, c.consts).Clone()
			want := run(t, m, feeds, "y")[0]
			for _, to := range []int64{17, 21} {
				t.Run(fmt.Sprint(i, c.node.OpType, from, "to", to), func(t *testing.T) {
					lifted := m.Clone()
					if err := onnx.Upgrade(lifted, to); err != nil {
						t.Fatal(err)
					}
					near(t, run(t, lifted, feeds, "y")[0], want, 1e-6)
				})
			}
		}
	}
}

func TestUpgradeRefusesWhatItCannotProve(t *testing.T) {
	for says, c := range map[string]struct {
		opset int64
		node  onnx.Node
	}{
		"old_BatchNormalization":       {8, onnx.Node{OpType: "BatchNormalization", Attributes: []*onnx.Attribute{onnx.IntAttr("spatial", 0)}}},
		"old_Dropout":                  {9, onnx.Node{OpType: "Dropout", Outputs: []string{"y", "mask"}}},
		"old_Mystery":                  {9, onnx.Node{OpType: "Mystery"}},
		"old_Resize":                   {10, onnx.Node{OpType: "Resize", Inputs: []string{"x", "x"}}},
		"rounds when it makes smaller": {8, onnx.Node{OpType: "Upsample", Attributes: []*onnx.Attribute{onnx.FloatsAttr("scales", 1, 1, .5, .5)}}},
		"between 7 and 23":             {6, onnx.Node{OpType: "Relu"}},
	} {
		m := oldModel(c.opset, c.node, nil)
		before := fmt.Sprintf("%+v", *m.Graph.Nodes[1])
		err := onnx.Upgrade(m, 17)
		if unsupported := new(onnx.UnsupportedError); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want an UnsupportedError that says %s", err, says)
		}
		if m.Opset("") != c.opset || fmt.Sprintf("%+v", *m.Graph.Nodes[1]) != before {
			t.Errorf("%s: a failed upgrade changed the model", says)
		}
	}
}

// TestUpgradeReachesSubgraphsAndFunctions has old forms inside an If and inside a function.
func TestUpgradeReachesSubgraphsAndFunctions(t *testing.T) {
	branch := &onnx.Graph{Name: "branch",
		Nodes: []*onnx.Node{{Name: "in", OpType: "Unsqueeze", Inputs: []string{"x"}, Outputs: []string{"b"},
			Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 0)}}},
		Outputs: []*onnx.Value{{Name: "b", Type: onnx.Float32}}}
	m := oldModel(11, onnx.Node{OpType: "If", Inputs: []string{"yes"}, Outputs: []string{"chosen"}, Attributes: []*onnx.Attribute{
		onnx.GraphAttr("then_branch", branch), onnx.GraphAttr("else_branch", branch)}}, []*onnx.Tensor{onnx.NewTensor("yes", []bool{true})})
	m = m.Clone() // the branches are one graph no longer
	m.IRVersion = 8
	m.Opsets = append(m.Opsets, onnx.Opset{Domain: "local", Version: 1})
	m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "F", Domain: "local", Inputs: []string{"chosen"}, Outputs: []string{"y"}})
	m.Graph.Outputs = []*onnx.Value{{Name: "y", Type: onnx.Float32}}
	m.Functions = []*onnx.Function{{Name: "F", Domain: "local", Inputs: []string{"p"}, Outputs: []string{"q"},
		Opsets: []onnx.Opset{{Version: 11}}, Nodes: []*onnx.Node{{OpType: "ReduceSum", Inputs: []string{"p"}, Outputs: []string{"q"},
			Attributes: []*onnx.Attribute{onnx.IntsAttr("axes", 1), onnx.IntAttr("keepdims", 0)}}}}}
	feeds := onnx.Feeds{"x": random(5, 2, 3, 4, 4)}
	want := run(t, m, feeds)[0]
	if err := onnx.Upgrade(m, 18); err != nil {
		t.Fatal(err)
	}
	if n := m.Graph.Nodes[1].Attributes[0].Graph.Nodes[0]; len(n.Inputs) != 2 {
		t.Errorf("inner node %+v keeps its old form", n)
	}
	if f := m.Functions[0]; f.Opsets[0].Version != 18 || f.Nodes[0].OpType != "Constant" || len(f.Nodes[1].Inputs) != 2 {
		t.Errorf("function %+v keeps its old form", f)
	}
	near(t, run(t, m, feeds)[0], want, 1e-6)
}
