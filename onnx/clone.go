package onnx

import "slices"

// Clone returns a deep copy that may be edited freely. Tensor data, the one thing that is large, is shared with the
// original and must not be written to; where the original was mapped from a file, closing either closes both.
func (m *Model) Clone() *Model {
	c := *m
	c.Opsets = slices.Clone(m.Opsets)
	c.Metadata = slices.Clone(m.Metadata)
	c.Graph = m.Graph.clone()
	c.Functions = cloneAll(m.Functions, (*Function).clone)
	return &c
}

// Opset returns the version of a domain's operator set that the model imports, 0 where it imports none. The empty domain
// is ai.onnx.
func (m *Model) Opset(domain string) int64 { return opsetOf(m.Opsets, domain) }

// opsetOf finds a domain in a model's or function's imports.
func opsetOf(imports []Opset, domain string) int64 {
	for _, o := range imports {
		if o.Domain == domain || standardDomain(o.Domain) && standardDomain(domain) {
			return o.Version
		}
	}
	return 0
}

func (g *Graph) clone() *Graph {
	if g == nil {
		return nil
	}
	c := *g
	c.Nodes = cloneAll(g.Nodes, (*Node).clone)
	c.Initializers = cloneAll(g.Initializers, (*Tensor).clone)
	c.SparseInitializers = cloneAll(g.SparseInitializers, (*SparseTensor).clone)
	c.Inputs = cloneAll(g.Inputs, (*Value).clone)
	c.Outputs = cloneAll(g.Outputs, (*Value).clone)
	c.Values = cloneAll(g.Values, (*Value).clone)
	c.Annotations = slices.Clone(g.Annotations)
	for i := range c.Annotations {
		c.Annotations[i].Parameters = slices.Clone(c.Annotations[i].Parameters)
	}
	c.Metadata = slices.Clone(g.Metadata)
	return &c
}

func (n *Node) clone() *Node {
	c := *n
	c.Inputs = slices.Clone(n.Inputs)
	c.Outputs = slices.Clone(n.Outputs)
	c.Attributes = cloneAll(n.Attributes, (*Attribute).clone)
	c.Metadata = slices.Clone(n.Metadata)
	return &c
}

func (f *Function) clone() *Function {
	c := *f
	c.Inputs = slices.Clone(f.Inputs)
	c.Outputs = slices.Clone(f.Outputs)
	c.Attributes = slices.Clone(f.Attributes)
	c.Defaults = cloneAll(f.Defaults, (*Attribute).clone)
	c.Nodes = cloneAll(f.Nodes, (*Node).clone)
	c.Opsets = slices.Clone(f.Opsets)
	c.Values = cloneAll(f.Values, (*Value).clone)
	c.Metadata = slices.Clone(f.Metadata)
	return &c
}

func (a *Attribute) clone() *Attribute {
	c := *a
	c.Str = slices.Clone(a.Str)
	c.Tensor = a.Tensor.clone()
	c.Graph = a.Graph.clone()
	c.Sparse = a.Sparse.clone()
	c.Floats = slices.Clone(a.Floats)
	c.Ints = slices.Clone(a.Ints)
	c.Strs = slices.Clone(a.Strs)
	c.Tensors = cloneAll(a.Tensors, (*Tensor).clone)
	c.Graphs = cloneAll(a.Graphs, (*Graph).clone)
	c.Sparses = cloneAll(a.Sparses, (*SparseTensor).clone)
	return &c
}

func (v *Value) clone() *Value {
	c := *v
	c.Shape = slices.Clone(v.Shape)
	c.Metadata = slices.Clone(v.Metadata)
	return &c
}

// clone copies what describes a tensor and shares its elements.
func (t *Tensor) clone() *Tensor {
	if t == nil {
		return nil
	}
	c := *t
	c.Shape = slices.Clone(t.Shape)
	c.Metadata = slices.Clone(t.Metadata)
	return &c
}

func (t *SparseTensor) clone() *SparseTensor {
	if t == nil {
		return nil
	}
	c := *t
	c.Values, c.Indices = t.Values.clone(), t.Indices.clone()
	c.Dims = slices.Clone(t.Dims)
	return &c
}

// cloneAll copies a list by its elements, and keeps nil nil.
func cloneAll[T any](list []T, clone func(T) T) []T {
	if list == nil {
		return nil
	}
	c := make([]T, len(list))
	for i, x := range list {
		c[i] = clone(x)
	}
	return c
}
