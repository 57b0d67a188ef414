package onnxgo

import (
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// operators is what the backend was seen to compute right, each with how its nodes are translated.
var operators = map[string]func(*translator, *onnx.Node) error{
	"Gemm":     (*translator).gemm,
	"MatMul":   (*translator).matMul,
	"Add":      (*translator).elementwise,
	"Sub":      (*translator).elementwise,
	"Mul":      (*translator).elementwise,
	"Div":      (*translator).elementwise,
	"Relu":     (*translator).plain,
	"Sigmoid":  (*translator).plain,
	"Tanh":     (*translator).plain,
	"Exp":      (*translator).plain,
	"Log":      (*translator).plain,
	"Sqrt":     (*translator).plain,
	"Neg":      (*translator).plain,
	"Abs":      (*translator).plain,
	"Identity": (*translator).plain,
	"Softmax":  (*translator).lastAxis,
	"Flatten":  (*translator).flatten,
	"Constant": (*translator).constant,
}

// A translator rewrites the nodes that one output is computed from. All values are matrices; weights become inputs of
// the translated graph, one for each use, so that nothing the backend does to one is seen by another.
type translator struct {
	constants map[string]*onnx.Tensor
	nodes     []*onnx.Node
	weights   []weight
}

// translate makes the plan of one output of a model.
func translate(m *onnx.Model, output string) (*plan, error) {
	c := m.Clone()
	if err := onnx.Cut(c, output); err != nil {
		return nil, err
	}
	if len(c.Graph.SparseInitializers) > 0 {
		return nil, unsupported(nil, "sparse initializers")
	}
	t := &translator{constants: map[string]*onnx.Tensor{}}
	for _, w := range c.Graph.Initializers {
		t.constants[w.Name] = w
	}
	for _, n := range c.Graph.Nodes {
		rule := operators[n.OpType]
		if rule == nil || n.Domain != "" && n.Domain != "ai.onnx" {
			return nil, unsupported(n, "the pure Go runtime has no such operator")
		}
		if err := rule(t, n); err != nil {
			return nil, err
		}
	}
	p := &plan{output: output, weights: t.weights}
	for _, v := range c.Graph.Inputs {
		if t.constants[v.Name] == nil {
			p.inputs = append(p.inputs, v.Name)
		}
	}
	if slices.Contains(p.inputs, output) || t.constants[output] != nil {
		return nil, unsupported(nil, "output %q is not computed by any node", output)
	}
	var err error
	p.skeleton, err = t.skeleton(c, p).Bytes()
	return p, err
}

// skeleton is the translated graph, without types and without data: the backend would allocate by declared shapes.
func (t *translator) skeleton(m *onnx.Model, p *plan) *onnx.Model {
	g := &onnx.Graph{Name: "head", Nodes: t.nodes, Outputs: []*onnx.Value{{Name: p.output}}}
	for _, name := range p.inputs {
		g.Inputs = append(g.Inputs, &onnx.Value{Name: name})
	}
	for _, w := range t.weights {
		g.Inputs = append(g.Inputs, &onnx.Value{Name: w.name})
	}
	return &onnx.Model{IRVersion: m.IRVersion, Opsets: m.Opsets, Graph: g}
}

// emit adds a node with the given inputs. An input that is there twice goes through an Identity, for the backend's graph
// has room for one edge between two nodes.
func (t *translator) emit(n *onnx.Node, attributes []*onnx.Attribute, inputs ...string) {
	for i := range inputs {
		if slices.Contains(inputs[:i], inputs[i]) {
			again := t.fresh(inputs[i])
			t.nodes = append(t.nodes, &onnx.Node{OpType: "Identity", Inputs: []string{inputs[i]}, Outputs: []string{again}})
			inputs[i] = again
		}
	}
	t.nodes = append(t.nodes, &onnx.Node{
		Name: n.Name, OpType: n.OpType, Inputs: inputs, Outputs: n.Outputs[:1], Attributes: attributes,
	})
}

// fresh makes a name from another that no value of the graph has: ONNX names come without this prefix.
func (t *translator) fresh(name string) string {
	return fmt.Sprintf("\x01%d:%s", len(t.nodes)+len(t.weights), name)
}

// input returns the name to read a value by. A constant becomes a weight of its own, as a matrix with one row where it is
// a vector or a scalar.
func (t *translator) input(n *onnx.Node, name string) (string, error) {
	c := t.constants[name]
	if c == nil {
		return name, nil
	}
	w, err := newWeight(n, c)
	if err != nil {
		return "", err
	}
	return t.use(w, name), nil
}

// use adds a weight and returns its name.
func (t *translator) use(w weight, name string) string {
	w.name = t.fresh(name)
	t.weights = append(t.weights, w)
	return w.name
}

// newWeight views a constant as a matrix.
func newWeight(n *onnx.Node, c *onnx.Tensor) (weight, error) {
	if c.Type != onnx.Float32 {
		return weight{}, unsupported(n, "constant %q holds %v; float32 is run", c.Name, c.Type)
	}
	data, err := onnx.View[float32](c)
	if err != nil {
		return weight{}, err
	}
	if len(c.Shape) > 2 || len(data) == 0 {
		return weight{}, unsupported(n, "constant %q has shape %v; matrices, vectors and scalars are run", c.Name, c.Shape)
	}
	w := weight{rows: 1, cols: len(data), data: slices.Clone(data)} // c's may be unmapped before the session is closed
	if len(c.Shape) == 2 {
		w.rows, w.cols = int(c.Shape[0]), int(c.Shape[1])
	}
	return w, nil
}

// plain translates an operator of one input and no attributes.
func (t *translator) plain(n *onnx.Node) error {
	in, err := t.input(n, n.Inputs[0])
	if err != nil {
		return err
	}
	t.emit(n, nil, in)
	return nil
}

// elementwise translates an operator of two inputs.
func (t *translator) elementwise(n *onnx.Node) error {
	a, err := t.input(n, n.Inputs[0])
	if err != nil {
		return err
	}
	b, err := t.input(n, n.Inputs[1])
	if err != nil {
		return err
	}
	t.emit(n, nil, a, b)
	return nil
}

// matMul translates a product of matrices; with a vector it would have another rank.
func (t *translator) matMul(n *onnx.Node) error {
	for _, name := range n.Inputs {
		if c := t.constants[name]; c != nil && len(c.Shape) != 2 {
			return unsupported(n, "constant %q has shape %v; matrices are multiplied", name, c.Shape)
		}
	}
	return t.elementwise(n)
}

// gemm translates αXW+βC with a constant W and a C of one row or one element. The backend adds into C's own memory and
// does not know a Gemm without C.
func (t *translator) gemm(n *onnx.Node) error {
	w := t.constants[n.Inputs[1]]
	if w == nil || len(w.Shape) != 2 || n.Int("transA", 0) != 0 {
		return unsupported(n, "X times a constant matrix is run, X not transposed")
	}
	columns := w.Shape[1]
	if n.Int("transB", 0) != 0 {
		columns = w.Shape[0]
	}
	bias := weight{rows: 1, cols: 1, data: []float32{0}}
	name := "zero"
	if len(n.Inputs) > 2 && n.Inputs[2] != "" {
		name = n.Inputs[2]
		c := t.constants[name]
		if c == nil {
			return unsupported(n, "the bias %q is not a constant", name)
		}
		var err error
		if bias, err = newWeight(n, c); err != nil {
			return err
		}
		if bias.rows != 1 || bias.cols != 1 && int64(bias.cols) != columns {
			return unsupported(n, "the bias %q has shape %v; one row of %d is run", name, c.Shape, columns)
		}
	}
	bias.spent = true
	x, err := t.input(n, n.Inputs[0])
	if err != nil {
		return err
	}
	b, err := t.input(n, n.Inputs[1])
	if err != nil {
		return err
	}
	t.emit(n, n.Attributes, x, b, t.use(bias, name))
	return nil
}

// lastAxis translates an operator along rows.
func (t *translator) lastAxis(n *onnx.Node) error {
	if axis := n.Int("axis", -1); axis != 1 && axis != -1 {
		return unsupported(n, "axis %d; rows are run (axis 1 or -1)", axis)
	}
	return t.plain(n)
}

// flatten does nothing to a matrix, if it is flattened from axis 1 on.
func (t *translator) flatten(n *onnx.Node) error {
	if axis := n.Int("axis", 1); axis != 1 && axis != -1 {
		return unsupported(n, "axis %d; matrices are flattened from axis 1 on", axis)
	}
	identity := *n
	identity.OpType = "Identity"
	return t.plain(&identity)
}

// constant takes a node's tensor among the constants.
func (t *translator) constant(n *onnx.Node) error {
	value := n.Attr("value")
	if value == nil || value.Tensor == nil {
		return unsupported(n, "only the attribute value is read")
	}
	t.constants[n.Outputs[0]] = value.Tensor
	return nil
}
