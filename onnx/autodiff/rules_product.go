package autodiff

import (
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// matMulRule: Y = A·B has dA = dY·Bᵀ and dB = Aᵀ·dY. Where B is a matrix all rows of A are one matrix too, and both are a
// single Gemm.
func matMulRule(s *step) ([]*onnx.Value, error) {
	a, b, y := s.inShape(0), s.inShape(1), s.outShape(0)
	if len(a) < 2 || len(b) < 2 {
		return nil, s.unsupported("one of its inputs is a vector")
	}
	grads := s.none()
	if len(b) == 2 {
		dy, rows := s.flat2D(s.dy, y)
		if s.wants(0) {
			da := s.gemm(dy, s.in(1), false, true)
			grads[0] = s.reshapeUnless(len(a) == 2, da, dims{rows[0], a[len(a)-1]}, s.node.Inputs[0])
		}
		if s.wants(1) {
			flat, shape := s.flat2D(s.in(0), a)
			grads[1] = s.crossProduct(flat, dy, shape[1], rows[1])
		}
		return grads, nil
	}
	batch := y[:len(y)-2]
	if s.wants(0) {
		da := s.MatMul(s.dy, s.swapLast(s.in(1), len(b)))
		grads[0] = s.sumTo(da, with(batch, a[len(a)-2:]), s.node.Inputs[0])
	}
	if s.wants(1) {
		db := s.MatMul(s.swapLast(s.in(0), len(a)), s.dy)
		grads[1] = s.sumTo(db, with(batch, b[len(b)-2:]), s.node.Inputs[1])
	}
	return grads, nil
}

// crossProduct is xᵀ·dy of two matrices of as many rows. The narrower one is transposed beforehand: that is a cheap copy, while
// Gemm's transA packs its first operand anew for each part of the second (13 % slower on all of MiniLM's weights).
func (w *walker) crossProduct(x, dy *onnx.Value, width, dyWidth dim) *onnx.Value {
	if width[0] <= dyWidth[0] {
		return w.gemm(w.transposed(x), dy, false, false)
	}
	return w.transposed(w.gemm(w.transposed(dy), x, false, false))
}

// transposed is the transpose of a matrix. It is made of three dimensions, or ONNX Runtime would take it back into the Gemm.
func (w *walker) transposed(x *onnx.Value) *onnx.Value {
	t := w.Transpose(w.op("Unsqueeze", x, w.ints(0)), 0, 2, 1)
	return w.op("Squeeze", t, w.ints(0))
}

// reshapeUnless gives v, of shape from, the shape of the tensor called like, unless it has it.
func (w *walker) reshapeUnless(same bool, v *onnx.Value, from dims, like string) *onnx.Value {
	if same {
		return v
	}
	return w.reshape(v, from, like)
}

// with returns the dimensions of a followed by those of b, in a list of its own.
func with(a, b dims) dims { return append(append(dims{}, a...), b...) }

// gemmRule: Y = α·A′·B′ + β·C, where A′ and B′ are A and B or their transposes, has dA′ = α·dY·B′ᵀ, dB′ = α·A′ᵀ·dY and
// dC = β·dY.
func gemmRule(s *step) ([]*onnx.Value, error) {
	transA, transB := s.node.Int("transA", 0) != 0, s.node.Int("transB", 0) != 0
	alpha, beta := s.node.Float("alpha", 1), s.node.Float("beta", 1)
	product := func(a, b *onnx.Value, ta, tb bool) *onnx.Value {
		return s.Op("Gemm", []*onnx.Value{a, b}, flag("transA", ta), flag("transB", tb), onnx.FloatAttr("alpha", alpha))
	}
	grads := s.none()
	if s.wants(0) {
		if transA {
			grads[0] = product(s.in(1), s.dy, transB, true)
		} else {
			grads[0] = product(s.dy, s.in(1), false, !transB)
		}
	}
	if s.wants(1) {
		if transB {
			grads[1] = product(s.dy, s.in(0), true, transA)
		} else {
			grads[1] = product(s.in(0), s.dy, !transA, false)
		}
	}
	if s.wants(2) {
		dc := s.sumTo(s.dy, s.outShape(0), s.node.Inputs[2])
		if beta != 1 {
			dc = s.Mul(dc, s.f(float64(beta)))
		}
		grads[2] = dc
	}
	return grads, nil
}

// einsumRule: an operand's gradient is the Einsum of dy and the other operands that yields the operand's indices. It covers
// equations with an explicit output, without ellipsis, in which no index is summed within one operand.
func einsumRule(s *step) ([]*onnx.Value, error) {
	equation := strings.ReplaceAll(s.node.Str("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if !explicit || strings.Contains(equation, ".") || len(terms) != len(s.node.Inputs) {
		return nil, s.unsupported("the equation " + equation + " is not of the form ab,bc->ac")
	}
	grads := s.none()
	for i, term := range terms {
		if !s.wants(i) {
			continue
		}
		from, in := []string{right}, []*onnx.Value{s.dy}
		for j, other := range terms {
			if j != i {
				from, in = append(from, other), append(in, s.in(j))
			}
		}
		sources := strings.Join(from, ",")
		for k, index := range term {
			if !strings.ContainsRune(sources, index) || strings.ContainsRune(term[k+1:], index) {
				return nil, s.unsupported("the equation " + equation + " sums or repeats " + string(index) + " within one operand")
			}
		}
		grads[i] = s.Op("Einsum", in, onnx.StringAttr("equation", sources+"->"+term))
	}
	return grads, nil
}
