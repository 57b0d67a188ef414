package finetune

import (
	"errors"
	"fmt"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// Names of an exported classifier's outputs.
const (
	logitsOutput        = "logits"
	probabilitiesOutput = "probabilities"
)

// classifierGraph returns a copy of the backbone's graph with the fitted head behind it: its inputs are the backbone's,
// its outputs logits, N×K, and on request probabilities, their softmax.
func classifierGraph(m *onnx.Model, head heads.Head, probabilities bool) (*onnx.Model, error) {
	m = m.Clone()
	if len(m.Graph.Outputs) != 1 {
		return nil, fmt.Errorf("the backbone has %d outputs, want one", len(m.Graph.Outputs))
	}
	features := m.Graph.Outputs[0].Name
	m.Graph.Outputs = nil
	b := onnx.NewBuilder(m)
	if err := emitHead(b, b.Value(features), head, probabilities); err != nil {
		return nil, err
	}
	return m, onnx.Check(m)
}

// headGraph returns the fitted head alone, as a model of N×D features.
func headGraph(head heads.Head, cols int, opset int64) (*onnx.Model, error) {
	m := &onnx.Model{
		IRVersion: 8, ProducerName: "graft", Opsets: []onnx.Opset{{Version: opset}}, Graph: &onnx.Graph{Name: "head"},
	}
	b := onnx.NewBuilder(m)
	features := b.Input("features", onnx.Float32, onnx.Param("batch"), onnx.Known(int64(cols)))
	if err := emitHead(b, features, head, false); err != nil {
		return nil, err
	}
	return m, onnx.Check(m)
}

func emitHead(b *onnx.Builder, features *onnx.Value, head heads.Head, probabilities bool) error {
	logits, err := head.Emit(b, features)
	if err := errors.Join(err, b.Err()); err != nil {
		return err
	}
	logits = b.Output(logits, logitsOutput)
	if probabilities {
		b.Output(b.Softmax(logits, 1), probabilitiesOutput)
	}
	return b.Err()
}
