package onnx

import "slices"

// rewrite goes through a graph's nodes in order and lets step put each into a new list, unchanged with pass, changed, or
// with other nodes before or instead of it. The builder knows what is in the list so far. The graph is edited in place.
func rewrite(m *Model, g *Graph, outer names, step func(w *rewriter, n *Node) error) error {
	nodes := g.Nodes
	used := namesOf(g).with(outer)
	wanted := map[string]bool{}
	for _, n := range nodes {
		for _, name := range reads(n) {
			wanted[name] = true
		}
	}
	for _, v := range g.Outputs {
		wanted[v.Name] = true
	}
	g.Nodes = nil
	part := *m
	part.Graph = g
	w := &rewriter{wanted: wanted, Builder: &Builder{site: &site{
		model: &part, index: NewIndex(g), names: used, values: map[string]*Value{}, consts: map[string]*Value{},
	}}}
	for i, n := range nodes {
		w.place = i
		err := step(w, n)
		if err == nil {
			err = w.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A rewriter is a Builder between two nodes of a graph.
type rewriter struct {
	*Builder
	place  int             // of the node at hand in the old list
	wanted map[string]bool // tensors that nodes of the old list read, and outputs
}

// pass puts a node into the list as it is.
func (w *rewriter) pass(n *Node) {
	w.model.Graph.Nodes = append(w.model.Graph.Nodes, n)
	w.index.grow(n)
}

// before names the nodes that follow after n, which they prepare.
func (w *rewriter) before(n *Node) {
	w.scope = n.Name
	if n.Name == "" {
		w.scope = n.OpType
	}
	w.scope += "/"
}

// at returns a Value of a tensor that n reads. One that is made outside of the graph at hand, as subgraphs may read, is
// taken on trust.
func (w *rewriter) at(name string) *Value {
	if v := w.values[name]; v != nil {
		return v
	}
	return w.value(name)
}

// replace lets the last node written make n's first output, in place of n.
func (w *rewriter) replace(n *Node, v *Value) {
	if v == nil || len(n.Outputs) == 0 {
		return
	}
	made := w.index.Producer(v.Name)
	if made == nil {
		w.pass(&Node{Name: n.Name, OpType: "Identity", Inputs: []string{v.Name}, Outputs: n.Outputs[:1]})
		return
	}
	made.Outputs = slices.Clone(made.Outputs)
	made.Outputs[slices.Index(made.Outputs, v.Name)] = n.Output(0)
	delete(w.values, v.Name)
	w.index.grow(made)
}

// where says which node an error is about.
func (w *rewriter) where(n *Node) Where { return Where{Op: n.OpType, Node: n.Name, Index: w.place} }
