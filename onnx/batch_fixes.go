package onnx

import (
	"math"
	"slices"
)

// batchFixes change nodes that have the old batch size written into them.
var batchFixes = map[string]func(f *freedBatch, w *rewriter, n *Node) error{
	"Reshape": (*freedBatch).fixReshape,
	"Concat":  (*freedBatch).fixConcat,
	"Squeeze": (*freedBatch).fixSqueeze,
	"LSTM":    (*freedBatch).fixRecurrent,
	"GRU":     (*freedBatch).fixRecurrent,
	"RNN":     (*freedBatch).fixRecurrent,
}

// fixReshape lets the dimension of the target that holds the batch follow the data: as 0 where it is the first of both,
// else as -1.
func (f *freedBatch) fixReshape(w *rewriter, n *Node) error {
	facts := w.index.facts()
	in := facts.in(n, 0)
	k := f.axis(in)
	if k < 0 {
		return nil
	}
	target, constant := w.index.constantInts(n.Input(1))
	target = slices.Clone(target)
	c := facts.contents[n.Input(1)]
	if first := k == 0 && in[0].n == 1 && len(c) > 0 && c[0].is(f.batch); first && n.Int("allowzero", 0) == 0 {
		if constant {
			target[0] = 0
			n.Inputs[1] = nameOf(w.Ints(target...))
			return nil
		}
		rest := w.Slice(w.at(n.Input(1)), []int64{1}, []int64{math.MaxInt64}, []int64{0})
		n.Inputs[1] = nameOf(w.Concat(0, w.Ints(0), rest))
		return nil
	}
	if out := reshape(facts, n, 0); f.axis(out) >= 0 && f.sameOrder(in, out) {
		return nil
	}
	if !constant {
		return f.refuse(w, n, "the shape it makes is computed in a way that cannot be followed")
	}
	old := f.before.Shape(n.Output(0))
	if len(old) != len(target) || !allKnown(old) {
		return f.refuse(w, n, "the shape it makes is not known")
	}
	place := f.placeOf(product(in[:k]), old)
	if place < 0 {
		return f.refuse(w, n, "no dimension of the shape it makes is that of the batch")
	}
	for i, d := range old {
		target[i] = d.Size
	}
	target[place] = -1
	n.Inputs[1] = nameOf(w.Ints(target...))
	return nil
}

// sameOrder reports whether the batch dimension has the same number of elements outside of it in two shapes of the same
// data, so that a reshape between them leaves examples whole.
func (f *freedBatch) sameOrder(in, out []size) bool {
	i, k := f.axis(in), f.axis(out)
	if i == 0 && k == 0 {
		return true
	}
	a, b := product(in[:i]), product(out[:k])
	return a.known() && a == b
}

// placeOf finds the dimension of shape that holds the batch size when outside elements come before it.
func (f *freedBatch) placeOf(outside size, shape Shape) int {
	if !outside.known() || outside.sym != "" {
		return -1
	}
	before := int64(1)
	for i, d := range shape {
		if before == outside.n && d.Size%f.batch == 0 {
			return i
		}
		before *= d.Size
	}
	return -1
}

// fixConcat repeats constants that are joined to the data for each example, as a class token is.
func (f *freedBatch) fixConcat(w *rewriter, n *Node) error {
	facts := w.index.facts()
	var data string
	axis := -1
	for _, name := range n.Inputs {
		if k := f.axis(facts.sizes[name]); k >= 0 {
			data, axis = name, k
		}
	}
	if joined, ok := axisOf(n.Int("axis", 0), len(facts.sizes[data])); axis < 0 || !ok || joined == axis {
		return nil // of shapes; or refused, as the batch dimension is lost
	}
	for i, name := range n.Inputs {
		in := facts.sizes[name]
		switch {
		case len(in) <= axis:
			return f.refuse(w, n, "the shapes it joins are not known")
		case in[axis] == facts.sizes[data][axis]:
		case !in[axis].is(1) || facts.sizes[data][axis].n != 1:
			return f.refuse(w, n, "it joins the data to a constant made for the fixed size")
		default:
			ones := func(count int) []int64 { return slices.Repeat([]int64{1}, count) }
			batch := w.Slice(w.Shape(w.at(data)), []int64{int64(axis)}, []int64{int64(axis) + 1}, []int64{0})
			parts := []*Value{batch}
			if axis > 0 {
				parts = append([]*Value{w.Ints(ones(axis)...)}, parts...)
			}
			if rest := len(in) - axis - 1; rest > 0 {
				parts = append(parts, w.Ints(ones(rest)...))
			}
			n.Inputs[i] = nameOf(w.Expand(w.at(name), w.Concat(0, parts...)))
		}
	}
	return nil
}

// fixSqueeze names the axes that a Squeeze of all axes of size 1 removed, the batch dimension not among them. Where that
// was removed too, later nodes count on its absence.
func (f *freedBatch) fixSqueeze(w *rewriter, n *Node) error {
	if axes, known := w.index.facts().axesOf(n); !known || len(axes) > 0 {
		return nil
	}
	in := w.index.facts().in(n, 0)
	if f.batch == 1 {
		return f.refuse(w, n, "it removes every dimension of size 1, and with them that of the batch")
	}
	var axes []int64
	for k, s := range in {
		if s.is(1) {
			axes = append(axes, int64(k))
		}
	}
	if w.Opset() >= axesAsInput["Squeeze"] {
		n.Inputs = []string{n.Inputs[0], nameOf(w.Ints(axes...))}
		return nil
	}
	n.SetAttr(IntsAttr("axes", axes...))
	return nil
}

// fixRecurrent drops first states that are all zeros, which is what they are by default.
func (f *freedBatch) fixRecurrent(w *rewriter, n *Node) error {
	for _, k := range []int{5, 6} {
		if list, ok := w.index.constantFloats(n.Input(k)); ok && !slices.ContainsFunc(list, func(v float32) bool { return v != 0 }) {
			n.Inputs[k] = ""
		}
	}
	return nil
}

func allKnown(shape Shape) bool {
	return !slices.ContainsFunc(shape, func(d Dim) bool { return !d.Known })
}

// nameOf is a Value's name, empty for the nil that a Builder with an error returns.
func nameOf(v *Value) string {
	if v == nil {
		return ""
	}
	return v.Name
}
