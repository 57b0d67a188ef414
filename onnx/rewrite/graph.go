package rewrite

import (
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// A graph is a model with what the passes ask of it.
type graph struct {
	*onnx.Index
	m      *onnx.Model
	output map[string]bool
}

func newGraph(m *onnx.Model) *graph {
	g := &graph{Index: onnx.NewIndex(m.Graph), m: m, output: map[string]bool{}}
	for _, o := range m.Graph.Outputs {
		g.output[o.Name] = true
	}
	return g
}

// made returns the node that makes the tensor if it is one of the named operators, else nil.
func (g *graph) made(tensor string, ops ...string) *onnx.Node {
	if n := g.Producer(tensor); n != nil && n.Is(ops...) {
		return n
	}
	return nil
}

// only returns the single reader of a tensor that is no output and is read once by it; nil otherwise.
func (g *graph) only(tensor string) *onnx.Node {
	readers := g.Readers(tensor)
	if len(readers) != 1 || g.output[tensor] {
		return nil
	}
	uses := 0
	for _, in := range readers[0].Inputs {
		if in == tensor {
			uses++
		}
	}
	if uses != 1 {
		return nil
	}
	return readers[0]
}

// floats returns a constant float32 tensor of the given rank, nil where the tensor is something else.
func (g *graph) floats(tensor string, rank int) *onnx.Tensor {
	if t := g.Constant(tensor); t != nil && t.Type == onnx.Float32 && len(t.Shape) == rank {
		return t
	}
	return nil
}

// A linear layer is x·weight + bias as a MatMul and an Add.
type linear struct {
	matmul, add  *onnx.Node
	x            string
	weight, bias *onnx.Tensor // K×N and N
	biasInput    int          // which of add's inputs is the bias
}

// linear reads a layer from its Add; nil where it is not one, or its product is used elsewhere too.
func (g *graph) linear(add *onnx.Node) *linear {
	if add == nil || !add.Is("Add") {
		return nil
	}
	for i := range 2 {
		mm := g.made(add.Input(1-i), "MatMul")
		bias := g.floats(add.Input(i), 1)
		if mm == nil || bias == nil || g.only(mm.Output(0)) != add {
			continue
		}
		if w := g.floats(mm.Input(1), 2); w != nil && w.Shape[1] == bias.Shape[0] {
			return &linear{matmul: mm, add: add, x: mm.Input(0), weight: w, bias: bias, biasInput: i}
		}
	}
	return nil
}

// explicit tells whether the target of a Reshape says every dimension itself, so that its input's shape does not matter:
// no 0, which would copy a dimension. Computed parts are sizes of batches, and not 0.
func (g *graph) explicit(reshape *onnx.Node) bool {
	if reshape.Int("allowzero", 0) != 0 {
		return false
	}
	target := reshape.Input(1)
	parts := []string{target}
	if concat := g.made(target, "Concat"); concat != nil {
		parts = concat.Inputs
	} else if g.Constant(target) == nil {
		return false
	}
	for _, p := range parts {
		t := g.Constant(p)
		if t == nil {
			continue
		}
		sizes, err := onnx.View[int64](t)
		if err != nil || slices.Contains(sizes, 0) {
			return false
		}
	}
	return true
}
