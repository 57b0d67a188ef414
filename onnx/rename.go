package onnx

import "fmt"

// Rename gives a tensor, which may be an input, an output, a weight or an inner one, another name wherever it is
// mentioned: by nodes, also in subgraphs, by value_info and by quantization annotations. It is an error where the graph
// has no such tensor or already uses the new name.
func Rename(m *Model, old, name string) error {
	if old == name {
		return nil
	}
	if x := NewIndex(m.Graph); !x.Has(old) {
		return fmt.Errorf("onnx: rename: %w", x.missing(old))
	}
	if used := namesOf(m.Graph); name == "" || used.has(name) {
		return fmt.Errorf("onnx: rename %q to %q: the graph uses that name already, or it is empty", old, name)
	}
	renameIn(m.Graph, old, name)
	return nil
}

// renameIn renames a tensor in g and in the subgraphs that see it.
func renameIn(g *Graph, old, name string) {
	g.eachName(func(s *string) {
		if *s == old {
			*s = name
		}
	})
	for _, n := range g.Nodes {
		for _, sub := range subgraphs(n) {
			if !NewIndex(sub).Has(old) { // otherwise that graph has one of its own, which hides this
				renameIn(sub, old, name)
			}
		}
	}
}

// eachName calls f with every mention of a tensor in the graph itself, not in its subgraphs.
func (g *Graph) eachName(f func(name *string)) {
	for _, list := range [][]*Value{g.Inputs, g.Outputs, g.Values} {
		for _, v := range list {
			f(&v.Name)
		}
	}
	for _, t := range g.Initializers {
		f(&t.Name)
	}
	for _, t := range g.SparseInitializers {
		if t.Values != nil {
			f(&t.Values.Name)
		}
	}
	for i := range g.Annotations {
		f(&g.Annotations[i].Tensor)
		for k := range g.Annotations[i].Parameters {
			f(&g.Annotations[i].Parameters[k].Value)
		}
	}
	for _, n := range g.Nodes {
		for i := range n.Inputs {
			f(&n.Inputs[i])
		}
		for i := range n.Outputs {
			f(&n.Outputs[i])
		}
	}
}
