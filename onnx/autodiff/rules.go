package autodiff

import (
	"math"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// A rule is what the walker must know of one operator.
type rule struct {
	// of returns the gradient of each input (nil: none) given those of the outputs.
	of func(s *step) ([]*onnx.Value, error)
	// broadcasts says that of's results have the output's shape; the walker sums them down to each input's.
	broadcasts bool
	// ends says that no gradient passes: the output is an integer, a boolean or a shape.
	ends bool
}

// rules is the table of derivatives. y is a node's output, x its first input, dy the gradient of y.
var rules = map[string]rule{
	// arithmetic
	"Add":      {of: addRule, broadcasts: true},
	"Sub":      {of: subRule, broadcasts: true},
	"Mul":      {of: mulRule, broadcasts: true},
	"Div":      {of: divRule, broadcasts: true},
	"Pow":      {of: powRule},
	"Min":      {of: extremeRule("Equal"), broadcasts: true},
	"Max":      {of: extremeRule("Equal"), broadcasts: true},
	"Sum":      {of: addRule, broadcasts: true},
	"Where":    {of: whereRule, broadcasts: true},
	"Neg":      unary(func(s *step) *onnx.Value { return s.op("Neg", s.dy) }),
	"Abs":      unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.op("Sign", s.in(0))) }),
	"Exp":      unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.out(0)) }),
	"Log":      unary(func(s *step) *onnx.Value { return s.Div(s.dy, s.in(0)) }),
	"Sqrt":     unary(func(s *step) *onnx.Value { return s.Mul(s.Div(s.dy, s.out(0)), s.f(0.5)) }),
	"Cos":      unary(func(s *step) *onnx.Value { return s.Mul(s.op("Neg", s.dy), s.op("Sin", s.in(0))) }),
	"Sin":      unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.op("Cos", s.in(0))) }),
	"Identity": unary(func(s *step) *onnx.Value { return s.dy }),
	"Cast":     unary(func(s *step) *onnx.Value { return s.dy }),
	"Dropout":  unary(func(s *step) *onnx.Value { return s.dy }), // not training: the identity
	// 1/x: −dy·y²
	"Reciprocal": unary(func(s *step) *onnx.Value { return s.op("Neg", s.Mul(s.dy, s.square(s.out(0)))) }),

	// activations
	"Relu":        unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.mask(s.op("Greater", s.out(0), s.f(0)))) }),
	"LeakyRelu":   unary(leakyReluRule),
	"Tanh":        unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.Sub(s.f(1), s.square(s.out(0)))) }),
	"Sigmoid":     unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.Sub(s.out(0), s.square(s.out(0)))) }),
	"Softplus":    unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.op("Sigmoid", s.in(0))) }),
	"Erf":         unary(erfRule),
	"Gelu":        unary(geluRule),
	"Clip":        unary(func(s *step) *onnx.Value { return s.Mul(s.dy, s.mask(s.op("Equal", s.in(0), s.out(0)))) }),
	"HardSigmoid": unary(hardSigmoidRule),
	"HardSwish":   unary(hardSwishRule),
	"Softmax":     {of: softmaxRule},
	"LogSoftmax":  {of: logSoftmaxRule},

	// products
	"MatMul": {of: matMulRule},
	"Gemm":   {of: gemmRule},
	"Einsum": {of: einsumRule},

	// convolutional networks
	"Conv":               {of: convRule},
	"MaxPool":            {of: maxPoolRule},
	"AveragePool":        {of: averagePoolRule},
	"GlobalAveragePool":  {of: globalAveragePoolRule},
	"BatchNormalization": {of: batchNormRule},

	// normalisation and reductions
	"LayerNormalization": {of: layerNormRule},
	"ReduceMean":         {of: reduceMeanRule},
	"ReduceSum":          {of: reduceSumRule},
	"ReduceL2":           {of: reduceL2Rule},

	// shape
	"Reshape":   unary(reshapeRule),
	"Flatten":   unary(reshapeRule),
	"Squeeze":   unary(reshapeRule),
	"Unsqueeze": unary(reshapeRule),
	"Transpose": unary(transposeRule),
	"Expand":    unary(func(s *step) *onnx.Value { return s.sumTo(s.dy, s.outShape(0), s.node.Inputs[0]) }),
	"Concat":    {of: concatRule},
	"Split":     {of: splitRule},
	"Slice":     {of: sliceRule},
	"Pad":       {of: padRule},

	// indexing
	"Gather":         {of: gatherRule},
	"GatherElements": {of: gatherElementsRule},

	// where gradients end
	"And": {ends: true}, "ArgMax": {ends: true}, "ArgMin": {ends: true}, "Ceil": {ends: true},
	"ConstantOfShape": {ends: true}, "Equal": {ends: true}, "EyeLike": {ends: true}, "Floor": {ends: true},
	"Greater": {ends: true}, "GreaterOrEqual": {ends: true}, "IsInf": {ends: true}, "IsNaN": {ends: true},
	"Less": {ends: true}, "LessOrEqual": {ends: true}, "NonZero": {ends: true}, "Not": {ends: true}, "OneHot": {ends: true},
	"Or": {ends: true}, "Range": {ends: true}, "Round": {ends: true}, "Shape": {ends: true}, "Sign": {ends: true},
	"Size": {ends: true}, "Xor": {ends: true},
}

// unary makes a rule of one that only ever passes a gradient to the first input.
func unary(of func(s *step) *onnx.Value) rule {
	return rule{of: func(s *step) ([]*onnx.Value, error) { return s.first(of(s)), nil }}
}

func addRule(s *step) ([]*onnx.Value, error) {
	grads := s.none()
	for i := range grads {
		grads[i] = s.dy
	}
	return grads, nil
}

func subRule(s *step) ([]*onnx.Value, error) {
	grads := []*onnx.Value{s.dy, nil}
	if s.wants(1) {
		grads[1] = s.op("Neg", s.dy)
	}
	return grads, nil
}

func mulRule(s *step) ([]*onnx.Value, error) {
	grads := s.none()
	for i := range grads {
		if s.wants(i) {
			grads[i] = s.Mul(s.dy, s.in(1-i))
		}
	}
	return grads, nil
}

// divRule: y = a/b has da = dy/b and db = −(dy/b)·y.
func divRule(s *step) ([]*onnx.Value, error) {
	grads := s.none()
	grads[0] = s.Div(s.dy, s.in(1))
	if s.wants(1) {
		grads[1] = s.op("Neg", s.Mul(grads[0], s.out(0)))
	}
	return grads, nil
}

// powRule: y = xᵖ with p constant has dx = dy·p·xᵖ⁻¹.
func powRule(s *step) ([]*onnx.Value, error) {
	p, ok := s.number(1)
	switch {
	case s.wants(1):
		return nil, s.unsupported("its exponent is trainable")
	case !ok:
		return nil, s.unsupported("its exponent is not one constant number")
	case p == 2:
		return s.first(s.Mul(s.Mul(s.dy, s.in(0)), s.f(2))), nil
	}
	return s.first(s.Mul(s.Mul(s.dy, s.op("Pow", s.in(0), s.f(p-1))), s.f(p))), nil
}

// extremeRule passes the gradient to the inputs that are the minimum or maximum.
func extremeRule(compare string) func(s *step) ([]*onnx.Value, error) {
	return func(s *step) ([]*onnx.Value, error) {
		grads := s.none()
		for i := range grads {
			if s.wants(i) {
				grads[i] = s.Mul(s.dy, s.mask(s.op(compare, s.in(i), s.out(0))))
			}
		}
		return grads, nil
	}
}

func whereRule(s *step) ([]*onnx.Value, error) {
	grads := s.none()
	if s.wants(1) {
		grads[1] = s.op("Where", s.in(0), s.dy, s.f(0))
	}
	if s.wants(2) {
		grads[2] = s.op("Where", s.in(0), s.f(0), s.dy)
	}
	return grads, nil
}

func leakyReluRule(s *step) *onnx.Value {
	slope := float64(s.node.Float("alpha", 0.01))
	return s.op("Where", s.op("Greater", s.in(0), s.f(0)), s.dy, s.Mul(s.dy, s.f(slope)))
}

// erfRule: d erf(x)/dx = 2/√π·exp(−x²).
func erfRule(s *step) *onnx.Value {
	return s.Mul(s.dy, s.Mul(s.op("Exp", s.op("Neg", s.square(s.in(0)))), s.f(2/math.Sqrt(math.Pi))))
}

// geluRule differentiates x·Φ(x) from x: Φ(x) + x·φ(x), which with u = x/√2 is ½(1 + erf u) + u·exp(−u²)/√π; in the tanh
// form, with u = √(2/π)·(x + 0.044715·x³), ½(1 + tanh u) + ½x·(1 − tanh² u)·u′ (Hendrycks and Gimpel, arXiv:1606.08415).
func geluRule(s *step) *onnx.Value {
	x := s.in(0)
	if s.node.Str("approximate", "none") == "tanh" {
		x2 := s.square(x)
		k := math.Sqrt(2 / math.Pi)
		u := s.Mul(x, s.Add(s.Mul(x2, s.f(k*0.044715)), s.f(k)))
		slope := s.Add(s.Mul(x2, s.f(3*k*0.044715)), s.f(k))
		t := s.op("Tanh", u)
		bend := s.Mul(s.Mul(x, slope), s.Sub(s.f(1), s.square(t)))
		return s.Mul(s.dy, s.Mul(s.Add(s.Add(t, bend), s.f(1)), s.f(0.5)))
	}
	u := s.Mul(x, s.f(1/math.Sqrt2))
	half := []*onnx.Attribute{onnx.FloatAttr("alpha", 0.5), onnx.FloatAttr("beta", 0.5)}
	phi := s.Op("HardSigmoid", []*onnx.Value{s.op("Erf", u)}, half...) // ½·erf + ½ in one pass over memory: it never leaves [0, 1]
	bell := s.Mul(s.Div(u, s.op("Exp", s.square(u))), s.f(1/math.Sqrt(math.Pi)))
	return s.Mul(s.dy, s.Add(phi, bell))
}

// hardSigmoidRule: max(0, min(1, αx + β)) has slope α where it is neither 0 nor 1.
func hardSigmoidRule(s *step) *onnx.Value {
	inside := s.op("And", s.op("Greater", s.out(0), s.f(0)), s.op("Less", s.out(0), s.f(1)))
	return s.Mul(s.Mul(s.dy, s.mask(inside)), s.f(float64(s.node.Float("alpha", 0.2))))
}

// hardSwishRule: x·h(x) with h = max(0, min(1, x/6 + ½)) has slope h + x/6 where |x| < 3, and h elsewhere.
func hardSwishRule(s *step) *onnx.Value {
	x := s.in(0)
	h := s.Op("HardSigmoid", []*onnx.Value{x}, onnx.FloatAttr("alpha", 1.0/6), onnx.FloatAttr("beta", 0.5))
	bend := s.Mul(s.Mul(x, s.mask(s.op("Less", s.op("Abs", x), s.f(3)))), s.f(1.0/6))
	return s.Mul(s.dy, s.Add(h, bend))
}

// softmaxRule: dx = y·(dy − Σ dy·y).
func softmaxRule(s *step) ([]*onnx.Value, error) {
	a := s.node.Int("axis", -1)
	sum := s.ReduceSum(s.Mul(s.dy, s.out(0)), true, a)
	return s.first(s.Mul(s.Sub(s.dy, sum), s.out(0))), nil
}

// logSoftmaxRule: dx = dy − exp(y)·Σ dy.
func logSoftmaxRule(s *step) ([]*onnx.Value, error) {
	sum := s.ReduceSum(s.dy, true, s.node.Int("axis", -1))
	return s.first(s.Sub(s.dy, s.Mul(s.op("Exp", s.out(0)), sum))), nil
}

// Operators returns the ai.onnx operators that have a gradient rule, sorted.
func Operators() []string {
	var ops []string
	for op, r := range rules {
		if r.of != nil {
			ops = append(ops, op)
		}
	}
	slices.Sort(ops)
	return ops
}
