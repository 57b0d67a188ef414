package ort_test

import (
	"context"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

func TestRealModel(t *testing.T) {
	rt := orttest.Open(t)
	t.Log(rt.Version(), rt.Path(), rt.Source(), rt.Providers())
	m, err := onnx.Load(onnxtest.Shared(t, "assets", "vision-models", "resnet20_cifar10", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := rt.NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), onnx.Feeds{"input": onnx.NewTensor("", make([]float32, 2*3*32*32), 2, 3, 32, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out[0].Shape, len(out[0].Data))
	v, _ := out[0].Float32s()
	t.Log(v[:10])
}
