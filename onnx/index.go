package onnx

import (
	"slices"
	"sync"
)

// An Index answers who makes and who reads each tensor of one graph. It is a picture of the graph as it was: an edit
// asks for a new one. It may be read by several goroutines at once.
type Index struct {
	graph     *Graph
	producers map[string]*Node
	readers   map[string][]*Node
	weights   map[string]*Tensor
	typed     map[string]*Value

	once  sync.Once
	known *facts // of types and shapes, worked out when first asked for
}

// NewIndex looks at g's nodes once. Names read by a subgraph from outside it count as read by the node that holds it.
func NewIndex(g *Graph) *Index {
	x := &Index{
		graph:     g,
		producers: make(map[string]*Node, len(g.Nodes)),
		readers:   make(map[string][]*Node, len(g.Nodes)),
		weights:   make(map[string]*Tensor, len(g.Initializers)),
		typed:     make(map[string]*Value, len(g.Values)),
	}
	for _, t := range g.Initializers {
		x.weights[t.Name] = t
	}
	for _, list := range [][]*Value{g.Values, g.Outputs, g.Inputs} {
		for _, v := range list {
			x.typed[v.Name] = v
		}
	}
	for _, n := range g.Nodes {
		x.add(n)
	}
	delete(x.weights, "") // an input left out has no value, whatever a damaged file says
	delete(x.typed, "")
	return x
}

func (x *Index) add(n *Node) {
	for _, name := range n.Outputs {
		if name != "" {
			x.producers[name] = n
		}
	}
	for _, name := range reads(n) {
		x.readers[name] = append(x.readers[name], n)
	}
}

// rename follows a tensor's renaming in the graph.
func (x *Index) rename(old, name string) {
	f := x.facts()
	moveKey(x.producers, old, name)
	moveKey(x.readers, old, name)
	moveKey(x.weights, old, name)
	moveKey(x.typed, old, name)
	moveKey(f.types, old, name)
	moveKey(f.sizes, old, name)
	moveKey(f.contents, old, name)
}

func moveKey[V any](m map[string]V, old, name string) {
	if v, ok := m[old]; ok {
		delete(m, old)
		m[name] = v
	}
}

// Producer returns the node that makes a tensor, nil for inputs, weights and names nobody makes.
func (x *Index) Producer(tensor string) *Node { return x.producers[tensor] }

// Readers returns the nodes that read a tensor, themselves or in a subgraph, each once, in the graph's order.
func (x *Index) Readers(tensor string) []*Node { return x.readers[tensor] }

// Weight returns the initializer of that name, or nil.
func (x *Index) Weight(tensor string) *Tensor { return x.weights[tensor] }

// Typed returns what the file itself says of a tensor's type and shape (graph inputs and outputs, value_info), or nil.
func (x *Index) Typed(tensor string) *Value { return x.typed[tensor] }

// Has reports whether the graph makes, holds or takes a tensor of that name.
func (x *Index) Has(tensor string) bool {
	if x.producers[tensor] != nil || x.weights[tensor] != nil {
		return true
	}
	named := func(v *Value) bool { return v.Name == tensor }
	sparse := func(t *SparseTensor) bool { return t.Values != nil && t.Values.Name == tensor }
	return tensor != "" && (slices.ContainsFunc(x.graph.Inputs, named) ||
		slices.ContainsFunc(x.graph.SparseInitializers, sparse))
}

// Ancestors returns the nodes that the tensors are computed from, and every name those nodes read or make.
func (x *Index) Ancestors(tensors ...string) (nodes map[*Node]bool, names map[string]bool) {
	nodes, names = map[*Node]bool{}, map[string]bool{}
	queue := slices.Clone(tensors)
	for len(queue) > 0 {
		name := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if names[name] {
			continue
		}
		names[name] = true
		if n := x.producers[name]; n != nil && !nodes[n] {
			nodes[n] = true
			queue = append(queue, reads(n)...)
		}
	}
	return nodes, names
}

// Descendants returns the nodes that depend on the tensors, and the names those nodes make.
func (x *Index) Descendants(tensors ...string) (nodes map[*Node]bool, names map[string]bool) {
	nodes, names = map[*Node]bool{}, map[string]bool{}
	queue := slices.Clone(tensors)
	for len(queue) > 0 {
		name := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, n := range x.readers[name] {
			if nodes[n] {
				continue
			}
			nodes[n] = true
			for _, out := range n.Outputs {
				if out != "" {
					names[out] = true
					queue = append(queue, out)
				}
			}
		}
	}
	return nodes, names
}

// Order returns the nodes so that each comes after those it reads from; nodes already in such an order keep it. Where
// nodes form a cycle there is no such order, and ok is false.
func (x *Index) Order() (order []*Node, ok bool) {
	const open, done = 1, 2
	state := make(map[*Node]int, len(x.graph.Nodes))
	order = make([]*Node, 0, len(x.graph.Nodes))
	for _, root := range x.graph.Nodes {
		stack := []*Node{root}
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			if state[n] != 0 {
				stack = stack[:len(stack)-1]
				if state[n] == open {
					state[n] = done
					order = append(order, n)
				}
				continue
			}
			state[n] = open
			for _, name := range reads(n) {
				p := x.producers[name]
				if p != nil && state[p] == open {
					return nil, false
				}
				if p != nil && state[p] == 0 {
					stack = append(stack, p)
				}
			}
		}
	}
	return order, true
}

// Source follows a tensor to the initializer or Constant it comes from, through Identity, Cast and DequantizeLinear: a
// float16 weight stored behind a Cast, or a quantised one. It returns nil where the tensor is computed otherwise; via
// lists the nodes passed, nearest to the tensor first. The elements are those stored, not those after Cast.
func (x *Index) Source(tensor string) (t *Tensor, via []*Node) {
	for range len(x.graph.Nodes) + 1 {
		if t := x.weights[tensor]; t != nil {
			return t, via
		}
		n := x.producers[tensor]
		switch {
		case n == nil:
			return nil, via
		case n.Is("Constant"):
			return constantOf(n), append(via, n)
		case !n.Is("Identity", "Cast", "DequantizeLinear"):
			return nil, via
		}
		via = append(via, n)
		tensor = n.Input(0)
	}
	return nil, via
}

// Constant returns a tensor's value where it is an initializer or a Constant, also behind Identity; otherwise nil. An
// initializer that is also a graph input counts: its value is a default, and this package takes defaults as given.
func (x *Index) Constant(tensor string) *Tensor {
	t, via := x.Source(tensor)
	for _, n := range via {
		if n.Is("Cast", "DequantizeLinear") {
			return nil
		}
	}
	return t
}

// constantInts returns the integers of a constant int64 or int32 tensor; ok is false where it is something else.
func (x *Index) constantInts(tensor string) (list []int64, ok bool) {
	if t := x.Constant(tensor); t != nil {
		list = integers(t)
	}
	return list, list != nil
}

// constantFloats returns the elements of a constant tensor of floats; ok is false where it is something else.
func (x *Index) constantFloats(tensor string) (list []float32, ok bool) {
	t := x.Constant(tensor)
	if t == nil || t.Type != Float32 && t.Type != Float16 {
		return nil, false
	}
	list, err := t.Float32s()
	return list, err == nil
}

// constantOf returns the value that a Constant node holds, nil where its attribute is of a kind not meant for it.
func constantOf(n *Node) *Tensor {
	for _, a := range n.Attributes {
		switch a.Name {
		case "value":
			return a.Tensor
		case "value_int":
			return int64Tensor(nil, a.Int)
		case "value_ints":
			return int64Tensor([]int64{int64(len(a.Ints))}, a.Ints...)
		case "value_float":
			return float32Tensor(nil, a.Float)
		case "value_floats":
			return float32Tensor([]int64{int64(len(a.Floats))}, a.Floats...)
		case "value_string":
			return &Tensor{Type: String, Strs: [][]byte{a.Str}}
		case "value_strings":
			return &Tensor{Type: String, Shape: []int64{int64(len(a.Strs))}, Strs: a.Strs}
		}
	}
	return nil
}

// integers returns the elements of an int64 or int32 tensor, nil of any other.
func integers(t *Tensor) []int64 {
	if t.Type == Int64 {
		list, _ := View[int64](t)
		return list
	}
	narrow, _ := View[int32](t)
	if narrow == nil {
		return nil
	}
	list := make([]int64, len(narrow))
	for i, v := range narrow {
		list[i] = int64(v)
	}
	return list
}

// int64Tensor and float32Tensor make constants; shape nil makes a scalar.
func int64Tensor(shape []int64, v ...int64) *Tensor { return NewTensor("", v, shape...) }

func float32Tensor(shape []int64, v ...float32) *Tensor { return NewTensor("", v, shape...) }

// reads lists the tensors a node needs, each once: its inputs, and what its subgraphs take from outside themselves.
func reads(n *Node) []string {
	var list []string
	seen := make(map[string]bool, len(n.Inputs))
	use := func(name string) {
		if name != "" && !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	for _, name := range n.Inputs {
		use(name)
	}
	for _, g := range subgraphs(n) {
		for _, name := range outerReads(g) {
			use(name)
		}
	}
	return list
}

// subgraphs lists the graphs among a node's attributes: branches of If, bodies of Loop and Scan.
func subgraphs(n *Node) []*Graph {
	var list []*Graph
	for _, a := range n.Attributes {
		if a.Graph != nil {
			list = append(list, a.Graph)
		}
		list = append(list, a.Graphs...)
	}
	return list
}

// outerReads lists the names that a subgraph uses and does not itself define.
func outerReads(g *Graph) []string {
	own := map[string]bool{}
	for _, v := range g.Inputs {
		own[v.Name] = true
	}
	for _, t := range g.Initializers {
		own[t.Name] = true
	}
	for _, t := range g.SparseInitializers {
		if t.Values != nil {
			own[t.Values.Name] = true
		}
	}
	for _, n := range g.Nodes {
		for _, name := range n.Outputs {
			own[name] = true
		}
	}
	var list []string
	use := func(name string) {
		if !own[name] {
			list = append(list, name)
		}
	}
	for _, n := range g.Nodes {
		for _, name := range reads(n) {
			use(name)
		}
	}
	for _, v := range g.Outputs {
		use(v.Name)
	}
	return list
}
