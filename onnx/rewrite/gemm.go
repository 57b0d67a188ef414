package rewrite

import (
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// biasesIntoGemm turns x·W + b of three or more dimensions into one Gemm of x's rows. ONNX Runtime does that itself for
// matrices only; else the sum is one more pass over the result, or one that a GELU kernel does slower than the GELU
// alone. Reshapes cost nothing; those that meet another are left out.
func biasesIntoGemm(m *onnx.Model) (int, error) {
	g := newGraph(m)
	r := gemms{graph: g, Builder: onnx.NewBuilder(m).Scope("rewrite"), leads: map[string]*onnx.Value{}, flat: map[string]*onnx.Value{}}
	found := 0
	for _, n := range slices.Clone(m.Graph.Nodes) {
		l := g.linear(n)
		if l == nil || len(g.Shape(l.x)) == 2 {
			continue
		}
		r.replace(l)
		found++
	}
	return found, r.Err()
}

// gemms is the state of biasesIntoGemm.
type gemms struct {
	*graph
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
