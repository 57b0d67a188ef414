package onnx

import (
	"fmt"
	"slices"
)

// Twin makes m compute everything a second time, on a second set of inputs: beside each input x there is x+suffix, and
// beside each output y, y+suffix. What does not depend on an input, weights above all, is there once and serves both. The
// second inputs may have other sizes than the first in every dimension but the first. It is an error where the graph
// already uses a name that is needed; m is then as it was.
func Twin(m *Model, suffix string) error {
	g := m.Graph
	changing, err := twinNames(m, suffix)
	if err != nil {
		return err
	}
	second := g.clone()
	second.Nodes = filter(second.Nodes, func(n *Node) bool {
		return slices.ContainsFunc(n.Outputs, func(out string) bool { return changing[out] != "" })
	})
	for _, n := range second.Nodes {
		if n.Name != "" {
			n.Name += suffix
		}
		renameNode(n, changing)
	}
	for _, v := range m.Inputs() {
		in := v.clone()
		in.Name = changing[v.Name]
		for i := range in.Shape {
			if d := &in.Shape[i]; i > 0 && !d.Known && d.Param != "" {
				d.Param += suffix
			}
		}
		g.Inputs = append(g.Inputs, in)
	}
	for _, v := range slices.Clone(g.Outputs) {
		out := v.clone()
		if to := changing[v.Name]; to != "" {
			out.Name = to
			g.Outputs = append(g.Outputs, out)
		}
	}
	g.Nodes = append(g.Nodes, second.Nodes...)
	return nil
}

// twinNames gives every tensor that depends on an input a second name.
func twinNames(m *Model, suffix string) (map[string]string, error) {
	g := m.Graph
	used := namesOf(g)
	changing := map[string]string{}
	add := func(name string) error {
		if name == "" {
			return nil
		}
		if used.has(name + suffix) {
			return fmt.Errorf("onnx: twin: the graph uses the name %q already; choose another suffix than %q", name+suffix, suffix)
		}
		changing[name] = name + suffix
		return nil
	}
	for _, v := range m.Inputs() {
		if err := add(v.Name); err != nil {
			return nil, err
		}
	}
	for _, n := range g.Nodes {
		if !slices.ContainsFunc(reads(n), func(in string) bool { return changing[in] != "" }) {
			continue
		}
		for _, out := range n.Outputs {
			if err := add(out); err != nil {
				return nil, err
			}
		}
	}
	return changing, nil
}

// renameNode renames what a node reads and makes, also in subgraphs, unless they have a tensor of that name themselves.
func renameNode(n *Node, names map[string]string) {
	for _, list := range [][]string{n.Inputs, n.Outputs} {
		for i, name := range list {
			if to := names[name]; to != "" {
				list[i] = to
			}
		}
	}
	for _, sub := range subgraphs(n) {
		for _, name := range outerReads(sub) {
			if to := names[name]; to != "" {
				renameIn(sub, name, to)
			}
		}
	}
}
