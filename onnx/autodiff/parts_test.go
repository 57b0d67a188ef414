package autodiff_test

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// TestSuffix: a real model cut in two before any of its layers computes what it computed whole, and the second part needs
// neither the tokens nor the picture.
func TestSuffix(t *testing.T) {
	rt := orttest.Open(t)
	for i, c := range realModels {
		t.Run(c.path[len(c.path)-2], func(t *testing.T) {
			m, err := onnx.Load(onnxtest.Shared(t, c.path...))
			if err != nil {
				t.Fatal(err)
			}
			if err := onnx.Upgrade(m, 20); err != nil {
				t.Fatal(err)
			}
			output := m.Graph.Outputs[len(m.Graph.Outputs)-1].Name
			if err := onnx.Cut(m, output); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(3, uint64(i)))
			shapes, err := autodiff.Measure(context.Background(), rt, m, c.feeds(m, r, 2, 5), c.feeds(m, r, 3, 7))
			if err != nil {
				t.Fatal(err)
			}
			layers, err := autodiff.Layers(m, output)
			if err != nil {
				t.Fatal(err)
			}
			feeds := c.feeds(m, r, 2, 6)
			whole := outputs(t, rt, m, feeds)[0]
			for _, l := range layers[1:] {
				prefix := m.Clone()
				if err := onnx.Cut(prefix, l.Input); err != nil {
					t.Fatal(err)
				}
				suffix, err := autodiff.Suffix(m, l.Input, shapes)
				if err != nil {
					t.Fatal(err)
				}
				rest := maps.Clone(feeds)
				rest[l.Input] = outputs(t, rt, prefix, feeds)[0]
				for _, in := range suffix.Graph.Inputs {
					if in.Name == "input_ids" || c.size > 0 && in.Name != l.Input {
						t.Errorf("layer %d still reads %s", l.Number, in.Name)
					}
				}
				if d := furthest(t, outputs(t, rt, suffix, rest)[0], whole); d > 1e-5 {
					t.Errorf("layer %d: cut in two the model is off by %g", l.Number, d)
				}
			}
		})
	}
}

func outputs(t *testing.T, rt onnx.Runtime, m *onnx.Model, feeds onnx.Feeds) []*onnx.Tensor {
	t.Helper()
	session, err := rt.NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	taken := onnx.Feeds{}
	for _, in := range m.Graph.Inputs {
		taken[in.Name] = feeds[in.Name]
	}
	out, err := session.Run(context.Background(), taken)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// furthest is the largest difference between two tensors relative to the second's largest number.
func furthest(t *testing.T, a, b *onnx.Tensor) float64 {
	t.Helper()
	x, err := a.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Float32s()
	if err != nil || len(x) != len(y) {
		t.Fatalf("%d numbers, want %d (%v)", len(x), len(y), err)
	}
	var off, most float64
	for i := range x {
		off, most = max(off, math.Abs(float64(x[i]-y[i]))), max(most, math.Abs(float64(y[i])))
	}
	return off / most
}

// TestPromote: promoted weights are fed, and lifted ones keep their values.
func TestPromote(t *testing.T) {
	m, err := onnx.Load(onnxtest.Shared(t, "minis", "image", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	rt := orttest.Open(t)
	feeds := realModels[1].feeds(m, rand.New(rand.NewPCG(1, 1)), 2, 0)
	want := outputs(t, rt, m, feeds)[0]
	n, err := autodiff.LiftFloat16(m)
	if err != nil || n == 0 {
		t.Fatalf("lifted %d weights: %v", n, err)
	}
	names := []string{m.Graph.Initializers[2].Name, m.Graph.Initializers[0].Name}
	weights, err := autodiff.Promote(m, names)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range weights {
		if w.Name != names[i] || w.Type != onnx.Float32 {
			t.Errorf("promoted %s of type %s, want %s of float32", w.Name, w.Type, names[i])
		}
		feeds[w.Name] = w
	}
	if d := furthest(t, outputs(t, rt, m, feeds)[0], want); d > 1e-6 {
		t.Errorf("with weights fed the model is off by %g", d)
	}
	if _, err := autodiff.Promote(m, names); err == nil {
		t.Error("a weight is promoted twice")
	}
	if slices.ContainsFunc(m.Graph.Initializers, func(t *onnx.Tensor) bool { return t.Name == names[0] }) {
		t.Error("a promoted weight is still an initializer")
	}
}
