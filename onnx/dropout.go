package onnx

import "slices"

// DisableTraining takes a model out of training mode, in which exporters sometimes leave it: a Dropout whose training_mode
// is on, or computed, loses that input, and a BatchNormalization its training_mode attribute, with the outputs that only
// training has. It works in subgraphs and functions too. It returns how many nodes it changed.
func DisableTraining(m *Model) (changed int) {
	for _, g := range m.bodies() {
		x := NewIndex(g)
		for _, n := range g.Nodes {
			if x.disableTraining(n) {
				changed++
			}
		}
	}
	return changed
}

func (x *Index) disableTraining(n *Node) bool {
	switch {
	case n.Is("Dropout") && n.Input(2) != "":
		if mode := x.Constant(n.Input(2)); mode != nil && slices.Equal(mode.Data, []byte{0}) {
			return false
		}
		n.Inputs = n.Inputs[:2]
		if n.Inputs[1] == "" {
			n.Inputs = n.Inputs[:1]
		}
		return true
	case n.Is("BatchNormalization") && n.Int("training_mode", 0) != 0:
		n.DropAttr("training_mode")
		n.Outputs = n.Outputs[:min(1, len(n.Outputs))]
		return true
	}
	return false
}

// bodies returns the model's graph, its subgraphs, and its functions as graphs of their nodes.
func (m *Model) bodies() []*Graph {
	list := m.Graph.bodies()
	for _, f := range m.Functions {
		list = append(list, (&Graph{Name: f.Name, Nodes: f.Nodes}).bodies()...)
	}
	return list
}

func (g *Graph) bodies() []*Graph {
	list := []*Graph{g}
	for _, n := range g.Nodes {
		for _, sub := range subgraphs(n) {
			list = append(list, sub.bodies()...)
		}
	}
	return list
}
