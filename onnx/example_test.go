package onnx_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/onnx-graft/graft/onnx"
)

// A model is written with a Builder, saved, loaded and looked at.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "onnx-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.onnx")
	if err := smallModel().Save(path); err != nil {
		log.Fatal(err)
	}

	m, err := onnx.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	for _, n := range m.Graph.Nodes {
		fmt.Println(n.OpType, n.Inputs, "→", n.Outputs)
	}
	for _, w := range m.Graph.Initializers {
		values, err := w.Float32s()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.Name, w.Type, w.Shape, values)
	}
	// Output:
	// MatMul [x weight] → [MatMul_output]
	// Relu [MatMul_output] → [y]
	// weight float32 [2 2] [1 2 3 4]
}

// Errors name the node that is wrong, and tell a damaged model from one that this package cannot deal with.
func ExampleCheck() {
	m := smallModel()
	m.Graph.Nodes[1].Inputs[0] = "matmul"

	err := onnx.Check(m)
	fmt.Println(err)
	var malformed *onnx.MalformedError
	fmt.Println(errors.As(err, &malformed), malformed.Op, malformed.Index)
	// Output:
	// onnx: node 1 (Relu "Relu"): input 0, "matmul", is made by no graph input, initializer or node
	// true Relu 1
}

// A view and its tensor are the same memory.
func ExampleView() {
	t := onnx.NewTensor("scores", []float32{0.1, 0.7, 0.2}, 1, 3)
	scores, err := onnx.View[float32](t)
	if err != nil {
		log.Fatal(err)
	}
	scores[0] = 1
	fmt.Println(t.Data[:4], len(t.Data))
	// Output: [0 0 128 63] 12
}

// smallModel returns a model of one layer.
func smallModel() *onnx.Model {
	m := &onnx.Model{Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{Name: "small"}}
	b := onnx.NewBuilder(m)
	x := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(2))
	w := b.Const("weight", onnx.NewTensor("", []float32{1, 2, 3, 4}, 2, 2))
	b.Output(b.Relu(b.MatMul(x, w)), "y")
	if err := b.Err(); err != nil {
		log.Fatal(err)
	}
	return m
}
