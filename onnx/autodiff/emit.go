package autodiff

import (
	"math"

	"github.com/onnx-graft/graft/onnx"
)

// shape returns what was measured of a tensor's shape.
func (w *walker) shape(name string) dims { return w.shapes.dims[name] }

// elements returns the number of elements in the two runs.
func (d dims) elements() dim {
	n := dim{1, 1}
	for _, x := range d {
		n = dim{n[0] * x[0], n[1] * x[1]}
	}
	return n
}

// f returns a float32 constant.
func (w *walker) f(v float64) *onnx.Value {
	return w.Const("scalar", onnx.NewTensor("", []float32{float32(v)}))
}

// ints returns a list of int64 as a constant.
func (w *walker) ints(v ...int64) *onnx.Value {
	return w.Const("ints", onnx.NewTensor("", v, int64(len(v))))
}

// op appends a node with one output.
func (w *walker) op(opType string, in ...*onnx.Value) *onnx.Value { return w.Op(opType, in) }

// shapeOf returns a tensor's shape as an int64 vector: a constant where it does not vary.
func (w *walker) shapeOf(name string) *onnx.Value {
	if sizes, ok := w.shape(name).known(); ok {
		return w.ints(sizes...)
	}
	return w.op("Shape", w.Value(name))
}

// fill returns a tensor full of v with the shape d, which is that of the tensor called like.
func (w *walker) fill(v float64, d dims, like string) *onnx.Value {
	if len(d) == 0 {
		return w.f(v)
	}
	return w.op("Expand", w.f(v), w.shapeOf(like))
}

// expand broadcasts v to the shape of the tensor called like.
func (w *walker) expand(v *onnx.Value, like string) *onnx.Value {
	return w.op("Expand", v, w.shapeOf(like))
}

// reshape gives v, of shape from, the shape of the tensor called like.
func (w *walker) reshape(v *onnx.Value, from dims, like string) *onnx.Value {
	to := w.shape(like)
	if sizes, ok := reshapeSizes(from, to); ok {
		return w.Reshape(v, sizes...)
	}
	return w.op("Reshape", v, w.op("Shape", w.Value(like)))
}

// reshapeSizes writes to as Reshape's second input: sizes, 0 for a varying dimension that stays in place, and -1 for one
// that does not. It fails where more than one would be -1.
func reshapeSizes(from, to dims) ([]int64, bool) {
	sizes, open := make([]int64, len(to)), 0
	for i, d := range to {
		n, fixed := d.fixed()
		switch {
		case fixed && n > 0:
			sizes[i] = n
		case i < len(from) && from[i] == d:
			sizes[i] = 0
		default:
			sizes[i] = -1
			open++
		}
	}
	return sizes, open <= 1
}

// flat2D gives v, of shape d, all but the last dimension merged, and returns its new shape too.
func (w *walker) flat2D(v *onnx.Value, d dims) (*onnx.Value, dims) {
	if len(d) == 2 {
		return v, d
	}
	last := d[len(d)-1]
	flat := dims{d[:len(d)-1].elements(), last}
	if n, ok := last.fixed(); ok {
		return w.Reshape(v, -1, n), flat
	}
	return w.Op("Flatten", []*onnx.Value{v}, onnx.IntAttr("axis", int64(len(d)-1))), flat
}

// sumTo undoes a broadcast: it sums v, of shape from, down to the shape of the tensor called like.
func (w *walker) sumTo(v *onnx.Value, from dims, like string) *onnx.Value {
	to := w.shape(like)
	lead := len(from) - len(to)
	var axes []int64
	for i := range from {
		if i < lead || to[i-lead] == (dim{1, 1}) && from[i] != (dim{1, 1}) {
			axes = append(axes, int64(i))
		}
	}
	if len(axes) > 0 {
		v = w.ReduceSum(v, true, axes...)
	}
	if lead > 0 {
		kept := make(dims, len(from))
		copy(kept, from)
		for _, a := range axes {
			kept[a] = dim{1, 1}
		}
		v = w.reshape(v, kept, like)
	}
	return v
}

// swapLast exchanges the last two of rank dimensions.
func (w *walker) swapLast(v *onnx.Value, rank int) *onnx.Value {
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[rank-1], perm[rank-2] = perm[rank-2], perm[rank-1]
	return w.Transpose(v, perm...)
}

// gemm is op(a)·op(b) of two matrices, where op transposes or does not.
func (w *walker) gemm(a, b *onnx.Value, transA, transB bool) *onnx.Value {
	return w.Op("Gemm", []*onnx.Value{a, b}, flag("transA", transA), flag("transB", transB))
}

func flag(name string, on bool) *onnx.Attribute {
	if on {
		return onnx.IntAttr(name, 1)
	}
	return onnx.IntAttr(name, 0)
}

// mask turns a boolean tensor into 1 and 0.
func (w *walker) mask(v *onnx.Value) *onnx.Value {
	return w.Op("Cast", []*onnx.Value{v}, onnx.IntAttr("to", int64(onnx.Float32)))
}

// square is v·v, which is cheaper than Pow.
func (w *walker) square(v *onnx.Value) *onnx.Value { return w.Mul(v, v) }

// in returns the node's i-th input.
func (s *step) in(i int) *onnx.Value { return s.Value(s.node.Input(i)) }

// out returns the node's i-th output.
func (s *step) out(i int) *onnx.Value { return s.Value(s.node.Output(i)) }

// wants tells whether the i-th input's gradient is needed.
func (s *step) wants(i int) bool { return s.node.Input(i) != "" && s.wanted[s.node.Inputs[i]] }

// inShape and outShape are the shapes of the i-th input and output.
func (s *step) inShape(i int) dims  { return s.shape(s.node.Input(i)) }
func (s *step) outShape(i int) dims { return s.shape(s.node.Output(i)) }

// unsupported is the error of a rule that does not cover this use of its operator.
func (s *step) unsupported(reason string) error {
	return &NoRuleError{Node: s.node.Name, OpType: s.node.OpType, Reason: reason}
}

// none returns a list of no gradients, one place for each input.
func (s *step) none() []*onnx.Value { return make([]*onnx.Value, len(s.node.Inputs)) }

// first returns g as the gradient of the first input, and none for the others.
func (s *step) first(g *onnx.Value) []*onnx.Value {
	grads := s.none()
	grads[0] = g
	return grads
}

// integers returns the value of a small integer input, from a constant or as measured.
func (s *step) integers(i int) ([]int64, bool) {
	name := s.node.Input(i)
	if v, ok := s.shapes.ints[name]; ok {
		return v, true
	}
	t := s.index.Constant(name)
	if t == nil {
		return nil, false
	}
	if v, err := onnx.View[int64](t); err == nil {
		return v, true
	}
	narrow, err := onnx.View[int32](t)
	if err != nil {
		return nil, false
	}
	wide := make([]int64, len(narrow))
	for j, v := range narrow {
		wide[j] = int64(v)
	}
	return wide, true
}

// number returns the value of a constant input of one element.
func (s *step) number(i int) (float64, bool) {
	t := s.index.Constant(s.node.Input(i))
	if t == nil {
		return 0, false
	}
	v, err := t.Float32s()
	if err != nil || len(v) != 1 || math.IsNaN(float64(v[0])) {
		return 0, false
	}
	return float64(v[0]), true
}

// axis returns an axis counted from the front.
func axis(a int64, rank int) int {
	if a < 0 {
		a += int64(rank)
	}
	return int(a)
}
