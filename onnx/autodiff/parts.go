package autodiff

import (
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Suffix returns the part of m that computes its outputs from the tensor called from, which becomes an input beside those
// of m's inputs that the part still reads, such as an attention mask. What only a shape was wanted of, before the cut, is
// asked of the cut tensor where it was measured to have the same shape.
func Suffix(m *onnx.Model, from string, s *Shapes) (*onnx.Model, error) {
	m = m.Clone()
	index := onnx.NewIndex(m.Graph)
	producer := index.Producer(from)
	if producer == nil || s.dims[from] == nil {
		return nil, fmt.Errorf("autodiff: suffix: no node makes a tensor %q that was measured", from)
	}
	_, before := index.Ancestors(from)
	for _, n := range m.Graph.Nodes {
		if n.Is("Shape") && before[n.Input(0)] {
			s.askCut(n, from, m.Opset(""))
		}
	}
	for i, out := range producer.Outputs {
		if out == from {
			producer.Outputs[i] = from + "_before"
		}
	}
	input := &onnx.Value{Name: from, Type: onnx.Float32, Shape: s.shapeOf(from)}
	m.Graph.Inputs = append(m.Graph.Inputs, input)
	m.Graph.Values = slices.DeleteFunc(m.Graph.Values, func(v *onnx.Value) bool { return v.Name == from })
	return m, onnx.Cut(m, outputNames(m)...)
}

// askCut makes a Shape node read the cut tensor where that begins with the dimensions the node asks for.
func (s *Shapes) askCut(n *onnx.Node, from string, opset int64) {
	asked, cut := s.dims[n.Input(0)], s.dims[from]
	const ranges = 15 // the first operator set in which Shape can leave dimensions out
	switch {
	case len(asked) > len(cut) || !slices.Equal(asked, cut[:len(asked)]):
	case len(asked) == len(cut):
		n.Inputs[0] = from
	case opset >= ranges:
		end := n.Int("end", int64(len(asked)))
		if end < 0 {
			end += int64(len(asked))
		}
		start := n.Int("start", 0)
		if start < 0 {
			start += int64(len(asked))
		}
		n.Inputs[0] = from
		n.SetAttr(onnx.IntAttr("start", start))
		n.SetAttr(onnx.IntAttr("end", min(end, int64(len(asked)))))
	}
}

// shapeOf is a measured shape as a graph declares it: constant sizes, and a name for each dimension that varies.
func (s *Shapes) shapeOf(tensor string) onnx.Shape {
	shape := make(onnx.Shape, len(s.dims[tensor]))
	for i, d := range s.dims[tensor] {
		if n, fixed := d.fixed(); fixed {
			shape[i] = onnx.Known(n)
		} else {
			shape[i] = onnx.Param(fmt.Sprintf("varies_%d_%d", d[0], d[1]))
		}
	}
	return shape
}

// Promote makes initializers graph inputs of the same name, so that they are fed with each run, and returns them in
// names' order.
func Promote(m *onnx.Model, names []string) ([]*onnx.Tensor, error) {
	held := make(map[string]*onnx.Tensor, len(m.Graph.Initializers))
	for _, t := range m.Graph.Initializers {
		held[t.Name] = t
	}
	weights := make([]*onnx.Tensor, len(names))
	moved := map[string]bool{}
	for i, name := range names {
		t := held[name]
		if t == nil || moved[name] {
			return nil, fmt.Errorf("autodiff: promote: %q is not an initializer, or is named twice", name)
		}
		weights[i], moved[name] = t, true
		shape := make(onnx.Shape, len(t.Shape))
		for j, n := range t.Shape {
			shape[j] = onnx.Known(n)
		}
		m.Graph.Inputs = append(m.Graph.Inputs, &onnx.Value{Name: name, Type: t.Type, Shape: shape})
	}
	m.Graph.Initializers = slices.DeleteFunc(m.Graph.Initializers, func(t *onnx.Tensor) bool { return moved[t.Name] })
	return weights, nil
}

// largeWeight is the number of bytes from which [PromoteLarge] takes a weight.
const largeWeight = 1 << 16

// PromoteLarge makes large weights graph inputs of the same name and returns them, for a graph that is run a few times only:
// what is fed is not copied, as a session copies what it holds.
func PromoteLarge(m *onnx.Model) ([]*onnx.Tensor, error) {
	var names []string
	for _, t := range m.Graph.Initializers {
		if len(t.Data) > largeWeight && !slices.ContainsFunc(m.Graph.Inputs, func(in *onnx.Value) bool { return in.Name == t.Name }) {
			names = append(names, t.Name)
		}
	}
	return Promote(m, names)
}

// LiftFloat16 turns float16 and bfloat16 weights into float32 ones of the same names and values, so that they can be
// trained, and returns how many it lifted. It covers weights stored in half precision behind a Cast to float32, as small
// files have them; a network that computes in half precision is an [onnx.UnsupportedError].
func LiftFloat16(m *onnx.Model) (int, error) {
	index := onnx.NewIndex(m.Graph)
	lifted := 0
	for i, t := range m.Graph.Initializers {
		if t.Type != onnx.Float16 && t.Type != onnx.BFloat16 {
			continue
		}
		for _, n := range index.Readers(t.Name) {
			if !n.Is("Cast") || onnx.DType(n.Int("to", 0)) != onnx.Float32 {
				return 0, &onnx.UnsupportedError{Where: onnx.Where{Op: n.OpType, Node: n.Name, Tensor: t.Name},
					Problem: "it computes in " + t.Type.String() + ", training wants a model exported in float32"}
			}
		}
		values, err := t.Float32s()
		if err != nil {
			return 0, fmt.Errorf("autodiff: weight %q: %w", t.Name, err)
		}
		m.Graph.Initializers[i] = onnx.NewTensor(t.Name, values, t.Shape...)
		lifted++
	}
	return lifted, nil
}

func outputNames(m *onnx.Model) []string {
	names := make([]string, len(m.Graph.Outputs))
	for i, o := range m.Graph.Outputs {
		names[i] = o.Name
	}
	return names
}
