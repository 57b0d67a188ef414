package autodiff

import (
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// A Layer is one stretch of a backbone between two tensors that everything after them depends on and nothing bypasses: a
// block of a transformer, a stage of a convolutional network, or what comes before the first (embeddings, stem).
type Layer struct {
	Number  int      // 0 is the embeddings or the stem
	Input   string   // the tensor everything in the layer is computed from, empty for layer 0
	Output  string   // the tensor the next layer starts from
	Weights []string // float initializers the layer reads first, in the graph's order
	Nodes   int
}

// Layers numbers the layers of a backbone from its input to the tensor called output. Layers are found by topology: the
// cuts are tensors that every later one depends on (residual sums and what follows them); in a transformer a layer
// starts with each attention, in a convolutional network with each change of the feature map's size. Names play no part.
// A weight that several layers read, such as a tied embedding, belongs to the first. Tables that are part of
// the architecture, attention masks and rotary positions, are no weights.
func Layers(m *onnx.Model, output string) ([]Layer, error) {
	t := &topology{index: onnx.NewIndex(m.Graph), m: m}
	if !t.index.Has(output) {
		return nil, fmt.Errorf("autodiff: layers: no tensor %q in the graph", output)
	}
	t.trace(output)
	cuts := t.cuts()
	if len(cuts) == 0 || cuts[len(cuts)-1] != len(t.nodes)-1 {
		cuts = append(cuts, len(t.nodes)-1)
	}
	return t.layers(t.starts(cuts)), nil
}

// A topology is the differentiable part of a graph, as a list of nodes.
type topology struct {
	m     *onnx.Model
	index *onnx.Index
	nodes []*onnx.Node   // those from which output is computed through differentiable steps, in graph order
	last  map[string]int // the last node that reads a tensor
	main  map[string]bool
	fed   map[string]bool // depends on the value of a graph input, not only on its shape
}

// trace collects the nodes, who reads each tensor last, and which tensors carry what the network has made of its inputs:
// those behind a node where an input's value meets a weight. Others (attention masks, rotary tables) are side inputs.
func (t *topology) trace(output string) {
	var flowing []*onnx.Node
	t.last, t.main, t.fed = map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, in := range t.m.Graph.Inputs {
		t.fed[in.Name] = t.index.Weight(in.Name) == nil
	}
	for _, n := range t.m.Graph.Nodes {
		value, main := false, false
		for _, in := range n.Inputs {
			value, main = value || t.fed[in], main || t.main[in]
		}
		value = value && !n.Is("Shape", "Size")
		for _, out := range n.Outputs {
			t.fed[out], t.main[out] = value, value && (main || t.weighs(n))
		}
		if !rules[opName(n)].ends && !t.constant(n) {
			flowing = append(flowing, n)
		}
	}
	t.nodes = reaching(flowing, output)
	for i, n := range t.nodes {
		for _, in := range n.Inputs {
			t.last[in] = i
		}
	}
	t.last[output] = len(t.nodes)
}

// weighs tells whether a node reads a trainable weight.
func (t *topology) weighs(n *onnx.Node) bool {
	return slices.ContainsFunc(n.Inputs, func(in string) bool {
		w, _ := t.index.Source(in)
		return w != nil && trainable(w)
	})
}

// constant tells whether a node computes from constants alone, as a Cast behind a float16 weight does.
func (t *topology) constant(n *onnx.Node) bool {
	for _, in := range n.Inputs {
		if in == "" {
			continue
		}
		if w, _ := t.index.Source(in); w == nil {
			return false
		}
	}
	return true
}

// cuts returns the places of nodes whose output all later nodes depend on, side inputs aside.
func (t *topology) cuts() []int {
	var places []int
	reach := -1 // how far the tensors made so far are read
	for i, n := range t.nodes {
		if out := n.Output(0); reach <= i && t.main[out] && t.last[out] > i {
			places = append(places, i)
		}
		for _, out := range n.Outputs {
			if out != "" && t.main[out] {
				reach = max(reach, t.last[out])
			}
		}
	}
	return places
}

// starts picks from the cuts those behind which a new layer begins, and the end.
func (t *topology) starts(cuts []int) []int {
	attention := slices.ContainsFunc(t.nodes, func(n *onnx.Node) bool { return n.Is("Softmax") })
	var starts []int
	for i, c := range cuts[:len(cuts)-1] {
		stretch := t.nodes[c+1 : cuts[i+1]+1]
		if attention && slices.ContainsFunc(stretch, func(n *onnx.Node) bool { return n.Is("Softmax") && t.main[n.Input(0)] }) ||
			!attention && t.resizes(c, cuts[i+1]) {
			starts = append(starts, t.beforeExpansion(c))
		}
	}
	return append(starts, cuts[len(cuts)-1])
}

// beforeExpansion moves a cut back over a 1×1 convolution that widens the feature map, and its activation: an inverted
// residual block starts there, and the tensor is several times smaller.
func (t *topology) beforeExpansion(c int) int {
	at := c
	if t.nodes[at].Is("Clip", "Relu", "HardSwish") && at > 0 {
		at--
	}
	n := t.nodes[at]
	if w := t.index.Weight(n.Input(1)); n.Is("Conv") && at > 0 && w != nil && len(w.Shape) == 4 &&
		w.Shape[0] > w.Shape[1] && w.Shape[2] == 1 && w.Shape[3] == 1 && n.Int("group", 1) == 1 && t.nodes[at-1].Output(0) == n.Input(0) {
		return at - 1
	}
	return c
}

// resizes tells whether the feature map changes its size between two cuts and still is one.
func (t *topology) resizes(from, to int) bool {
	before, after := t.area(from), t.area(to)
	return before > 0 && after > 1 && before != after
}

// area is the number of positions of the feature map a node makes, 0 where that is not known.
func (t *topology) area(at int) int64 {
	shape := t.index.Shape(t.nodes[at].Output(0))
	if len(shape) != 4 || !shape[2].Known || !shape[3].Known {
		return 0
	}
	return shape[2].Size * shape[3].Size
}

// layers divides nodes and weights among the stretches that end at the given places.
func (t *topology) layers(ends []int) []Layer {
	var list []Layer
	claimed := map[string]bool{}
	begin, input := 0, ""
	for number, end := range ends {
		l := Layer{Number: number, Input: input, Output: t.nodes[end].Output(0), Nodes: end + 1 - begin}
		for _, n := range t.nodes[begin : end+1] {
			for _, in := range n.Inputs {
				if w, _ := t.index.Source(in); w != nil && w.Name != "" && t.index.Weight(w.Name) != nil && trainable(w) && !claimed[w.Name] && !t.fixed(w) {
					claimed[w.Name] = true
					l.Weights = append(l.Weights, w.Name)
				}
			}
		}
		list = append(list, l)
		begin, input = end+1, l.Output
	}
	return list
}

// trainable tells whether a weight is one of real numbers and not a mere scalar such as an ε.
func trainable(w *onnx.Tensor) bool {
	switch w.Type {
	case onnx.Float32, onnx.Float16, onnx.BFloat16, onnx.Float64:
		n, err := w.Len()
		return err == nil && n > 1
	}
	return false
}
