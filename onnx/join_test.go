package onnx_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// headOf builds a head of D features and 3 classes: two layers, with names that backbones use too.
func headOf(t *testing.T, opset, dim int64) *onnx.Model {
	t.Helper()
	m := &onnx.Model{Opsets: []onnx.Opset{{Version: opset}}, Metadata: []onnx.Property{{Key: "head", Value: "mlp"}}}
	b := onnx.NewBuilder(m)
	x := b.Input("features", onnx.Float32, onnx.Param("N"), onnx.Known(dim))
	h := b.Relu(b.Gemm(x, b.Const("w", random(1, 4, dim)), b.Const("b", random(2, 4)), true))
	b.Output(b.Softmax(b.Gemm(h, b.Const("v", random(3, 3, 4)), nil, true), -1), "logits")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestJoinEqualsSequentialRun(t *testing.T) {
	for i, c := range realModels {
		for _, opset := range []int64{13, 21} {
			if opset == 13 && i > 3 {
				continue // enough of the same
			}
			t.Run(strings.Join(c.path[1:], "/"), func(t *testing.T) {
				body := load(t, c.path...).Clone()
				if _, err := onnx.MakeBackbone(body, onnx.Feature{}, onnx.FeatureOptions{}); err != nil {
					t.Fatal(err)
				}
				head := headOf(t, opset, c.want.Dim)
				feeds := feedsFor(body, 2, 5)
				rows := run(t, body, feeds)[0]
				want := run(t, head, onnx.Feeds{"features": rows})[0]

				joined, err := onnx.Join(body, head, map[string]string{"features": "features"})
				if err != nil {
					t.Fatal(err)
				}
				if out := joined.Graph.Outputs; len(out) != 1 || out[0].Name != "logits" {
					t.Errorf("outputs %v, want logits alone", out)
				}
				if got := max(body.Opset(""), opset); joined.Opset("") != got {
					t.Errorf("opset %d, want %d", joined.Opset(""), got)
				}
				near(t, run(t, joined, feeds)[0], want, 1e-5)
			})
		}
	}
}

// TestJoinOfModelWithItself has every name twice.
func TestJoinOfModelWithItself(t *testing.T) {
	m := chain(t)
	m.Functions = nil
	if err := onnx.Cut(m, "logits"); err != nil {
		t.Fatal(err)
	}
	b := onnx.NewBuilder(m)
	wide := b.MatMul(b.Value("logits"), b.Const("wide", random(5, 2, 3)))
	b.Output(wide, "out")
	m.Graph.Outputs = m.Graph.Outputs[1:]
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	x := onnx.Feeds{"x": random(1, 2, 3)}
	once := run(t, m, x)[0]
	twice := run(t, m, onnx.Feeds{"x": once})[0]
	joined, err := onnx.Join(m, m, map[string]string{"x": "out"})
	if err != nil {
		t.Fatal(err)
	}
	if len(joined.Graph.Inputs) != 1 || len(joined.Graph.Outputs) != 1 || joined.Graph.Outputs[0].Name == "out" {
		t.Errorf("inputs %v, outputs %v", joined.Graph.Inputs, joined.Graph.Outputs)
	}
	near(t, run(t, joined, x)[0], twice, 1e-6)
}

func TestJoinMergesFunctionsAndMetadata(t *testing.T) {
	make := func(op, in, out string) *onnx.Model {
		return &onnx.Model{
			IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}, {Domain: "local", Version: 1}},
			Graph: &onnx.Graph{Name: op,
				Inputs:  []*onnx.Value{{Name: in, Type: onnx.Float32, Shape: onnx.Shape{onnx.Known(2)}}},
				Outputs: []*onnx.Value{{Name: out, Type: onnx.Float32, Shape: onnx.Shape{onnx.Known(2)}}},
				Nodes:   []*onnx.Node{{OpType: "F", Domain: "local", Inputs: []string{in}, Outputs: []string{out}}},
			},
			Functions: []*onnx.Function{{Name: "F", Domain: "local", Inputs: []string{"x"}, Outputs: []string{"y"},
				Opsets: []onnx.Opset{{Version: 17}},
				Nodes:  []*onnx.Node{{OpType: op, Inputs: []string{"x"}, Outputs: []string{"y"}}}}},
			Metadata: []onnx.Property{{Key: "who", Value: op}, {Key: op, Value: "yes"}},
		}
	}
	x := onnx.Feeds{"a": onnx.NewTensor("", []float32{1, -2}, 2)}
	for op, want := range map[string][]float32{"Neg": {1, -2}, "Abs": {1, 2}} {
		joined, err := onnx.Join(make("Neg", "a", "m"), make(op, "m", "z"), map[string]string{"m": "m"})
		if err != nil {
			t.Fatal(err)
		}
		nearFloats(t, floats(t, run(t, joined, x)[0]), want, 0)
		if op == "Abs" && (len(joined.Functions) != 2 || joined.Functions[1].Name == "F" || joined.Metadata[0].Value != "Neg" ||
			len(joined.Metadata) != 3) {
			t.Errorf("functions %v, metadata %v", joined.Functions, joined.Metadata)
		}
	}
}

func TestJoinKeepsOtherInputsAndOutputs(t *testing.T) {
	a, b := chain(t), chain(t)
	a.Functions, b.Functions, a.Graph.Values, b.Graph.Values = nil, nil, nil, nil
	joined, err := onnx.Join(a, b, map[string]string{"x": "sum"})
	if err != nil {
		t.Fatal(err)
	}
	var in, out []string
	for _, v := range joined.Graph.Inputs {
		in = append(in, v.Name)
	}
	for _, v := range joined.Graph.Outputs {
		out = append(out, v.Name)
	}
	if !slices.Equal(in, []string{"x", "y", "y_1"}) || !slices.Equal(out, []string{"logits", "logits_1", "sum_1"}) {
		t.Errorf("inputs %q, outputs %q", in, out)
	}
	x, y, z := random(1, 2, 3), random(2, 2, 3), random(3, 2, 3)
	sum := run(t, a, onnx.Feeds{"x": x, "y": y}, "sum")[0]
	want := run(t, b, onnx.Feeds{"x": sum, "y": z}, "logits", "sum")
	got := run(t, joined, onnx.Feeds{"x": x, "y": y, "y_1": z}, "logits_1", "sum_1")
	near(t, got[0], want[0], 1e-6)
	near(t, got[1], want[1], 1e-6)
}

// TestJoinLetsInnerTensorsGiveWay: the second model's output keeps its name although the first has an inner tensor called so.
func TestJoinLetsInnerTensorsGiveWay(t *testing.T) {
	body := headOf(t, 17, 4)
	if err := onnx.Rename(body, "logits", "features_out"); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Rename(body, body.Graph.Nodes[0].Outputs[0], "logits"); err != nil {
		t.Fatal(err)
	}
	joined, err := onnx.Join(body, headOf(t, 17, 3), map[string]string{"features": "features_out"})
	if err != nil {
		t.Fatal(err)
	}
	if out := joined.Graph.Outputs; len(out) != 1 || out[0].Name != "logits" {
		t.Errorf("outputs %v, want logits", out)
	}
	x := onnx.Feeds{"features": random(3, 2, 4)}
	rows := run(t, body, x)[0]
	near(t, run(t, joined, x)[0], run(t, headOf(t, 17, 3), onnx.Feeds{"features": rows})[0], 1e-6)
}

func TestJoinErrors(t *testing.T) {
	body, head := headOf(t, 17, 4), headOf(t, 17, 3)
	halves := headOf(t, 17, 3)
	halves.Graph.Inputs[0].Type = onnx.Float16
	other := headOf(t, 17, 3)
	other.Opsets = append(other.Opsets, onnx.Opset{Domain: "com.example", Version: 2})
	body.Opsets = append(body.Opsets, onnx.Opset{Domain: "com.example", Version: 1})
	for says, c := range map[string]struct {
		b     *onnx.Model
		links map[string]string
	}{
		"no links":          {head, nil},
		`no input "x"`:      {head, map[string]string{"x": "logits"}},
		`output or input "`: {head, map[string]string{"features": "nope"}},
		"float16":           {halves, map[string]string{"features": "logits"}},
		"shape":             {headOf(t, 17, 5), map[string]string{"features": "logits"}},
		"com.example":       {other, map[string]string{"features": "logits"}},
	} {
		_, err := onnx.Join(body, c.b, c.links)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %s", err, says)
		}
		if says == "com.example" {
			if unsupported := new(onnx.UnsupportedError); !errors.As(err, &unsupported) {
				t.Errorf("%v is no UnsupportedError", err)
			}
		}
	}
	if ops := onnx.Inspect(body).Ops; !maps.Equal(ops, onnx.Inspect(headOf(t, 17, 4)).Ops) {
		t.Error("a failed join changed the model")
	}
}
