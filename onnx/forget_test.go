package onnx_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// TestForget: what is read after Forget is what was there before, and a closed model or one never in a file has none.
func TestForget(t *testing.T) {
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	weight := make([]float32, 1<<16)
	for i := range weight {
		weight[i] = float32(i)
	}
	b.Output(b.Add(b.Input("x", onnx.Float32, onnx.Known(1<<16)), b.Const("w", onnx.NewTensor("w", weight, 1<<16))), "y")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	m.Forget()
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := loaded.Graph.Initializers[0].Float32s()
		if err != nil || !slices.Equal(got, weight) {
			t.Fatalf("the weights are others (%v)", err)
		}
		loaded.Forget()
	}
	if err := loaded.Close(); err != nil {
		t.Fatal(err)
	}
	loaded.Forget()
}
