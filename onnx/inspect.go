package onnx

import "slices"

// Info is what a model is made of, at a glance.
type Info struct {
	Inputs     []*Value // what a caller feeds: graph inputs that are not weights
	Outputs    []*Value
	Opsets     []Opset
	Ops        map[string]int // nodes by operator, those in subgraphs and functions too; other domains as domain.Operator
	Parameters int64          // elements of all weights of floating-point or quantised type, Constant nodes included
	Nodes      int            // in the graph itself
}

// Inspect counts what a model is made of.
func Inspect(m *Model) Info {
	info := Info{
		Inputs:  m.Inputs(),
		Outputs: slices.Clone(m.Graph.Outputs),
		Opsets:  slices.Clone(m.Opsets),
		Ops:     map[string]int{},
		Nodes:   len(m.Graph.Nodes),
	}
	info.addGraph(m.Graph)
	for _, f := range m.Functions {
		info.addNodes(f.Nodes)
	}
	return info
}

// Inputs returns what a caller feeds: the graph's inputs without those that are weights with a default.
func (m *Model) Inputs() []*Value {
	weights := map[string]bool{}
	for _, t := range m.Graph.Initializers {
		weights[t.Name] = true
	}
	return filter(m.Graph.Inputs, func(v *Value) bool { return !weights[v.Name] })
}

func (info *Info) addGraph(g *Graph) {
	for _, t := range g.Initializers {
		info.addWeight(t)
	}
	for _, t := range g.SparseInitializers {
		if t.Values != nil {
			info.addWeight(t.Values)
		}
	}
	info.addNodes(g.Nodes)
}

func (info *Info) addNodes(nodes []*Node) {
	for _, n := range nodes {
		op := n.OpType
		if !standardDomain(n.Domain) {
			op = n.Domain + "." + op
		}
		info.Ops[op]++
		if t := constantOf(n); n.Is("Constant") && t != nil {
			info.addWeight(t)
		}
		for _, sub := range subgraphs(n) {
			info.addGraph(sub)
		}
	}
}

// addWeight counts a tensor's elements unless they are indices, shapes, masks or text.
func (info *Info) addWeight(t *Tensor) {
	switch t.Type {
	case Int64, Int32, Uint64, Uint32, Bool, String:
		return
	}
	if n, err := t.Len(); err == nil {
		info.Parameters += n
	}
}
