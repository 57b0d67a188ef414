package onnx

import "slices"

// IntAttr returns an attribute that holds one integer.
func IntAttr(name string, v int64) *Attribute {
	return &Attribute{Name: name, Type: AttrInt, Int: v}
}

// IntsAttr returns an attribute that holds a list of integers.
func IntsAttr(name string, v ...int64) *Attribute {
	return &Attribute{Name: name, Type: AttrInts, Ints: v}
}

// FloatAttr returns an attribute that holds one float.
func FloatAttr(name string, v float32) *Attribute {
	return &Attribute{Name: name, Type: AttrFloat, Float: v}
}

// FloatsAttr returns an attribute that holds a list of floats.
func FloatsAttr(name string, v ...float32) *Attribute {
	return &Attribute{Name: name, Type: AttrFloats, Floats: v}
}

// StringAttr returns an attribute that holds one string.
func StringAttr(name, v string) *Attribute {
	return &Attribute{Name: name, Type: AttrString, Str: []byte(v)}
}

// TensorAttr returns an attribute that holds a tensor.
func TensorAttr(name string, v *Tensor) *Attribute {
	return &Attribute{Name: name, Type: AttrTensor, Tensor: v}
}

// GraphAttr returns an attribute that holds a subgraph, such as a branch of If or the body of Loop.
func GraphAttr(name string, v *Graph) *Attribute {
	return &Attribute{Name: name, Type: AttrGraph, Graph: v}
}

// Attr returns the node's attribute of that name, or nil.
func (n *Node) Attr(name string) *Attribute {
	for _, a := range n.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Int returns an integer attribute's value, or def where the node has no such attribute.
func (n *Node) Int(name string, def int64) int64 {
	if a := n.Attr(name); a != nil && a.Type == AttrInt {
		return a.Int
	}
	return def
}

// Ints returns a list attribute's values, or nil where the node has no such attribute.
func (n *Node) Ints(name string) []int64 {
	if a := n.Attr(name); a != nil && a.Type == AttrInts {
		return a.Ints
	}
	return nil
}

// Float returns a float attribute's value, or def where the node has no such attribute.
func (n *Node) Float(name string, def float32) float32 {
	if a := n.Attr(name); a != nil && a.Type == AttrFloat {
		return a.Float
	}
	return def
}

// Str returns a string attribute's value, or def where the node has no such attribute.
func (n *Node) Str(name, def string) string {
	if a := n.Attr(name); a != nil && a.Type == AttrString {
		return string(a.Str)
	}
	return def
}

// SetAttr adds a to the node, in place of an attribute of the same name.
func (n *Node) SetAttr(a *Attribute) {
	for i, old := range n.Attributes {
		if old.Name == a.Name {
			n.Attributes[i] = a
			return
		}
	}
	n.Attributes = append(n.Attributes, a)
}

// DropAttr removes the node's attributes of these names.
func (n *Node) DropAttr(names ...string) {
	kept := n.Attributes[:0:0]
	for _, a := range n.Attributes {
		if !slices.Contains(names, a.Name) {
			kept = append(kept, a)
		}
	}
	n.Attributes = kept
}

// Input returns the name of the node's i-th input, empty where it is left out.
func (n *Node) Input(i int) string {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return ""
}

// Output returns the name of the node's i-th output, empty where it is left out.
func (n *Node) Output(i int) string {
	if i < len(n.Outputs) {
		return n.Outputs[i]
	}
	return ""
}

// Is reports whether the node calls one of these operators of the ai.onnx domain.
func (n *Node) Is(ops ...string) bool {
	return standardDomain(n.Domain) && slices.Contains(ops, n.OpType)
}

// standardDomain reports whether d is ai.onnx, under either of its spellings.
func standardDomain(d string) bool { return d == "" || d == "ai.onnx" }
