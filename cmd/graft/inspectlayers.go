package main

import (
	"errors"
	"fmt"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// layerJSON is one layer in the answer of inspect --layers --json.
type layerJSON struct {
	Number     int      `json:"number"`
	Input      *string  `json:"input"`  // the tensor it starts from, kept when the layers before are frozen; null for layer 0
	Output     string   `json:"output"` // the tensor the next one starts from
	Nodes      int      `json:"nodes"`
	Weights    []string `json:"weights"`
	Parameters int64    `json:"parameters"`
	Trainable  bool     `json:"trainable"`
	Reason     *string  `json:"reason"` // why it is not; null where it is
}

// modelLayers numbers the layers of a model up to the tensor its features are taken at, as --unfreeze counts them.
func modelLayers(m *onnx.Model) ([]layerJSON, error) {
	features := onnx.Features(m)
	if len(features) == 0 {
		return nil, &modelError{errors.New("no tensor of this model can serve as features, so there are no layers to train")}
	}
	output := features[0].Tensor
	m = m.Clone()
	if err := onnx.Cut(m, output); err != nil {
		return nil, err
	}
	var refused string
	prepared := m.Clone()
	if err := autodiff.Prepare(prepared); err != nil {
		refused = err.Error()
	} else {
		m = prepared
	}
	layers, err := autodiff.Layers(m, output)
	if err != nil {
		return nil, err
	}
	from, obstacle := autodiff.Shallowest(m, output, layers)
	index := onnx.NewIndex(m.Graph)
	list := make([]layerJSON, len(layers))
	for i, l := range layers {
		j := layerJSON{Number: l.Number, Output: l.Output, Nodes: l.Nodes, Weights: l.Weights, Trainable: true}
		if j.Weights == nil {
			j.Weights = []string{}
		}
		if l.Input != "" {
			j.Input = &l.Input
		}
		for _, w := range l.Weights {
			if n, err := index.Weight(w).Len(); err == nil {
				j.Parameters += n
			}
		}
		switch {
		case refused != "":
			j.refuse(refused)
		case len(l.Weights) == 0:
			j.refuse("it has no weights of real numbers (quantised ones do not move)")
		case i < from && obstacle != nil:
			j.refuse(fmt.Sprintf("node %q above its weights: operator %s has no gradient rule", obstacle.Node, obstacle.OpType))
		}
		list[i] = j
	}
	return list, nil
}

func (j *layerJSON) refuse(why string) { j.Trainable, j.Reason = false, &why }

// printLayers prints the layers as a table, and how to name them.
func (a *app) printLayers(layers []layerJSON) error {
	rows := [][]string{{"LAYER", "STARTS FROM", "NODES", "WEIGHTS", "PARAMETERS", "TRAINABLE"}}
	first := -1
	for _, l := range layers {
		start, can := "(the model's inputs)", "yes"
		if l.Input != nil {
			start = *l.Input
		}
		if !l.Trainable {
			can = "no: " + *l.Reason
		} else if first < 0 {
			first = l.Number
		}
		rows = append(rows, []string{fmt.Sprint(l.Number), start, fmt.Sprint(l.Nodes), fmt.Sprint(len(l.Weights)), fmt.Sprint(l.Parameters), can})
	}
	if err := a.printTable(rows...); err != nil {
		return err
	}
	switch {
	case first < 0:
		a.say("no layer can be trained; a head on frozen features can")
	case first > 0:
		a.say("--unfreeze from:%d is the most that can be trained", first)
	}
	return nil
}
