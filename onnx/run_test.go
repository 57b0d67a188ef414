package onnx_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// run checks a model, runs it in ONNX Runtime and returns the named outputs, all where none is named.
func run(t *testing.T, m *onnx.Model, feeds onnx.Feeds, outputs ...string) []*onnx.Tensor {
	t.Helper()
	if err := onnx.Check(m); err != nil {
		t.Fatal(err)
	}
	s, err := orttest.Open(t).NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), feeds, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// floats returns a float32 tensor's elements.
func floats(t *testing.T, x *onnx.Tensor) []float32 {
	t.Helper()
	list, err := onnx.View[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// near fails where two tensors differ in shape, or anywhere by more than tol.
func near(t *testing.T, got, want *onnx.Tensor, tol float64) {
	t.Helper()
	if len(got.Shape) != len(want.Shape) {
		t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
	}
	for i := range got.Shape {
		if got.Shape[i] != want.Shape[i] {
			t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
		}
	}
	nearFloats(t, floats(t, got), floats(t, want), tol)
}

func nearFloats(t *testing.T, got, want []float32, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	worst, at := 0.0, 0
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tol) {
		t.Fatalf("element %d is %g, want %g: differs by %g, more than %g", at, got[at], want[at], worst, tol)
	}
}

// random returns a float32 tensor of normal numbers; the seed decides which.
func random(seed uint64, shape ...int64) *onnx.Tensor {
	rnd := rand.New(rand.NewPCG(seed, 1))
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(rnd.NormFloat64())
	}
	return onnx.NewTensor("", data, shape...)
}

// feedsFor makes inputs that a model takes: batch examples, sequences of length tokens of which each row has one more
// masked than the row before, words below 100.
func feedsFor(m *onnx.Model, batch, length int64) onnx.Feeds {
	feeds := onnx.Feeds{}
	rnd := rand.New(rand.NewPCG(7, 7))
	for i, in := range m.Inputs() {
		if in.Type == onnx.Float32 {
			shape := []int64{batch}
			for _, d := range in.Shape[1:] {
				shape = append(shape, d.Size)
			}
			feeds[in.Name] = random(uint64(i), shape...)
			continue
		}
		data := make([]int64, batch*length)
		for k := range data {
			switch row, col := int64(k)/length, int64(k)%length; in.Name {
			case "attention_mask", "mask":
				if col < length-row {
					data[k] = 1
				}
			case "token_type_ids":
			default:
				data[k] = 1 + rnd.Int64N(99)
			}
		}
		feeds[in.Name] = onnx.NewTensor(in.Name, data, batch, length)
	}
	return feeds
}
