package autodiff

import (
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// A walker goes through a graph from the loss backwards and asks each node's rule for the gradients of its inputs.
type walker struct {
	*onnx.Builder
	m      *onnx.Model
	shapes *Shapes
	index  *onnx.Index
	path   []*onnx.Node             // nodes that carry a gradient, in graph order
	wanted map[string]bool          // tensors that depend on wrt through differentiable nodes
	parts  map[string][]*onnx.Value // gradients found so far of each tensor, one a use
	tables map[string]*lookup       // matrices of which the gradient is given by rows
}

// A step is one node's turn in the walk: what its rule sees.
type step struct {
	*walker
	node *onnx.Node
	dy   *onnx.Value   // gradient of the first output, nil where only others have one
	dys  []*onnx.Value // gradient of each output, nil where none flows
}

// newWalker finds the nodes between wrt and loss.
func newWalker(m *onnx.Model, loss string, wrt []string, s *Shapes) (*walker, error) {
	w := &walker{
		Builder: onnx.NewBuilder(m).Scope("backward"), m: m, shapes: s, index: onnx.NewIndex(m.Graph),
		parts: map[string][]*onnx.Value{},
	}
	for _, name := range append([]string{loss}, wrt...) {
		if s.dims[name] == nil {
			return nil, fmt.Errorf("autodiff: tensor %q is not in the measured graph", name)
		}
	}
	w.path, w.wanted = between(m, wrt, loss)
	if bar := barrier(w.path, nil); bar != nil {
		return nil, bar
	}
	return w, nil
}

// reaching returns those of nodes from which the tensor called last is computed.
func reaching(nodes []*onnx.Node, last string) []*onnx.Node {
	needed := map[string]bool{last: true}
	var kept []*onnx.Node
	for _, n := range slices.Backward(nodes) {
		if slices.ContainsFunc(n.Outputs, func(out string) bool { return needed[out] }) {
			kept = append(kept, n)
			for _, in := range n.Inputs {
				needed[in] = true
			}
		}
	}
	slices.Reverse(kept)
	return kept
}

// walk writes the backward pass and makes loss and the gradients m's only outputs.
func (w *walker) walk(loss string, wrt []string) error {
	if n := w.shape(loss).elements(); n != (dim{1, 1}) {
		return fmt.Errorf("autodiff: loss %q has %d elements, want 1", loss, n[0])
	}
	w.parts[loss] = []*onnx.Value{w.fill(1, w.shape(loss), loss)}
	for _, n := range slices.Backward(w.path) {
		if err := w.visit(n); err != nil {
			return err
		}
	}
	lossType := w.Value(loss)
	w.m.Graph.Outputs = nil
	w.Output(lossType, loss)
	for _, name := range wrt {
		if l := w.tables[name]; l != nil && l.rows != nil {
			w.outputRows(name, l)
			continue
		}
		g := w.gradient(name)
		if g == nil {
			g = w.fill(0, w.shape(name), name)
		}
		g.Type = onnx.Float32
		w.Output(g, GradientName(name))
	}
	return w.Err()
}

// visit adds what node n passes back to the gradients of its inputs.
func (w *walker) visit(n *onnx.Node) error {
	s := &step{walker: w, node: n, dys: make([]*onnx.Value, len(n.Outputs))}
	flows := false
	for i, out := range n.Outputs {
		if out != "" {
			s.dys[i] = w.gradient(out)
			flows = flows || s.dys[i] != nil
		}
	}
	if !flows {
		return nil
	}
	s.dy = s.dys[0]
	r := rules[opName(n)]
	grads, err := r.of(s)
	if err != nil {
		return err
	}
	for i, g := range grads {
		if g == nil || !w.wanted[n.Inputs[i]] {
			continue
		}
		if r.broadcasts {
			g = w.sumTo(g, w.shape(n.Outputs[0]), n.Inputs[i])
		}
		w.parts[n.Inputs[i]] = append(w.parts[n.Inputs[i]], g)
	}
	return w.Err()
}

// gradient adds up what the uses of a tensor passed back; nil where none did.
func (w *walker) gradient(name string) *onnx.Value {
	parts := w.parts[name]
	for len(parts) > 1 {
		parts = append(parts[2:], w.Add(parts[0], parts[1]))
	}
	w.parts[name] = parts
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// opName is the key of a node's rule: the operator, with its domain where that is not ai.onnx.
func opName(n *onnx.Node) string {
	if n.Is(n.OpType) {
		return n.OpType
	}
	return n.Domain + "." + n.OpType
}
