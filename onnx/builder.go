package onnx

import (
	"fmt"
	"slices"
)

// A Builder appends nodes to a model's graph. Each method takes and returns [Value]s, so that a formula reads like one:
//
//	b := onnx.NewBuilder(m).Scope("head")
//	logits := b.Gemm(b.Value("features"), b.Const("weight", w), b.Const("bias", c), true)
//	b.Output(logits, "logits")
//	if err := b.Err(); err != nil { … }
//
// The first error sticks: what follows does nothing and returns nil values, which every method accepts, and [Builder.Err]
// tells it. What a method emits is right for the opset the model imports. Names of nodes and tensors are made from the
// scope and the operator ("head/Gemm_1") and clash with nothing. A Builder is for one goroutine, and while it is in use
// nothing else may edit the graph.
type Builder struct {
	*site
	scope string
}

// A site is what a builder and those scoped from it share.
type site struct {
	model  *Model
	index  *Index
	names  names
	values map[string]*Value // one Value for each name, so that a rename reaches whoever holds it
	consts map[string]*Value // small constants by their content
	err    error
}

// NewBuilder returns a Builder that appends to m.Graph. A model without graph or opset import gets an empty graph and
// opset 17.
func NewBuilder(m *Model) *Builder {
	if m.Graph == nil {
		m.Graph = &Graph{Name: "graph"}
	}
	if m.Opset("") == 0 {
		m.Opsets = append(m.Opsets, Opset{Version: defaultOpset})
	}
	m.raiseIR()
	return &Builder{site: &site{
		model:  m,
		index:  NewIndex(m.Graph),
		names:  namesOf(m.Graph),
		values: map[string]*Value{},
		consts: map[string]*Value{},
	}}
}

// defaultOpset is what a model made from nothing imports: the first that has LayerNormalization.
const defaultOpset = 17

// Scope returns a builder for the same graph whose names begin with this builder's scope, prefix and a slash.
func (b *Builder) Scope(prefix string) *Builder {
	return &Builder{site: b.site, scope: b.scope + prefix + "/"}
}

// Model returns the model that is built.
func (b *Builder) Model() *Model { return b.model }

// Opset returns the version of ai.onnx that the nodes are written for.
func (b *Builder) Opset() int64 { return b.model.Opset("") }

// Err returns the first error.
func (b *Builder) Err() error { return b.err }

// Fail records an error, unless an earlier one is kept, for callers that find something wrong between two nodes.
func (b *Builder) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *Builder) failf(format string, args ...any) *Value {
	b.Fail(fmt.Errorf("onnx: builder: "+format, args...))
	return nil
}

// Value returns a tensor that the graph already has: an input, an initializer or a node's output.
func (b *Builder) Value(name string) *Value {
	if b.err != nil {
		return nil
	}
	if v := b.values[name]; v != nil {
		return v
	}
	if !b.index.Has(name) {
		return b.failf("%w", b.index.missing(name))
	}
	return b.value(name)
}

// value makes the Value of an existing name, with what is known of its type.
func (b *Builder) value(name string) *Value {
	v := &Value{Name: name, Type: b.index.Type(name), Shape: b.index.Shape(name)}
	b.values[name] = v
	return v
}

// Input adds a graph input. The name must be free: callers feed it by that name.
func (b *Builder) Input(name string, t DType, dims ...Dim) *Value {
	if b.err != nil {
		return nil
	}
	if name == "" || b.names.has(name) {
		return b.failf("input %q: the name is empty or already taken", name)
	}
	b.names.take(name)
	in := &Value{Name: name, Type: t, Shape: append(Shape{}, dims...)}
	b.model.Graph.Inputs = append(b.model.Graph.Inputs, in)
	b.index.declare(in)
	return b.value(name)
}

// Output makes v a graph output called name and returns it. The tensor itself takes the name where that can be done; an
// Identity is added only where v is a graph input, an initializer or already an output. An inner tensor that happens to
// have the name gives way to it.
func (b *Builder) Output(v *Value, name string) *Value {
	if !b.live(v) {
		return nil
	}
	g := b.model.Graph
	isOutput := func(tensor string) bool {
		return slices.ContainsFunc(g.Outputs, func(o *Value) bool { return o.Name == tensor })
	}
	switch {
	case name == "" || isOutput(name):
		return b.failf("output %q: the name is empty or already an output's", name)
	case v.Name == name:
	case b.names.has(name) && b.index.Producer(name) == nil && b.index.Has(name):
		return b.failf("output %q: an input or initializer has that name", name)
	default:
		if b.index.Has(name) {
			b.rename(name, b.names.fresh(name+"_inner"))
		}
		b.names.take(name)
		if b.index.Producer(v.Name) == nil || isOutput(v.Name) {
			v = b.emit(&Node{OpType: "Identity", Inputs: []string{v.Name}, Outputs: []string{name}})[0]
		} else {
			b.rename(v.Name, name)
		}
	}
	g.Values = slices.DeleteFunc(g.Values, func(i *Value) bool { return i.Name == name })
	g.Outputs = append(g.Outputs, &Value{Name: name, Type: v.Type, Shape: slices.Clone(v.Shape)})
	return v
}

// rename gives a tensor another name, in the graph and in every Value handed out.
func (b *Builder) rename(old, name string) {
	renameIn(b.model.Graph, old, name)
	if v := b.values[old]; v != nil {
		delete(b.values, old)
		v.Name = name
		b.values[name] = v
	}
	b.index.rename(old, name)
}

// Const adds t as an initializer called name, in the scope, and returns it. Small constants of equal content are added
// once. t itself is not changed; its data is shared.
func (b *Builder) Const(name string, t *Tensor) *Value {
	if b.err != nil {
		return nil
	}
	if t == nil {
		return b.failf("constant %q: no tensor", name)
	}
	const small = 256 // bytes
	var key string
	if len(t.Data) <= small && t.Type != String {
		key = fmt.Sprint(t.Type, t.Shape, t.Data)
		if v := b.consts[key]; v != nil {
			return v
		}
	}
	c := t.clone()
	c.Name = b.names.fresh(b.scope + name)
	b.model.Graph.Initializers = append(b.model.Graph.Initializers, c)
	b.index.hold(c)
	v := b.value(c.Name)
	if key != "" {
		b.consts[key] = v
	}
	return v
}

// Op adds a node of the ai.onnx domain with one output. A nil in the middle of in is an optional input left out.
func (b *Builder) Op(op string, in []*Value, attrs ...*Attribute) *Value {
	return b.Ops(op, 1, in, attrs...)[0]
}

// Ops adds a node of the ai.onnx domain with several outputs.
func (b *Builder) Ops(op string, outputs int, in []*Value, attrs ...*Attribute) []*Value {
	if b.err != nil || outputs < 1 {
		return make([]*Value, max(outputs, 1))
	}
	n := &Node{OpType: op, Attributes: slices.DeleteFunc(attrs, func(a *Attribute) bool { return a == nil })}
	for _, v := range in {
		if v == nil {
			n.Inputs = append(n.Inputs, "")
			continue
		}
		n.Inputs = append(n.Inputs, v.Name)
	}
	for len(n.Inputs) > 0 && n.Inputs[len(n.Inputs)-1] == "" {
		n.Inputs = n.Inputs[:len(n.Inputs)-1]
	}
	for range outputs {
		n.Outputs = append(n.Outputs, b.names.fresh(b.scope+op+"_output"))
	}
	return b.emit(n)
}

// emit appends a node whose inputs and outputs are named.
func (b *Builder) emit(n *Node) []*Value {
	n.Name = b.names.fresh(b.scope + n.OpType)
	for _, name := range n.Inputs {
		if name != "" && !b.index.Has(name) {
			b.failf("%s reads %q, which is not in the graph", n.Name, name)
		}
	}
	b.model.Graph.Nodes = append(b.model.Graph.Nodes, n)
	b.index.grow(n)
	out := make([]*Value, len(n.Outputs))
	for i, name := range n.Outputs {
		out[i] = b.value(name)
	}
	return out
}

// SideOutput returns the i-th output of a node of the graph, an optional one that the node is asked for where it was left out.
func (b *Builder) SideOutput(n *Node, i int) *Value {
	if b.err != nil {
		return nil
	}
	for len(n.Outputs) <= i {
		n.Outputs = append(n.Outputs, "")
	}
	if n.Outputs[i] == "" {
		n.Outputs[i] = b.names.fresh(b.scope + n.OpType + "_output")
		b.index.producers[n.Outputs[i]] = n
		b.index.facts().infer(n)
	}
	return b.Value(n.Outputs[i])
}

// live reports whether building goes on; a nil value where one is needed ends it.
func (b *Builder) live(in ...*Value) bool {
	if b.err == nil && slices.Contains(in, nil) {
		b.failf("a value is nil")
	}
	return b.err == nil
}
