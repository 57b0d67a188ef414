package ort_test

import (
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// A linearGraph is a model with what biasesIntoGemm asks of it.
type linearGraph struct {
	*onnx.Index
	m      *onnx.Model
	output map[string]bool
}

func newLinearGraph(m *onnx.Model) *linearGraph {
	g := &linearGraph{Index: onnx.NewIndex(m.Graph), m: m, output: map[string]bool{}}
	for _, o := range m.Graph.Outputs {
		g.output[o.Name] = true
	}
	return g
}

// made returns the node that makes the tensor if it is one of the named operators, else nil.
func (g *linearGraph) made(tensor string, ops ...string) *onnx.Node {
	if n := g.Producer(tensor); n != nil && n.Is(ops...) {
		return n
	}
	return nil
}

// only returns the single reader of a tensor that is no output and is read once by it; nil otherwise.
func (g *linearGraph) only(tensor string) *onnx.Node {
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
func (g *linearGraph) floats(tensor string, rank int) *onnx.Tensor {
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
func (g *linearGraph) linear(add *onnx.Node) *linear {
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
func (g *linearGraph) explicit(reshape *onnx.Node) bool {
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

// biasesIntoGemm turns x·W + b of three or more dimensions into one Gemm of x's rows. ONNX Runtime does that itself for
// matrices only; else the sum is one more pass over the result, or one that a GELU kernel does slower than the GELU
// alone. Reshapes cost nothing; those that meet another are left out.
func biasesIntoGemm(m *onnx.Model) (int, error) {
	g := newLinearGraph(m)
	r := gemms{linearGraph: g, Builder: onnx.NewBuilder(m).Scope("rewrite"), leads: map[string]*onnx.Value{}, flat: map[string]*onnx.Value{}}
	found := 0
	for _, n := range slices.Clone(m.Graph.Nodes) {
		l := g.linear(n)
		if l == nil || len(g.Shape(l.x)) == 2 {
			continue
		}
		r.replace(l)
		found++
	}
	if r.Err() != nil {
		return 0, r.Err()
	}
	return found, onnx.Cut(m, m.Graph.Outputs[0].Name)
}

// gemms is the state of biasesIntoGemm.
type gemms struct {
	*linearGraph
	*onnx.Builder
	leads map[string]*onnx.Value // all sizes but the last, by the tensor they were asked of
	flat  map[string]*onnx.Value // the rows of tensors as matrices
}

// replace puts Reshape, Gemm, Reshape in the place of a layer.
func (r gemms) replace(l *linear) {
	if r.flat[l.x] == nil {
		r.flat[l.x] = r.Reshape(r.Value(l.x), -1, l.weight.Shape[0])
	}
	y := r.Gemm(r.flat[l.x], r.Value(l.matmul.Input(1)), r.Value(l.add.Input(l.biasInput)), false)
	last := l.add
	if next := r.only(last.Output(0)); next != nil && next.Is("Gelu", "Relu", "Tanh") {
		y = r.Op(next.OpType, []*onnx.Value{y}, next.Attributes...)
		last = next
	}
	if y == nil {
		return
	}
	if next := r.only(last.Output(0)); next != nil && next.Is("Reshape") && next.Inputs[0] == last.Output(0) && r.explicit(next) {
		next.Inputs = slices.Clone(next.Inputs)
		next.Inputs[0] = y.Name
		return
	}
	shape := r.Op("Concat", []*onnx.Value{r.lead(l.x), r.Const("columns", onnx.NewTensor("", []int64{l.weight.Shape[1]}, 1))}, onnx.IntAttr("axis", 0))
	if shape == nil {
		return
	}
	r.flat[last.Output(0)] = y
	*last = onnx.Node{Name: last.Name, OpType: "Reshape", Inputs: []string{y.Name, shape.Name}, Outputs: last.Outputs}
}

// lead returns the sizes of a tensor's dimensions but the last.
func (r gemms) lead(tensor string) *onnx.Value {
	root := r.root(tensor)
	if r.leads[root] == nil {
		r.leads[root] = r.Op("Shape", []*onnx.Value{r.Value(root)}, onnx.IntAttr("end", -1))
	}
	return r.leads[root]
}

// root goes up from a tensor through nodes that keep all dimensions but the last.
func (r gemms) root(tensor string) string {
	for {
		n := r.made(tensor, "LayerNormalization", "Gelu", "Relu", "Tanh")
		if n == nil || n.Output(0) != tensor {
			return tensor
		}
		tensor = n.Input(0)
	}
}
