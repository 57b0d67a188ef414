package finetune

import (
	"errors"
	"fmt"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// Names of an exported model's outputs.
const (
	logitsOutput        = "logits"
	probabilitiesOutput = "probabilities"
)

// exportedGraph returns a copy of the backbone's graph with the fitted head, of N×cols features, behind it: its inputs
// are the backbone's, as many times as the form has inputs, its outputs logits and on request probabilities.
func exportedGraph[T any](m *onnx.Model, head heads.Head, cols int, f form[T], g goal, probabilities bool) (*onnx.Model, error) {
	m = m.Clone()
	b, logits, err := f.join(m, head, cols)
	if err != nil {
		return nil, err
	}
	logits = b.Output(logits, logitsOutput)
	if d, ok := g.(decided); ok {
		b.Output(d.emit(b, logits), labelOutput)
	}
	if probabilities {
		p := g.probabilities(b, logits)
		if p == nil {
			return nil, errors.New("there are no probabilities of numbers")
		}
		b.Output(p, probabilitiesOutput)
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	return m, onnx.Check(m)
}

// onlyOutput takes a backbone's one output away and returns the tensor it gave.
func onlyOutput(m *onnx.Model) (string, error) {
	if len(m.Graph.Outputs) != 1 {
		return "", fmt.Errorf("the backbone has %d outputs, want one", len(m.Graph.Outputs))
	}
	name := m.Graph.Outputs[0].Name
	m.Graph.Outputs = nil
	return name, nil
}

// headGraph returns the fitted head alone, as a model of N×D features.
func headGraph(head heads.Head, cols int, opset int64) (*onnx.Model, error) {
	m := &onnx.Model{
		IRVersion: 8, ProducerName: "graft", Opsets: []onnx.Opset{{Version: opset}}, Graph: &onnx.Graph{Name: "head"},
	}
	b := onnx.NewBuilder(m)
	logits, err := head.Emit(b, b.Input("features", onnx.Float32, onnx.Param("batch"), onnx.Known(int64(cols))))
	if err := errors.Join(err, b.Err()); err != nil {
		return nil, err
	}
	b.Output(logits, logitsOutput)
	return m, errors.Join(b.Err(), onnx.Check(m))
}
