package ort_test

import (
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

func TestContract(t *testing.T) {
	rt := orttest.Open(t)
	t.Run("one thread", func(t *testing.T) { onnxtest.Runtime(t, rt.With(1)) })
	t.Run("two threads", func(t *testing.T) { onnxtest.Runtime(t, rt.With(2)) })
}
