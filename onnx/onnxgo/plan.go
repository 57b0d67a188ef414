package onnxgo

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	onnxgo "github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/x/gorgonnx"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/onnx-graft/graft/onnx"
)

// A plan computes one output.
type plan struct {
	output   string
	inputs   []string // of the graph, as feeds name them
	weights  []weight
	skeleton []byte // the translated graph as ONNX, whose inputs are inputs and weights
}

// A weight is a constant matrix.
type weight struct {
	name       string
	rows, cols int
	data       []float32
	spent      bool // the backend writes into it: every run gets a copy
}

// compiling guards the backend's package variables: it numbers its nodes with a plain counter.
var compiling sync.Mutex

// run compiles the graph for these feeds and computes it. Whatever the backend panics with becomes an error.
func (p *plan) run(feeds onnx.Feeds) (result *onnx.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("onnx-go: %v", r)
		}
	}()
	model, graph, machine, err := p.compile(feeds)
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	if err := graph.Run(); err != nil {
		return nil, fmt.Errorf("onnx-go: %w", err)
	}
	outputs, err := model.GetOutputTensors()
	if err != nil {
		return nil, fmt.Errorf("onnx-go: %w", err)
	}
	return p.result(outputs[0])
}

// compile builds the backend's graph with feeds and weights in place.
func (p *plan) compile(feeds onnx.Feeds) (*onnxgo.Model, *gorgonnx.Graph, gorgonia.VM, error) {
	compiling.Lock()
	defer compiling.Unlock()
	graph := gorgonnx.NewGraph()
	model := onnxgo.NewModel(graph)
	if err := model.UnmarshalBinary(p.skeleton); err != nil {
		return nil, nil, nil, fmt.Errorf("onnx-go: %w", err)
	}
	for _, name := range p.inputs {
		t := feeds[name]
		data, err := onnx.View[float32](t)
		if err != nil {
			return nil, nil, nil, err
		}
		if err := set(model, weight{name, int(t.Shape[0]), int(t.Shape[1]), data, false}); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, w := range p.weights {
		if err := set(model, w); err != nil {
			return nil, nil, nil, err
		}
	}
	expressions, err := graph.GetExprGraph()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("onnx-go: %w", err)
	}
	machine := gorgonia.NewTapeMachine(expressions)
	graph.SetVM(machine)
	return model, graph, machine, nil
}

// set gives a matrix to the input of the translated graph that has its name.
func set(model *onnxgo.Model, w weight) error {
	node, ok := model.GetNodeByName(w.name)
	carrier, can := node.(onnxgo.DataCarrier)
	if !ok || !can {
		return fmt.Errorf("onnx-go: no input %q", w.name)
	}
	if w.spent {
		w.data = slices.Clone(w.data)
	}
	return carrier.SetTensor(tensor.New(tensor.WithShape(w.rows, w.cols), tensor.WithBacking(w.data)))
}

// result copies a matrix out of the backend.
func (p *plan) result(t tensor.Tensor) (*onnx.Tensor, error) {
	if t == nil {
		return nil, errors.New("onnx-go computed nothing")
	}
	if t.Dims() != 2 || t.Dtype() != tensor.Float32 {
		return nil, unsupported(nil, "the result is %v %v; matrices of float32 are run", t.Dtype(), t.Shape())
	}
	if t.RequiresIterator() {
		return nil, errors.New("onnx-go's result is not contiguous")
	}
	rows, cols := t.Shape()[0], t.Shape()[1]
	switch data := t.Data().(type) {
	case []float32:
		if len(data) == rows*cols {
			return onnx.NewTensor(p.output, slices.Clone(data), int64(rows), int64(cols)), nil
		}
	case float32:
		if rows*cols == 1 {
			return onnx.NewTensor(p.output, []float32{data}, 1, 1), nil
		}
	}
	return nil, fmt.Errorf("onnx-go's result of shape %v does not hold as many elements", t.Shape())
}
