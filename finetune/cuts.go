package finetune

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/onnx-graft/graft/onnx"
)

// joinCuts returns one graph that computes the features of all cuts, side by side in one row: what they share is there once.
// The last of the cuts is the whole, of which the others are the beginning and a few nodes that make rows. It also
// returns how many columns each has.
func joinCuts[T any](cuts []*Backbone[T]) (*onnx.Model, []int, error) {
	whole := cuts[len(cuts)-1].Model
	m := whole.Clone()
	var names []string
	var widths []int
	for i, c := range cuts {
		shape := c.Model.Graph.Outputs[0].Shape
		if len(shape) != 2 || !shape[1].Known {
			return nil, nil, fmt.Errorf("it is not known how many features %s makes; choose another feature", c.Feature)
		}
		widths = append(widths, int(shape[1].Size))
		name := c.Model.Graph.Outputs[0].Name
		if i < len(cuts)-1 {
			name = graftCut(m, whole, c.Model, c.Feature, "cut"+strconv.Itoa(i)+"/")
		}
		names = append(names, name)
	}
	if len(cuts) == 1 {
		return m, widths, nil
	}
	m.Graph.Outputs = nil
	b := onnx.NewBuilder(m)
	rows := make([]*onnx.Value, len(names))
	for i, name := range names {
		rows[i] = b.Value(name)
	}
	b.Output(b.Op("Concat", rows, onnx.IntAttr("axis", 1)), "cuts")
	return m, widths, b.Err()
}

// graftCut appends to m, which begins as whole does, what cut has behind the tensor, under names that start with prefix. It
// returns the name of the cut's features.
func graftCut(m, whole, cut *onnx.Model, tensor, prefix string) string {
	_, shared := onnx.NewIndex(whole.Graph).Ancestors(tensor)
	renamed := map[string]string{}
	for _, t := range cut.Graph.Initializers {
		if !shared[t.Name] {
			copied := *t
			copied.Name = prefix + t.Name
			renamed[t.Name] = copied.Name
			m.Graph.Initializers = append(m.Graph.Initializers, &copied)
		}
	}
	for _, n := range cut.Graph.Nodes {
		if len(n.Outputs) == 0 || shared[n.Outputs[0]] {
			continue
		}
		copied := *n
		copied.Name = prefix + n.Name
		copied.Inputs, copied.Outputs = slices.Clone(n.Inputs), slices.Clone(n.Outputs)
		for k, in := range copied.Inputs {
			if to, ok := renamed[in]; ok {
				copied.Inputs[k] = to
			}
		}
		for k, out := range copied.Outputs {
			if out != "" {
				renamed[out] = prefix + out
				copied.Outputs[k] = prefix + out
			}
		}
		m.Graph.Nodes = append(m.Graph.Nodes, &copied)
	}
	return renamed[cut.Graph.Outputs[0].Name]
}
