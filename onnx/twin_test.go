package onnx_test

import (
	"context"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// twinModel is y = x·(2w) + x, whose 2w depends on no input.
func twinModel(t *testing.T) *onnx.Model {
	t.Helper()
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{Name: "g"}}
	b := onnx.NewBuilder(m)
	x := b.Input("x", onnx.Float32, onnx.Param("batch"), onnx.Known(2))
	w := b.Const("w", onnx.NewTensor("w", []float32{1, 2, 3, 4}, 2, 2))
	b.Output(b.Add(b.MatMul(x, b.Mul(w, b.Float(2))), x), "y")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTwin(t *testing.T) {
	m := twinModel(t)
	if err := onnx.Twin(m, "_b"); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Check(m); err != nil {
		t.Fatal(err)
	}
	if len(m.Graph.Initializers) != 2 || len(m.Graph.Nodes) != 5 {
		t.Errorf("%d weights and %d nodes, want 2 and 5: what depends on no input is there once", len(m.Graph.Initializers), len(m.Graph.Nodes))
	}
	s, err := orttest.Open(t).NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), onnx.Feeds{
		"x": onnx.NewTensor("x", []float32{1, 0}, 1, 2), "x_b": onnx.NewTensor("x_b", []float32{0, 1}, 1, 2),
	}, "y", "y_b")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{3, 4}, {6, 9}} {
		if got, _ := onnx.View[float32](out[i]); !slices.Equal(got, want) {
			t.Errorf("output %d is %v, want %v", i, got, want)
		}
	}
	if err := onnx.Twin(m, "_b"); err == nil {
		t.Error("a suffix in use was taken again")
	}
}

// Both halves of a real model give what it gave alone, whatever the sizes of the two inputs.
func TestTwinOfARealModel(t *testing.T) {
	m, err := onnx.Load(onnxtest.Shared(t, "minis", "text", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	alone := m.Graph.Outputs[0].Name
	twin := m.Clone()
	if err := onnx.Twin(twin, "_b"); err != nil {
		t.Fatal(err)
	}
	rt := orttest.Open(t)
	run := func(m *onnx.Model, outputs []string, lengths map[string]int64) [][]float32 {
		s, err := rt.NewSession(m)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		feeds := onnx.Feeds{}
		for suffix, n := range lengths {
			for _, name := range []string{"input_ids", "attention_mask", "token_type_ids"} {
				data := make([]int64, 2*n)
				for i := range data {
					switch name {
					case "input_ids":
						data[i] = 100 + 7*int64(i)*n
					case "attention_mask":
						data[i] = 1
					}
				}
				feeds[name+suffix] = onnx.NewTensor(name, data, 2, n)
			}
		}
		out, err := s.Run(context.Background(), feeds, outputs...)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([][]float32, len(out))
		for i := range out {
			if rows[i], err = onnx.View[float32](out[i]); err != nil {
				t.Fatal(err)
			}
		}
		return rows
	}
	both := run(twin, []string{alone, alone + "_b"}, map[string]int64{"": 5, "_b": 9})
	for i, n := range []int64{5, 9} {
		if one := run(m, []string{alone}, map[string]int64{"": n}); !slices.Equal(one[0], both[i]) {
			t.Errorf("input %d: the twin gives other numbers", i)
		}
	}
	if len(twin.Graph.Initializers) != len(m.Graph.Initializers) {
		t.Errorf("%d weights, were %d", len(twin.Graph.Initializers), len(m.Graph.Initializers))
	}
}
