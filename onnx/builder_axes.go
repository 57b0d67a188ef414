package onnx

// This file has the operators that opsets write differently: what was an attribute became an input, or a default moved.

// axesAsInput is the opset from which an operator takes its axes as an input and no longer as an attribute.
var axesAsInput = map[string]int64{
	"ReduceSum": 13, "Squeeze": 13, "Unsqueeze": 13,
	"ReduceMean": 18, "ReduceMax": 18, "ReduceMin": 18, "ReduceProd": 18, "ReduceL1": 18, "ReduceL2": 18,
	"ReduceLogSum": 18, "ReduceLogSumExp": 18, "ReduceSumSquare": 18,
}

// Reductions: over the axes given, over all where none is; keep leaves reduced axes with size 1.

func (b *Builder) ReduceSum(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceSum", x, axes, keepAttr(keep))
}
func (b *Builder) ReduceMean(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceMean", x, axes, keepAttr(keep))
}
func (b *Builder) ReduceMax(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceMax", x, axes, keepAttr(keep))
}
func (b *Builder) ReduceMin(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceMin", x, axes, keepAttr(keep))
}

// ReduceL2 is the Euclidean norm.
func (b *Builder) ReduceL2(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceL2", x, axes, keepAttr(keep))
}
func (b *Builder) ReduceSumSquare(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceSumSquare", x, axes, keepAttr(keep))
}
func (b *Builder) ReduceLogSumExp(x *Value, keep bool, axes ...int64) *Value {
	return b.onAxes("ReduceLogSumExp", x, axes, keepAttr(keep))
}

// Squeeze removes axes of size 1; with none given, all of them.
func (b *Builder) Squeeze(x *Value, axes ...int64) *Value { return b.onAxes("Squeeze", x, axes) }

// Unsqueeze adds axes of size 1, at these places of the result.
func (b *Builder) Unsqueeze(x *Value, axes ...int64) *Value { return b.onAxes("Unsqueeze", x, axes) }

// onAxes adds a node that works on axes. Below opset 11 axes had to count from the front, which needs x's rank.
func (b *Builder) onAxes(op string, x *Value, axes []int64, attrs ...*Attribute) *Value {
	if !b.live(x) {
		return nil
	}
	if len(axes) == 0 {
		return b.Op(op, []*Value{x}, attrs...)
	}
	if b.Opset() >= axesAsInput[op] {
		return b.Op(op, []*Value{x, b.Ints(axes...)}, attrs...)
	}
	front := make([]int64, len(axes))
	for i, axis := range axes {
		if front[i] = axis; axis < 0 {
			rank := len(x.Shape)
			if op == "Unsqueeze" {
				rank += len(axes)
			}
			if front[i] = b.fromFront(op, x, axis, rank); b.err != nil {
				return nil
			}
		}
	}
	return b.Op(op, []*Value{x}, append(attrs, IntsAttr("axes", front...))...)
}

// fromFront makes a negative axis count from the front, where the opset wants that.
func (b *Builder) fromFront(op string, x *Value, axis int64, rank int) int64 {
	if axis >= 0 || b.Opset() >= 11 {
		return axis
	}
	if x.Shape == nil {
		b.failf("%s: axis %d of %q counts from the back, which opset %d has not, and the rank of %q is not known",
			op, axis, x.Name, b.Opset(), x.Name)
		return axis
	}
	return axis + int64(rank)
}

// Softmax makes the elements along an axis positive with sum 1.
func (b *Builder) Softmax(x *Value, axis int64) *Value { return b.softmax("Softmax", x, axis) }

// LogSoftmax is the logarithm of Softmax.
func (b *Builder) LogSoftmax(x *Value, axis int64) *Value { return b.softmax("LogSoftmax", x, axis) }

// softmax writes either. Before opset 13 they normalised over all axes from axis on, so that only the last axis meant
// then what it means now; others are moved there and back.
func (b *Builder) softmax(op string, x *Value, axis int64) *Value {
	if !b.live(x) {
		return nil
	}
	rank := len(x.Shape)
	last := axis == -1 || x.Shape != nil && axis == int64(rank)-1
	if b.Opset() >= 13 || last {
		axis = b.fromFront(op, x, axis, rank)
		return b.Op(op, []*Value{x}, IntAttr("axis", axis))
	}
	k, ok := axisOf(axis, rank)
	if !ok {
		return b.failf("%s: axis %d does not fit the shape %v of %q, or its rank is not known", op, axis, x.Shape, x.Name)
	}
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[k], perm[rank-1] = perm[rank-1], perm[k]
	y := b.Op(op, []*Value{b.Transpose(x, perm...)}, IntAttr("axis", int64(rank)-1))
	return b.Transpose(y, perm...)
}

// Slice returns the part of x from starts up to but not including ends along each axis; negative bounds count from the
// end, and bounds beyond it are cut to it.
func (b *Builder) Slice(x *Value, starts, ends, axes []int64) *Value {
	if !b.live(x) {
		return nil
	}
	if b.Opset() >= 10 {
		return b.Op("Slice", []*Value{x, b.Ints(starts...), b.Ints(ends...), b.Ints(axes...)})
	}
	return b.Op("Slice", []*Value{x}, IntsAttr("starts", starts...), IntsAttr("ends", ends...), IntsAttr("axes", axes...))
}

// Split cuts x along an axis into parts of the given sizes.
func (b *Builder) Split(x *Value, axis int64, sizes ...int64) []*Value {
	if !b.live(x) {
		return make([]*Value, max(len(sizes), 1))
	}
	axis = b.fromFront("Split", x, axis, len(x.Shape))
	if b.Opset() >= 13 {
		return b.Ops("Split", len(sizes), []*Value{x, b.Ints(sizes...)}, IntAttr("axis", axis))
	}
	return b.Ops("Split", len(sizes), []*Value{x}, IntAttr("axis", axis), IntsAttr("split", sizes...))
}

// Clip limits a float32 x to lo…hi.
func (b *Builder) Clip(x *Value, lo, hi float32) *Value {
	if !b.live(x) {
		return nil
	}
	if b.Opset() >= 11 {
		return b.Op("Clip", []*Value{x, b.Float(lo), b.Float(hi)})
	}
	return b.Op("Clip", []*Value{x}, FloatAttr("min", lo), FloatAttr("max", hi))
}

// Pad adds pads[i] zeros before axis i of a float32 x and pads[rank+i] after it.
func (b *Builder) Pad(x *Value, pads ...int64) *Value {
	if !b.live(x) {
		return nil
	}
	if b.Opset() >= 11 {
		return b.Op("Pad", []*Value{x, b.Ints(pads...)})
	}
	return b.Op("Pad", []*Value{x}, IntsAttr("pads", pads...))
}

// TopK returns the k largest elements along an axis, largest first, and their indices.
func (b *Builder) TopK(x *Value, k, axis int64) (values, indices *Value) {
	if !b.live(x) {
		return nil, nil
	}
	in, attrs := []*Value{x}, []*Attribute{IntAttr("axis", b.fromFront("TopK", x, axis, len(x.Shape)))}
	if b.Opset() >= 10 {
		in = append(in, b.Ints(k))
	} else {
		attrs = append(attrs, IntAttr("k", k))
	}
	out := b.Ops("TopK", 2, in, attrs...)
	return out[0], out[1]
}

// LayerNormalization normalises over the last axis with scale and bias, as one node from opset 17 on and as its formula
// before. bias may be nil.
func (b *Builder) LayerNormalization(x, scale, bias *Value, epsilon float32) *Value {
	if !b.live(x, scale) {
		return nil
	}
	if b.Opset() >= 17 {
		return b.Op("LayerNormalization", []*Value{x, scale, bias}, IntAttr("axis", -1), FloatAttr("epsilon", epsilon))
	}
	d := b.Sub(x, b.ReduceMean(x, true, -1))
	variance := b.ReduceMean(b.Mul(d, d), true, -1)
	y := b.Mul(b.Div(d, b.Sqrt(b.Add(variance, b.Float(epsilon)))), scale)
	if bias != nil {
		y = b.Add(y, bias)
	}
	return y
}

// Gelu is x·Φ(x), in its exact form with Erf: one node from opset 20 on.
func (b *Builder) Gelu(x *Value) *Value {
	if !b.live(x) {
		return nil
	}
	if b.Opset() >= 20 {
		return b.Op("Gelu", []*Value{x})
	}
	phi := b.Add(b.Erf(b.Div(x, b.Float(1.4142135623730951))), b.Float(1))
	return b.Mul(b.Mul(x, phi), b.Float(0.5))
}
