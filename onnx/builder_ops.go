package onnx

// This file names the operators that formulas are made of. Operators whose form changed between opsets are in
// builder_axes.go.

// Operators on two tensors, element by element, which broadcast as NumPy does; MatMul works on the last two axes, and
// Expand broadcasts x to the int64 vector shape. A nil argument is an error.

func (b *Builder) Add(x, y *Value) *Value        { return b.binary("Add", x, y) }
func (b *Builder) Sub(x, y *Value) *Value        { return b.binary("Sub", x, y) }
func (b *Builder) Mul(x, y *Value) *Value        { return b.binary("Mul", x, y) }
func (b *Builder) Div(x, y *Value) *Value        { return b.binary("Div", x, y) }
func (b *Builder) Pow(x, y *Value) *Value        { return b.binary("Pow", x, y) }
func (b *Builder) Max(x, y *Value) *Value        { return b.binary("Max", x, y) }
func (b *Builder) Min(x, y *Value) *Value        { return b.binary("Min", x, y) }
func (b *Builder) MatMul(x, y *Value) *Value     { return b.binary("MatMul", x, y) }
func (b *Builder) Equal(x, y *Value) *Value      { return b.binary("Equal", x, y) }
func (b *Builder) Greater(x, y *Value) *Value    { return b.binary("Greater", x, y) }
func (b *Builder) Less(x, y *Value) *Value       { return b.binary("Less", x, y) }
func (b *Builder) And(x, y *Value) *Value        { return b.binary("And", x, y) }
func (b *Builder) Or(x, y *Value) *Value         { return b.binary("Or", x, y) }
func (b *Builder) Expand(x, shape *Value) *Value { return b.binary("Expand", x, shape) }

// Operators on one tensor, element by element.

func (b *Builder) Neg(x *Value) *Value        { return b.unary("Neg", x) }
func (b *Builder) Abs(x *Value) *Value        { return b.unary("Abs", x) }
func (b *Builder) Sqrt(x *Value) *Value       { return b.unary("Sqrt", x) }
func (b *Builder) Exp(x *Value) *Value        { return b.unary("Exp", x) }
func (b *Builder) Log(x *Value) *Value        { return b.unary("Log", x) }
func (b *Builder) Erf(x *Value) *Value        { return b.unary("Erf", x) }
func (b *Builder) Reciprocal(x *Value) *Value { return b.unary("Reciprocal", x) }
func (b *Builder) Relu(x *Value) *Value       { return b.unary("Relu", x) }
func (b *Builder) Sigmoid(x *Value) *Value    { return b.unary("Sigmoid", x) }
func (b *Builder) Tanh(x *Value) *Value       { return b.unary("Tanh", x) }
func (b *Builder) Softplus(x *Value) *Value   { return b.unary("Softplus", x) }
func (b *Builder) Not(x *Value) *Value        { return b.unary("Not", x) }
func (b *Builder) Identity(x *Value) *Value   { return b.unary("Identity", x) }

// Shape returns x's shape as an int64 vector.
func (b *Builder) Shape(x *Value) *Value { return b.unary("Shape", x) }

// GlobalAveragePool takes the mean of an N×C×H×W tensor over H and W, which become 1.
func (b *Builder) GlobalAveragePool(x *Value) *Value { return b.unary("GlobalAveragePool", x) }

// unary adds a node of one input.
func (b *Builder) unary(op string, x *Value) *Value {
	if !b.live(x) {
		return nil
	}
	return b.Op(op, []*Value{x})
}

// binary adds a node of two inputs.
func (b *Builder) binary(op string, x, y *Value) *Value {
	if !b.live(x, y) {
		return nil
	}
	return b.Op(op, []*Value{x, y})
}

// Gemm returns x·w + c for a 2-D x of N×D: w is D×K, or K×D where transB; c broadcasts to N×K and may be nil.
func (b *Builder) Gemm(x, w, c *Value, transB bool) *Value {
	if !b.live(x, w) {
		return nil
	}
	var attrs []*Attribute
	if transB {
		attrs = append(attrs, IntAttr("transB", 1))
	}
	if c == nil && b.Opset() < 11 { // the third input was not optional then
		c = b.Const("zero", float32Tensor([]int64{1}, 0))
	}
	return b.Op("Gemm", []*Value{x, w, c}, attrs...)
}

// Conv convolves an N×C×H×W tensor; the kernel's shape is w's, attributes give the rest. c may be nil.
func (b *Builder) Conv(x, w, c *Value, attrs ...*Attribute) *Value {
	if !b.live(x, w) {
		return nil
	}
	return b.Op("Conv", []*Value{x, w, c}, attrs...)
}

// Where returns elements of x where cond is true, of y where it is not.
func (b *Builder) Where(cond, x, y *Value) *Value {
	if !b.live(cond, x, y) {
		return nil
	}
	return b.Op("Where", []*Value{cond, x, y})
}

// Cast returns x with elements of type t; x itself where it is known to have them already.
func (b *Builder) Cast(x *Value, t DType) *Value {
	if !b.live(x) || x.Type == t {
		return x
	}
	return b.Op("Cast", []*Value{x}, IntAttr("to", int64(t)))
}

// Transpose returns x with its axes in the order perm.
func (b *Builder) Transpose(x *Value, perm ...int64) *Value {
	if !b.live(x) {
		return nil
	}
	return b.Op("Transpose", []*Value{x}, IntsAttr("perm", perm...))
}

// Reshape returns x with another shape: 0 keeps the dimension that x has there, one -1 takes what is left.
func (b *Builder) Reshape(x *Value, dims ...int64) *Value {
	if !b.live(x) {
		return nil
	}
	return b.Op("Reshape", []*Value{x, b.Ints(dims...)})
}

// Flatten returns x with its axes before axis merged into one, and those from axis on into another.
func (b *Builder) Flatten(x *Value, axis int64) *Value {
	if !b.live(x) {
		return nil
	}
	return b.Op("Flatten", []*Value{x}, IntAttr("axis", axis))
}

// Concat joins tensors along an axis.
func (b *Builder) Concat(axis int64, x ...*Value) *Value {
	if !b.live(x...) {
		return nil
	}
	return b.Op("Concat", x, IntAttr("axis", axis))
}

// Gather picks the entries of x at indices along an axis; the axis is replaced by the shape of indices.
func (b *Builder) Gather(x, indices *Value, axis int64) *Value {
	if !b.live(x, indices) {
		return nil
	}
	return b.Op("Gather", []*Value{x, indices}, IntAttr("axis", axis))
}

// ArgMax returns the index of the largest element along an axis, the first of equals.
func (b *Builder) ArgMax(x *Value, axis int64, keep bool) *Value {
	if !b.live(x) {
		return nil
	}
	return b.Op("ArgMax", []*Value{x}, IntAttr("axis", axis), keepAttr(keep))
}

// Floats returns a constant float32 vector.
func (b *Builder) Floats(v ...float32) *Value {
	return b.Const("floats", float32Tensor([]int64{int64(len(v))}, v...))
}

// Float returns a constant float32 scalar.
func (b *Builder) Float(v float32) *Value { return b.Const("float", float32Tensor(nil, v)) }

// Ints returns a constant int64 vector.
func (b *Builder) Ints(v ...int64) *Value {
	return b.Const("ints", int64Tensor([]int64{int64(len(v))}, v...))
}

// Int returns a constant int64 scalar.
func (b *Builder) Int(v int64) *Value { return b.Const("int", int64Tensor(nil, v)) }

// keepAttr is the keepdims attribute of reductions.
func keepAttr(keep bool) *Attribute {
	if keep {
		return IntAttr("keepdims", 1)
	}
	return IntAttr("keepdims", 0)
}
