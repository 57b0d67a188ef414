package onnx

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// nodes checks a list of nodes, each within what the ones before it made.
func (c *checker) nodes(list []*Node, here spot, s *scope) error {
	for i, n := range list {
		w := here
		w.op, w.node, w.index = n.OpType, n.Name, i
		if n.OpType == "" {
			return malformed(w.at(), "node %d (%q) has no operator", i, n.Name)
		}
		for k, name := range n.Inputs {
			if name != "" && !s.has(name) {
				return malformed(w.at(), "input %d, %q, is made by %s", k, name, maker(list, i, name))
			}
		}
		if err := c.operator(n, w); err != nil {
			return err
		}
		if err := c.attributes(n, w, s); err != nil {
			return err
		}
		for _, name := range n.Outputs {
			if name == "" {
				continue
			}
			if err := s.define(name, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// maker says who makes a name that node i cannot read.
func maker(list []*Node, i int, name string) string {
	for k, n := range list[i:] {
		switch {
		case !slices.Contains(n.Outputs, name):
		case k == 0:
			return "the node itself"
		default:
			return fmt.Sprintf("the later node %d (%s %q); nodes must come after those they read from", i+k, n.OpType, n.Name)
		}
	}
	return "no graph input, initializer or node"
}

// operator checks that the node's operator exists and takes as many inputs and outputs, and the attributes the standard
// demands. Operators of functions and of other domains are only looked up.
func (c *checker) operator(n *Node, w spot) error {
	domain := plainDomain(n.Domain)
	if c.functions[functionKey{domain, n.OpType, n.Overload}] {
		return nil
	}
	opset, ok := c.opsets[domain]
	if !ok {
		return malformed(w.at(), "the model does not import operator set %q, which the operator is of", n.Domain)
	}
	if domain != "" {
		return nil
	}
	op, err := findOperator(n.OpType, opset, w)
	if err != nil {
		return err
	}
	if err := count(w, "input", n.Inputs, op.minInputs, op.maxInputs); err != nil {
		return err
	}
	if err := count(w, "output", n.Outputs, op.minOutputs, op.maxOutputs); err != nil {
		return err
	}
	for k, name := range n.Inputs[:op.minInputs] {
		if name == "" && !slices.Contains(leavesOutFirst, n.OpType) {
			return malformed(w.at(), "input %d is left out; the first %d must be given", k, op.minInputs)
		}
	}
	return c.standardAttributes(n, op, w)
}

// leavesOutFirst lists the operators that may be called without one of the first inputs though others must follow.
var leavesOutFirst = []string{"Loop", "Resize", "Scan"}

// count compares a number of arguments with what an operator takes.
func count(w spot, what string, args []string, least, most int) error {
	switch n := len(args); {
	case n < least || n > most && least == most:
		return malformed(w.at(), "%d %ss; the operator has %s", n, what, atLeast(least, most))
	case n > most:
		return malformed(w.at(), "%d %ss; the operator has at most %d", n, what, most)
	}
	return nil
}

func atLeast(least, most int) string {
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("at least %d", least)
}

// findOperator returns the version of an ai.onnx operator that an opset means.
func findOperator(name string, opset int64, w spot) (operator, error) {
	first := sort.Search(len(operators), func(i int) bool { return operators[i].name >= name })
	var found *operator
	for i := first; i < len(operators) && operators[i].name == name; i++ {
		if operators[i].since <= opset {
			found = &operators[i]
		}
	}
	switch {
	case first == len(operators) || operators[first].name != name:
		return operator{}, unsupported(w.at(), "ai.onnx has no such operator in opsets %d to %d", oldestOpset, newestOpset)
	case found == nil:
		return operator{}, malformed(w.at(), "the operator came with opset %d; the model imports opset %d", operators[first].since, opset)
	case found.minInputs == gone:
		return operator{}, malformed(w.at(), "the operator was taken out with opset %d; the model imports opset %d", found.since, opset)
	}
	return *found, nil
}

// standardAttributes checks the names and types of a standard operator's attributes.
func (c *checker) standardAttributes(n *Node, op operator, w spot) error {
	for want := range strings.FieldsSeq(op.attributes) {
		if name, must := strings.CutSuffix(want, "!"); must && n.Attr(name) == nil {
			return malformed(w.at(), "attribute %q is missing", name)
		}
	}
	for _, a := range n.Attributes {
		if !takes(op, a.Name) {
			return malformed(w.at(), "attribute %q is unknown; the operator has: %s", a.Name, op.attributes)
		}
		want := c.types[a.Name]
		switch {
		case n.OpType == "Pad" && a.Name == "value":
			want = AttrFloat
		case n.OpType == "Dropout" && a.Name == "seed":
			want = AttrInt
		}
		if a.Type != want {
			return malformed(w.at(), "attribute %q is of type %v; it should be of type %v", a.Name, a.Type, want)
		}
	}
	return nil
}

// takes reports whether an operator has an attribute of that name.
func takes(op operator, name string) bool {
	for have := range strings.FieldsSeq(op.attributes) {
		if strings.TrimSuffix(have, "!") == name {
			return true
		}
	}
	return false
}

// typesOfAttributes turns attributeTypes round.
func typesOfAttributes() map[string]AttrType {
	types := make(map[string]AttrType, 160)
	for _, row := range attributeTypes {
		for name := range strings.FieldsSeq(row.names) {
			types[name] = row.typ
		}
	}
	return types
}

// attributes checks what holds for every operator's attributes: distinct names, a value of the stated type, sound tensors
// and subgraphs.
func (c *checker) attributes(n *Node, w spot, s *scope) error {
	names := make(map[string]bool, len(n.Attributes))
	for i, a := range n.Attributes {
		if a.Name == "" {
			return malformed(w.at(), "attribute %d has no name", i)
		}
		if names[a.Name] {
			return malformed(w.at(), "attribute %q is given twice", a.Name)
		}
		names[a.Name] = true
		if a.RefName != "" {
			if !c.within {
				return malformed(w.at(), "attribute %q refers to a function's attribute %q outside any function", a.Name, a.RefName)
			}
			continue
		}
		if err := c.attribute(a, w, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) attribute(a *Attribute, w spot, s *scope) error {
	missing := false
	tensors, graphs, sparses := a.Tensors, a.Graphs, a.Sparses
	switch a.Type {
	case AttrTensor:
		tensors, missing = []*Tensor{a.Tensor}, a.Tensor == nil
	case AttrGraph:
		graphs, missing = []*Graph{a.Graph}, a.Graph == nil
	case AttrSparseTensor:
		sparses, missing = []*SparseTensor{a.Sparse}, a.Sparse == nil
	default:
		if a.Type <= AttrUndefined || a.Type > AttrTypeProtos {
			return malformed(w.at(), "attribute %q has no type, or an unknown one: %d", a.Name, int32(a.Type))
		}
	}
	if missing {
		return malformed(w.at(), "attribute %q is of type %v but holds none", a.Name, a.Type)
	}
	for _, t := range tensors {
		if err := within(t.check(), w.of(a.Name)); err != nil {
			return err
		}
	}
	for _, t := range sparses {
		if err := within(t.check(), w.of(a.Name)); err != nil {
			return err
		}
	}
	for _, g := range graphs {
		if err := c.graph(g, spot{outer: &w, part: a.Name}, s); err != nil {
			return err
		}
	}
	return nil
}

// String returns the type's name, such as "ints".
func (t AttrType) String() string {
	names := [...]string{"undefined", "float", "int", "string", "tensor", "graph", "floats", "ints", "strings", "tensors",
		"graphs", "sparse tensor", "sparse tensors", "type", "types"}
	if t < 0 || int(t) >= len(names) {
		return fmt.Sprintf("type %d", int32(t))
	}
	return names[t]
}
