package onnx

import "slices"

// The opsets of ai.onnx between which [Upgrade] can lift a model.
const (
	minOpset = 7
	maxOpset = 23
)

// Upgrade lifts a model to a newer opset of ai.onnx: nodes are rewritten into the form the newer opset has, so that the
// model computes what it did. It works in subgraphs and functions too, and raises the IR version where the opset needs
// that. A node for which it knows no proven form is an [UnsupportedError] that names it; the model is then as it was. An
// opset at or below the model's own is no work, and no error.
func Upgrade(m *Model, opset int64) error {
	from := m.Opset("")
	switch {
	case opset <= from:
		return nil
	case from < minOpset || opset > maxOpset:
		return unsupported(Where{}, "cannot lift a model from opset %d to %d; between %d and %d it can", from, opset, minOpset, maxOpset)
	}
	c := m.Clone()
	c.setOpset(opset)
	u := upgrade{from, opset}
	if err := u.graph(c, c.Graph, nil); err != nil {
		return err
	}
	for _, f := range c.Functions {
		if err := u.function(c, f); err != nil {
			return err
		}
	}
	c.raiseIR()
	*m = *c
	return nil
}

// setOpset writes the version of ai.onnx that a model imports.
func (m *Model) setOpset(version int64) { m.Opsets = withOpset(m.Opsets, version) }

func withOpset(imports []Opset, version int64) []Opset {
	imports = slices.Clone(imports)
	for i := range imports {
		if standardDomain(imports[i].Domain) {
			imports[i].Version = version
			return imports
		}
	}
	return append(imports, Opset{Version: version})
}

// upgrade is a step from one opset to another.
type upgrade struct{ from, to int64 }

// graph rewrites a graph and those inside it; outer has the names that are visible from outside.
func (u upgrade) graph(m *Model, g *Graph, outer names) error {
	visible := namesOf(g).with(outer)
	return rewrite(m, g, visible, func(w *rewriter, n *Node) error {
		for _, sub := range subgraphs(n) {
			if err := u.graph(m, sub, visible); err != nil {
				return err
			}
		}
		return u.node(w, n)
	})
}

// function rewrites a function that imports an older opset. Functions have no initializers: constants become nodes.
func (u upgrade) function(m *Model, f *Function) error {
	u.from = opsetOf(f.Opsets, "")
	if u.from == 0 || u.from >= u.to {
		return nil
	}
	if u.from < minOpset {
		return unsupported(Where{Scope: "function " + f.Name}, "it imports opset %d; %d and up can be lifted", u.from, minOpset)
	}
	g := &Graph{Name: f.Name, Nodes: f.Nodes}
	if err := u.graph(m, g, nil); err != nil {
		return err
	}
	f.Nodes = nil
	for _, t := range g.Initializers {
		f.Nodes = append(f.Nodes, &Node{OpType: "Constant", Outputs: []string{t.Name}, Attributes: []*Attribute{TensorAttr("value", t)}})
	}
	f.Nodes = append(f.Nodes, g.Nodes...)
	f.Opsets = withOpset(f.Opsets, u.to)
	return nil
}

// node takes one node through every change of its operator between the opsets.
func (u upgrade) node(w *rewriter, n *Node) error {
	if !standardDomain(n.Domain) {
		w.pass(n)
		return nil
	}
	if conversions[n.OpType] == nil && !slices.Contains(unchangedOperators, n.OpType) {
		return unsupported(w.where(n), "how operator %s changed between opset %d and %d is not known here", n.OpType, u.from, u.to)
	}
	w.before(n)
	for at := u.from; ; {
		step := nextConversion(n.OpType, at, u.to)
		if step == nil {
			break
		}
		for _, a := range n.Attributes {
			if a.RefName != "" {
				return unsupported(w.where(n), "attribute %s comes from the function's caller; it cannot be rewritten for opset %d", a.Name, step.opset)
			}
		}
		done, problem := step.rewrite(w, n)
		if problem != "" {
			return unsupported(w.where(n), "it has no proven form in opset %d: %s", step.opset, problem)
		}
		if done {
			return nil
		}
		at = step.opset
	}
	w.pass(n)
	return nil
}

// nextConversion finds the first change of an operator after one opset and up to another; nil where there is none.
func nextConversion(op string, after, to int64) *conversion {
	for i, c := range conversions[op] {
		if c.opset > after && c.opset <= to {
			return &conversions[op][i]
		}
	}
	return nil
}
