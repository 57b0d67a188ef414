package autodiff

import (
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Shallowest returns the number of the first layer from which on a backbone can be trained: every node between the
// weights of that layer and all above and the tensor called output has a gradient rule. It is len(layers) where not even
// the last that has weights can. obstacle is what bars the layer below, nil where layer 0 can be trained.
//
// barred names nodes whose operator has a rule that turned out not to cover them, as a [NoRuleError] says.
func Shallowest(m *onnx.Model, output string, layers []Layer, barred ...string) (from int, obstacle *NoRuleError) {
	for from = range layers {
		var weights []string
		for _, l := range layers[from:] {
			weights = append(weights, l.Weights...)
		}
		if len(weights) == 0 {
			break
		}
		path, _ := between(m, weights, output)
		bar := barrier(path, barred)
		if bar == nil {
			return from, obstacle
		}
		obstacle = bar
	}
	return len(layers), obstacle
}

// between returns the nodes that carry a gradient from the tensor called last to those called wrt, in graph order, and the
// tensors that depend on wrt through differentiable nodes.
func between(m *onnx.Model, wrt []string, last string) (path []*onnx.Node, wanted map[string]bool) {
	wanted = map[string]bool{}
	for _, name := range wrt {
		wanted[name] = true
	}
	var forward []*onnx.Node
	for _, n := range m.Graph.Nodes {
		if rules[opName(n)].ends || !slices.ContainsFunc(n.Inputs, func(in string) bool { return wanted[in] }) {
			continue
		}
		forward = append(forward, n)
		for _, out := range n.Outputs {
			if out != "" {
				wanted[out] = true
			}
		}
	}
	return reaching(forward, last), wanted
}

// barrier returns the last node of a path that gradients do not pass, nil where they pass all.
func barrier(path []*onnx.Node, barred []string) *NoRuleError {
	for _, n := range slices.Backward(path) {
		if rules[opName(n)].of == nil {
			return &NoRuleError{Node: n.Name, OpType: n.OpType}
		}
		if slices.Contains(barred, n.Name) {
			return &NoRuleError{Node: n.Name, OpType: n.OpType, Reason: "its rule does not cover it"}
		}
	}
	return nil
}
