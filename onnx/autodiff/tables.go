package autodiff

import (
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// minusInfinity is the bound below which a number is not a learned one but stands for −∞, as attention masks have it.
const minusInfinity = -1e4

// fixed tells whether a tensor of real numbers is part of the architecture and not learned: an attention mask kept as a
// table of 0 and −∞, or rotary position tables (Su et al., arXiv:2104.09864), cut to the batch's length and multiplied.
func (t *topology) fixed(w *onnx.Tensor) bool {
	readers := t.index.Readers(w.Name)
	if len(w.Shape) < 2 || slices.ContainsFunc(readers, func(n *onnx.Node) bool { return n.Is("MatMul", "Gemm", "Conv", "ConvTranspose") }) {
		return false
	}
	if values, err := w.Float32s(); err == nil && slices.ContainsFunc(values, func(v float32) bool { return v <= minusInfinity }) {
		return true
	}
	ends := t.cutEnds(w.Name, 8)
	return len(ends) > 0 && !slices.ContainsFunc(ends, func(n *onnx.Node) bool { return !n.Is("Mul") })
}

// cutEnds follows a table through Slices, and Gathers of places rather than of the inputs' values, to the nodes that
// compute with what was cut out; none where a node reads the table itself.
func (t *topology) cutEnds(name string, depth int) []*onnx.Node {
	var ends []*onnx.Node
	for _, n := range t.index.Readers(name) {
		if !n.Is("Slice", "Gather") || n.Input(0) != name || t.fed[n.Output(0)] {
			return nil
		}
		ends = append(ends, t.users(n.Output(0), depth)...)
	}
	return ends
}

// users returns the nodes that compute with a tensor, behind those that only move its elements about.
func (t *topology) users(name string, depth int) []*onnx.Node {
	var found []*onnx.Node
	for _, n := range t.index.Readers(name) {
		if depth > 0 && n.Is("Slice", "Gather", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Cast", "Expand", "Concat", "Neg", "Identity") {
			found = append(found, t.users(n.Output(0), depth-1)...)
		} else if !n.Is("Shape") {
			found = append(found, n)
		}
	}
	return found
}
