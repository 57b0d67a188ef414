// Package reference evaluates ONNX graphs in float64, slowly and plainly, from the operator specifications alone. It is
// what tests hold other engines and gradients against; nothing outside tests should use it.
package reference

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// An Array is a tensor of real numbers (F) or of integers and truth values (I); exactly one of the two is set unless it
// is empty. Elements are in row-major order.
type Array struct {
	Shape []int
	F     []float64
	I     []int64
}

// Evaluate computes every tensor of the graph and returns them all by name. feeds gives the graph's inputs and may
// replace initializers.
func Evaluate(m *onnx.Model, feeds map[string]*Array) (map[string]*Array, error) {
	values := map[string]*Array{}
	for _, t := range m.Graph.Initializers {
		a, err := FromTensor(t)
		if err != nil {
			return nil, fmt.Errorf("reference: initializer %q: %w", t.Name, err)
		}
		values[t.Name] = a
	}
	for name, a := range feeds {
		values[name] = a
	}
	for _, n := range m.Graph.Nodes {
		eval, known := operators[n.OpType]
		if !known {
			return nil, fmt.Errorf("reference: node %q: operator %s is not covered", n.Name, n.OpType)
		}
		in := make([]*Array, len(n.Inputs))
		for i, name := range n.Inputs {
			if in[i] = values[name]; in[i] == nil && name != "" {
				return nil, fmt.Errorf("reference: node %q: no value for %q", n.Name, name)
			}
		}
		out, err := eval(call{Node: n, in: in, opset: m.Opset("")})
		if err != nil {
			return nil, fmt.Errorf("reference: node %q (%s): %w", n.Name, n.OpType, err)
		}
		for i, name := range n.Outputs {
			if name != "" && i < len(out) {
				values[name] = out[i]
			}
		}
	}
	return values, nil
}

// A call is one node with its inputs' values.
type call struct {
	*onnx.Node
	in    []*Array
	opset int64
}

// has tells whether the i-th input is given.
func (c call) has(i int) bool { return i < len(c.in) && c.in[i] != nil }

// ints returns a list that is an attribute in older operator sets and the i-th input in newer ones.
func (c call) ints(name string, i int) []int {
	list := c.Ints(name)
	if list == nil && c.has(i) {
		list = c.in[i].I
	}
	out := make([]int, len(list))
	for j, v := range list {
		out[j] = int(v)
	}
	return out
}

// one is an operator's result of one output.
func one(a *Array) ([]*Array, error) { return []*Array{a}, nil }

// FromTensor converts a tensor to an Array: floats to F, integers and truth values to I.
func FromTensor(t *onnx.Tensor) (*Array, error) {
	a := &Array{Shape: make([]int, len(t.Shape))}
	for i, n := range t.Shape {
		a.Shape[i] = int(n)
	}
	switch t.Type {
	case onnx.Int64:
		v, err := onnx.View[int64](t)
		a.I = append(a.I, v...)
		return a, err
	case onnx.Int32:
		v, err := onnx.View[int32](t)
		for _, x := range v {
			a.I = append(a.I, int64(x))
		}
		return a, err
	case onnx.Bool:
		v, err := onnx.View[bool](t)
		for _, x := range v {
			a.I = append(a.I, truth(x))
		}
		return a, err
	case onnx.Float64:
		v, err := onnx.View[float64](t)
		a.F = append(a.F, v...)
		return a, err
	}
	v, err := t.Float32s()
	for _, x := range v {
		a.F = append(a.F, float64(x))
	}
	return a, err
}

// Tensor converts an Array to a float32 or int64 tensor.
func (a *Array) Tensor(name string) *onnx.Tensor {
	shape := make([]int64, len(a.Shape))
	for i, n := range a.Shape {
		shape[i] = int64(n)
	}
	if a.I != nil {
		return onnx.NewTensor(name, a.I, shape...)
	}
	data := make([]float32, len(a.F))
	for i, v := range a.F {
		data[i] = float32(v)
	}
	return onnx.NewTensor(name, data, shape...)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// size is the number of elements of a shape.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// zeros returns real zeros.
func zeros(shape ...int) *Array { return &Array{Shape: shape, F: make([]float64, size(shape))} }

// like returns an empty array of a's kind.
func (a *Array) like(shape ...int) *Array {
	if a.I != nil {
		return &Array{Shape: shape, I: make([]int64, size(shape))}
	}
	return zeros(shape...)
}

// copyFrom copies element j of b to element i of a.
func (a *Array) copyFrom(i int, b *Array, j int) {
	if a.I != nil {
		a.I[i] = b.I[j]
	} else {
		a.F[i] = b.F[j]
	}
}

// axisOf counts an axis from the front.
func axisOf(a, rank int) int {
	if a < 0 {
		return a + rank
	}
	return a
}

// strides are the distances between neighbours along each axis.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// each calls f with every index of shape in row-major order. The index is reused.
func each(shape []int, f func(flat int, index []int)) {
	index := make([]int, len(shape))
	for flat := range size(shape) {
		f(flat, index)
		for a := len(shape) - 1; a >= 0; a-- {
			if index[a]++; index[a] < shape[a] {
				break
			}
			index[a] = 0
		}
	}
}

// offset is where index lies, with strides s.
func offset(index, s []int) int {
	o := 0
	for i, x := range index {
		o += x * s[i]
	}
	return o
}

// broadcast returns the common shape of several.
func broadcast(shapes ...[]int) []int {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
		for _, s := range shapes {
			if j := i - rank + len(s); j >= 0 && s[j] != 1 {
				out[i] = s[j]
			}
		}
	}
	return out
}

// broadcastStrides are a's strides seen from the broadcast shape: 0 where it is repeated.
func broadcastStrides(a *Array, shape []int) []int {
	own, out := strides(a.Shape), make([]int, len(shape))
	for i := range a.Shape {
		if j := i + len(shape) - len(a.Shape); a.Shape[i] != 1 {
			out[j] = own[i]
		}
	}
	return out
}
