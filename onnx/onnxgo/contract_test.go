package onnxgo_test

import (
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

func TestContract(t *testing.T) { onnxtest.Runtime(t, onnxgo.Runtime{}) }
