package onnx

import "slices"

// MakeBatchDynamic frees the first dimension of every input where the file fixes it, so that the model runs on any number
// of examples at once. Shapes written into the graph for the fixed number are changed with it: of Reshape, of constants
// joined to the data, of value_info. It follows the batch dimension through the whole graph, and where it cannot prove that
// examples stay apart and in order, returns an UnsupportedError that names the node, and leaves the model as it was. A
// model whose inputs are free already is not changed.
func MakeBatchDynamic(m *Model) error {
	fixed, param, err := fixedBatch(m)
	if err != nil || fixed < 0 {
		return err
	}
	g := m.Graph.clone()
	f := &freedBatch{batch: fixed, param: param, before: NewIndex(m.Graph)}
	weights := f.before.weights
	for _, in := range g.Inputs {
		if weights[in.Name] == nil && len(in.Shape) > 0 {
			in.Shape[0] = Param(param)
		}
	}
	stated := g.Values
	g.Values = nil
	outputs := cloneAll(g.Outputs, (*Value).clone)
	for _, v := range g.Outputs { // what they say is of the fixed size
		v.Type, v.Shape = Undefined, nil
	}
	if err := rewrite(m, g, nil, f.step); err != nil {
		return err
	}
	x := NewIndex(g)
	g.Outputs, g.Values = outputs, stated
	for _, v := range slices.Concat(outputs, stated) {
		v.Shape = x.Shape(v.Name)
	}
	m.Graph = g
	m.raiseIR()
	return nil
}

// fixedBatch returns the size that inputs fix for their first dimension, -1 where none does, and the name to give it.
func fixedBatch(m *Model) (n int64, param string, err error) {
	n, param = -1, "batch_size"
	var first string
	for _, in := range m.Inputs() {
		switch {
		case len(in.Shape) == 0:
		case in.Shape[0].Param != "" && !in.Shape[0].Known:
			param = in.Shape[0].Param
		case !in.Shape[0].Known:
		case n >= 0 && n != in.Shape[0].Size:
			return 0, "", unsupported(Where{Tensor: in.Name},
				"the first dimension is %d, that of input %q %d: which one counts examples cannot be told",
				in.Shape[0].Size, first, n)
		default:
			n, first = in.Shape[0].Size, in.Name
		}
	}
	if n == 0 {
		return 0, "", malformed(Where{Tensor: first}, "the first dimension is 0")
	}
	return n, param, nil
}

// freedBatch follows the batch dimension through a graph. At every step each tensor that depends on the inputs has the
// batch size in exactly one dimension, as its outermost factor, and no dimension that is not known depends on it.
type freedBatch struct {
	batch  int64  // the size it was fixed at
	param  string // its name now
	before *Index // of the graph as it was
}

// axis returns the dimension of a shape that has the batch size in it, -1 where none, -2 where several have.
func (f *freedBatch) axis(sizes []size) int {
	axis := -1
	for k, s := range sizes {
		if s.sym == f.param {
			if axis >= 0 {
				return -2
			}
			axis = k
		}
	}
	return axis
}

func (f *freedBatch) step(w *rewriter, n *Node) error {
	w.before(n)
	facts := w.index.facts()
	depends := false
	factors := map[int64]bool{} // that input dimensions have beside the batch size
	for _, name := range reads(n) {
		if k := f.axis(facts.sizes[name]); k >= 0 {
			depends = true
			factors[facts.sizes[name][k].n] = true
		}
		if f.axis(facts.contents[name]) != -1 {
			depends = true
			factors[1] = true
		}
	}
	if !depends {
		w.pass(n)
		return nil
	}
	if fix := batchFixes[n.OpType]; fix != nil && n.Is(n.OpType) {
		if err := fix(f, w, n); err != nil {
			return err
		}
	}
	if problem := f.mixes(w, n); problem != "" {
		return f.refuse(w, n, problem)
	}
	w.pass(n)
	for i, out := range n.Outputs {
		// Elements that are only picked and joined stay known where they hold the batch size; products might not.
		if c := facts.contents[out]; out == "" || c != nil && !(n.Is("Mul", "Div") && slices.Contains(c, anySize)) {
			continue
		}
		sizes := facts.sizes[out]
		switch k := f.axis(sizes); {
		case k == -2:
			return f.refuse(w, n, "it combines examples with one another")
		case k == -1 && i > 0 && !w.wanted[out]:
		case k == -1:
			return f.refuse(w, n, "the batch dimension cannot be followed through it")
		case !factors[sizes[k].n] && !n.Is("Reshape", "Flatten"):
			return f.refuse(w, n, "it repeats or splits the batch dimension")
		}
	}
	return nil
}

func (f *freedBatch) refuse(w *rewriter, n *Node, problem string) error {
	return unsupported(w.where(n), "the batch size, fixed at %d, cannot be freed: %s; export the model with a dynamic batch dimension",
		f.batch, problem)
}

func (g *Graph) hasOutput(tensor string) bool {
	return slices.ContainsFunc(g.Outputs, func(v *Value) bool { return v.Name == tensor })
}
