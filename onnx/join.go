package onnx

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Join returns a model that runs a and then b on what a makes. links gives for inputs of b the tensor of a, an output or
// an input, that takes their place; other inputs of b stay inputs. Outputs are those of a that no link uses, then b's.
// Neither model is changed; tensor data is shared with both.
//
// Where both use a name, inputs and outputs keep theirs and inner tensors give way; of two that meet, b's is renamed. The
// model with the older opset is lifted by [Upgrade]; other domains must agree. Functions of both are kept.
func Join(a, b *Model, links map[string]string) (*Model, error) {
	a, b = a.Clone(), b.Clone()
	a.file = nil
	if err := checkLinks(a, b, links); err != nil {
		return nil, err
	}
	opset := max(a.Opset(""), b.Opset(""))
	for _, m := range []*Model{a, b} {
		if err := Upgrade(m, opset); err != nil {
			return nil, fmt.Errorf("onnx: join: lifting graph %q to opset %d: %w", m.Graph.Name, opset, err)
		}
		m.raiseIR()
	}
	if err := a.importAll(b.Opsets); err != nil {
		return nil, err
	}
	separateNames(a.Graph, b.Graph, links)
	a.addFunctions(b)
	used := map[string]bool{}
	for _, tensor := range links {
		used[tensor] = true
	}
	g, h := a.Graph, b.Graph
	g.Nodes = append(g.Nodes, h.Nodes...)
	g.Initializers = append(g.Initializers, filter(h.Initializers, func(t *Tensor) bool { return !used[t.Name] })...)
	g.SparseInitializers = append(g.SparseInitializers, h.SparseInitializers...)
	g.Annotations = append(g.Annotations, h.Annotations...)
	g.Inputs = append(g.Inputs, filter(h.Inputs, func(v *Value) bool { return !used[v.Name] })...)
	g.Values = append(g.Values, h.Values...)
	linked := filter(g.Outputs, func(v *Value) bool { return used[v.Name] })
	g.Values = append(g.Values, linked...) // no longer outputs; their types are still worth knowing
	g.Outputs = filter(g.Outputs, func(v *Value) bool { return !used[v.Name] })
	g.Outputs = append(g.Outputs, h.Outputs...)
	g.Values = filter(g.Values, func(v *Value) bool { return !g.hasOutput(v.Name) })
	a.IRVersion = max(a.IRVersion, b.IRVersion)
	a.Metadata = addProperties(a.Metadata, b.Metadata)
	return a, nil
}

// checkLinks sees that links go from tensors that a has to inputs that b has, of the same element type and rank.
func checkLinks(a, b *Model, links map[string]string) error {
	if len(links) == 0 {
		return fmt.Errorf("onnx: join: no links from one model to the other")
	}
	ends := map[string]*Value{}
	for _, list := range [][]*Value{a.Graph.Inputs, a.Graph.Outputs} {
		for _, v := range list {
			ends[v.Name] = v
		}
	}
	for _, in := range slices.Sorted(maps.Keys(links)) {
		from, to := ends[links[in]], b.inputNamed(in)
		switch {
		case to == nil:
			return fmt.Errorf("onnx: join: the second model has no input %q; it has %q", in, valueNames(b.Inputs()))
		case from == nil:
			return fmt.Errorf("onnx: join: the first model has no output or input %q; it has %q", links[in],
				valueNames(slices.Concat(a.Graph.Outputs, a.Inputs())))
		case from.Type != to.Type && from.Type != Undefined && to.Type != Undefined:
			return fmt.Errorf("onnx: join: %q is %v, input %q wants %v", links[in], from.Type, in, to.Type)
		case from.Shape != nil && to.Shape != nil && !compatible(from.Shape, to.Shape):
			return fmt.Errorf("onnx: join: %q has shape %v, input %q wants %v", links[in], from.Shape, in, to.Shape)
		}
	}
	return nil
}

// compatible reports whether no dimension of one shape contradicts the other.
func compatible(a, b Shape) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Known && b[i].Known && a[i].Size != b[i].Size {
			return false
		}
	}
	return true
}

func valueNames(list []*Value) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = v.Name
	}
	return names
}

// importAll adds opset imports. A domain that the model imports in another version is an error: only ai.onnx is converted.
func (m *Model) importAll(imports []Opset) error {
	for _, o := range imports {
		switch has := m.Opset(o.Domain); {
		case has == 0:
			m.Opsets = append(m.Opsets, o)
		case has != o.Version:
			return unsupported(Where{}, "the models import versions %d and %d of domain %q; one of them has to be exported anew",
				has, o.Version, o.Domain)
		}
	}
	return nil
}

// separateNames renames what has the same name in two graphs that are to be one: inner tensors of a that b's inputs or
// outputs are called, then whatever of b is called like something of a. Linked inputs of b take the names of their links.
func separateNames(a, b *Graph, links map[string]string) {
	inA, inB := namesOf(a), namesOf(b)
	taken := inA.with(inB)
	ends := map[string]bool{"": true}
	for _, v := range slices.Concat(a.Inputs, a.Outputs) {
		ends[v.Name] = true
	}
	aside := map[string]string{}
	for _, v := range slices.Concat(b.Inputs, b.Outputs) {
		if _, linked := links[v.Name]; !linked && inA.has(v.Name) && !ends[v.Name] && aside[v.Name] == "" {
			aside[v.Name] = taken.fresh(v.Name)
			delete(inA, v.Name)
		}
	}
	a.mapNames(aside)
	moves := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(inB)) {
		if tensor, linked := links[name]; linked {
			moves[name] = tensor
		} else if name != "" && inA.has(name) {
			moves[name] = taken.fresh(name)
		}
	}
	b.mapNames(moves)
}

// mapNames renames tensors and nodes all at once, in subgraphs too, whoever makes them there.
func (g *Graph) mapNames(to map[string]string) {
	move := func(s *string) {
		if name, ok := to[*s]; ok {
			*s = name
		}
	}
	g.eachName(move)
	for _, n := range g.Nodes {
		move(&n.Name)
		for _, sub := range subgraphs(n) {
			sub.mapNames(to)
		}
	}
}

// addFunctions takes over the functions of a model that is joined to m. Where both have a different one of the same name,
// the other model's is renamed.
func (m *Model) addFunctions(other *Model) {
	type key struct{ domain, name, overload string }
	own := map[key]*Function{}
	for _, f := range m.Functions {
		own[key{f.Domain, f.Name, f.Overload}] = f
	}
	for _, f := range other.Functions {
		k := key{f.Domain, f.Name, f.Overload}
		if same := own[k]; same != nil && reflect.DeepEqual(same, f) {
			continue
		} else if same != nil {
			for i := 1; own[k] != nil; i++ {
				k.name = fmt.Sprintf("%s_%d", f.Name, i)
			}
			for _, g := range other.bodies() {
				for _, n := range g.Nodes {
					if n.Domain == f.Domain && n.OpType == f.Name && n.Overload == f.Overload {
						n.OpType = k.name
					}
				}
			}
			f.Name = k.name
		}
		own[k] = f
		m.Functions = append(m.Functions, f)
	}
}

// addProperties adds the properties whose keys a list does not have.
func addProperties(list, more []Property) []Property {
	for _, p := range more {
		if !slices.ContainsFunc(list, func(q Property) bool { return q.Key == p.Key }) {
			list = append(list, p)
		}
	}
	return list
}
