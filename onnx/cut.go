package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// Cut makes the named tensors the model's only outputs, in that order, and removes what they are not computed from: nodes,
// weights, inputs, value_info and functions. A tensor that a subgraph reads from outside counts as read by the node that
// holds the subgraph. Nothing is changed where a tensor does not exist; the error then names one called nearly the same.
func Cut(m *Model, tensors ...string) error {
	if len(tensors) == 0 {
		return errors.New("onnx: cut: no tensor named; a graph needs an output")
	}
	x := NewIndex(m.Graph)
	outputs := make([]*Value, 0, len(tensors))
	for i, name := range tensors {
		if !x.Has(name) {
			return fmt.Errorf("onnx: cut: %w", x.missing(name))
		}
		if slices.Contains(tensors[:i], name) {
			return fmt.Errorf("onnx: cut: tensor %q is named twice", name)
		}
		outputs = append(outputs, x.describe(name))
	}
	m.Graph.Outputs = outputs
	m.prune(x)
	return nil
}

// describe returns a tensor's Value for a list of outputs: as the file has it, else as far as it can be told.
func (x *Index) describe(name string) *Value {
	if v := x.typed[name]; v != nil && v.Type != Undefined {
		return v.clone()
	}
	return &Value{Name: name, Type: x.Type(name), Shape: x.Shape(name)}
}

// prune removes what the graph's outputs are not computed from; x is the graph's index.
func (m *Model) prune(x *Index) {
	g := m.Graph
	var wanted []string
	outputs := map[string]bool{}
	for _, v := range g.Outputs {
		wanted = append(wanted, v.Name)
		outputs[v.Name] = true
	}
	nodes, used := x.Ancestors(wanted...)
	g.Nodes = filter(g.Nodes, func(n *Node) bool { return nodes[n] })
	g.SparseInitializers = filter(g.SparseInitializers, func(t *SparseTensor) bool {
		return t.Values != nil && used[t.Values.Name]
	})
	g.Inputs = filter(g.Inputs, func(v *Value) bool { return used[v.Name] })
	for _, a := range g.Annotations { // scales and zero points are initializers that no node need read
		if used[a.Tensor] {
			for _, p := range a.Parameters {
				used[p.Value] = true
			}
		}
	}
	g.Initializers = filter(g.Initializers, func(t *Tensor) bool { return used[t.Name] })
	for _, n := range g.Nodes { // later outputs that nobody reads stay, their types may too
		for _, out := range n.Outputs {
			used[out] = true
		}
	}
	g.Values = filter(g.Values, func(v *Value) bool { return used[v.Name] && !outputs[v.Name] })
	g.Annotations = slices.DeleteFunc(g.Annotations, func(a Annotation) bool { return !used[a.Tensor] })
	g.Annotations = filter(g.Annotations, func(a Annotation) bool { return used[a.Tensor] })
	m.pruneFunctions()
}

// pruneFunctions removes model-local functions that no node calls, not even through another function.
func (m *Model) pruneFunctions() {
	type key struct{ domain, name, overload string }
	byKey := map[key]*Function{}
	for _, f := range m.Functions {
		byKey[key{f.Domain, f.Name, f.Overload}] = f
	}
	called := map[*Function]bool{}
	var visit func(nodes []*Node)
	visit = func(nodes []*Node) {
		for _, n := range nodes {
			for _, sub := range subgraphs(n) {
				visit(sub.Nodes)
			}
			if f := byKey[key{n.Domain, n.OpType, n.Overload}]; f != nil && !called[f] {
				called[f] = true
				visit(f.Nodes)
			}
		}
	}
	visit(m.Graph.Nodes)
	m.Functions = filter(m.Functions, func(f *Function) bool { return called[f] })
}

// filter returns a new list of the elements that satisfy ok, so that a list shared with another model stays as it is.
func filter[T any](list []T, ok func(T) bool) []T {
	var kept []T
	for _, e := range list {
		if ok(e) {
			kept = append(kept, e)
		}
	}
	return kept
}
