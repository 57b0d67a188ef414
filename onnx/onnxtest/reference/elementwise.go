package reference

import (
	"math"

	"github.com/onnx-graft/graft/onnx"
)

type operator func(c call) ([]*Array, error)

// operators is the table of what the package covers.
var operators = map[string]operator{
	"Add": binary(func(a, b float64) float64 { return a + b }), "Sub": binary(func(a, b float64) float64 { return a - b }),
	"Mul": binary(func(a, b float64) float64 { return a * b }), "Div": binary(func(a, b float64) float64 { return a / b }),
	"Pow": binary(math.Pow), "Min": binary(math.Min), "Max": binary(math.Max), "Mod": binary(math.Mod),
	"Sum":     sum,
	"Greater": compare(func(a, b float64) bool { return a > b }), "Less": compare(func(a, b float64) bool { return a < b }),
	"GreaterOrEqual": compare(func(a, b float64) bool { return a >= b }), "LessOrEqual": compare(func(a, b float64) bool { return a <= b }),
	"Equal": compare(func(a, b float64) bool { return a == b }),
	"And":   compare(func(a, b float64) bool { return a != 0 && b != 0 }), "Or": compare(func(a, b float64) bool { return a != 0 || b != 0 }),
	"Not": mapInts(func(v int64) int64 { return 1 - v }),

	"Neg": unary(func(v float64) float64 { return -v }), "Abs": unary(math.Abs), "Exp": unary(math.Exp), "Log": unary(math.Log),
	"Sqrt": unary(math.Sqrt), "Erf": unary(math.Erf), "Tanh": unary(math.Tanh), "Sin": unary(math.Sin), "Cos": unary(math.Cos),
	"Floor": unary(math.Floor), "Ceil": unary(math.Ceil), "Round": unary(math.RoundToEven),
	"Reciprocal": unary(func(v float64) float64 { return 1 / v }), "Sigmoid": unary(sigmoid),
	"Softplus": unary(func(v float64) float64 { return math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))) }),
	"Relu":     unary(func(v float64) float64 { return math.Max(v, 0) }), "Sign": unary(sign),
	"HardSwish":   unary(func(v float64) float64 { return v * math.Max(0, math.Min(1, v/6+0.5)) }),
	"Gelu":        gelu,
	"HardSigmoid": hardSigmoid, "LeakyRelu": leakyRelu, "Clip": clip, "Where": where, "Cast": cast,
	"Identity": first, "Dropout": first,

	"MatMul": matMul, "Gemm": gemm, "Einsum": einsum,
	"Conv": conv, "ConvTranspose": convTranspose, "MaxPool": maxPool, "AveragePool": averagePool,
	"GlobalAveragePool": globalAveragePool, "BatchNormalization": batchNorm, "LayerNormalization": layerNorm,
	"Softmax": softmax(false), "LogSoftmax": softmax(true),
	"ReduceSum":  reduce(func(v []float64) float64 { return total(v) }),
	"ReduceMean": reduce(func(v []float64) float64 { return total(v) / float64(len(v)) }),
	"ReduceMax":  reduce(func(v []float64) float64 { return extreme(v, math.Max) }),
	"ReduceMin":  reduce(func(v []float64) float64 { return extreme(v, math.Min) }),
	"ReduceL2": reduce(func(v []float64) float64 {
		var n float64
		for _, x := range v {
			n += x * x
		}
		return math.Sqrt(n)
	}),

	"Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Transpose": transpose,
	"Expand": expand, "Concat": concat, "Split": split, "Slice": slice, "Pad": pad, "Shape": shapeOp, "Size": sizeOp,
	"Gather": gather, "GatherElements": gatherElements, "ScatterElements": scatterElements, "OneHot": oneHot,
	"Constant": constant, "ConstantOfShape": constantOfShape, "Range": rangeOp, "Trilu": trilu,
}

func first(c call) ([]*Array, error) { return c.in[:1], nil }

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// at reads an element of either kind.
func (a *Array) at(i int) float64 {
	if a.I != nil {
		return float64(a.I[i])
	}
	return a.F[i]
}

// set writes an element of either kind.
func (a *Array) set(i int, v float64) {
	if a.I != nil {
		a.I[i] = int64(v)
	} else {
		a.F[i] = v
	}
}

func binary(f func(a, b float64) float64) operator {
	return func(c call) ([]*Array, error) {
		a, b := c.in[0], c.in[1]
		out := a.like(broadcast(a.Shape, b.Shape)...)
		sa, sb := broadcastStrides(a, out.Shape), broadcastStrides(b, out.Shape)
		each(out.Shape, func(i int, index []int) { out.set(i, f(a.at(offset(index, sa)), b.at(offset(index, sb)))) })
		return one(out)
	}
}

func compare(f func(a, b float64) bool) operator {
	return func(c call) ([]*Array, error) {
		a, b := c.in[0], c.in[1]
		shape := broadcast(a.Shape, b.Shape)
		out := &Array{Shape: shape, I: make([]int64, size(shape))}
		sa, sb := broadcastStrides(a, shape), broadcastStrides(b, shape)
		each(shape, func(i int, index []int) { out.I[i] = truth(f(a.at(offset(index, sa)), b.at(offset(index, sb)))) })
		return one(out)
	}
}

func unary(f func(v float64) float64) operator {
	return func(c call) ([]*Array, error) {
		out := c.in[0].like(c.in[0].Shape...)
		for i := range size(out.Shape) {
			out.set(i, f(c.in[0].at(i)))
		}
		return one(out)
	}
}

func mapInts(f func(v int64) int64) operator {
	return func(c call) ([]*Array, error) {
		out := c.in[0].like(c.in[0].Shape...)
		for i, v := range c.in[0].I {
			out.I[i] = f(v)
		}
		return one(out)
	}
}

func sum(c call) ([]*Array, error) {
	add := binary(func(a, b float64) float64 { return a + b })
	out := c.in[0]
	for _, b := range c.in[1:] {
		r, err := add(call{in: []*Array{out, b}})
		if err != nil {
			return nil, err
		}
		out = r[0]
	}
	return one(out)
}

func gelu(c call) ([]*Array, error) {
	if c.Str("approximate", "none") == "tanh" {
		return unary(func(v float64) float64 {
			return 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		})(c)
	}
	return unary(func(v float64) float64 { return 0.5 * v * (1 + math.Erf(v/math.Sqrt2)) })(c)
}

func hardSigmoid(c call) ([]*Array, error) {
	alpha, beta := float64(c.Float("alpha", 0.2)), float64(c.Float("beta", 0.5))
	return unary(func(v float64) float64 { return math.Max(0, math.Min(1, alpha*v+beta)) })(c)
}

func leakyRelu(c call) ([]*Array, error) {
	alpha := float64(c.Float("alpha", 0.01))
	return unary(func(v float64) float64 {
		if v < 0 {
			return alpha * v
		}
		return v
	})(c)
}

func clip(c call) ([]*Array, error) {
	low, high := float64(c.Float("min", -math.MaxFloat32)), float64(c.Float("max", math.MaxFloat32))
	if c.has(1) {
		low = c.in[1].at(0)
	}
	if c.has(2) {
		high = c.in[2].at(0)
	}
	return unary(func(v float64) float64 { return math.Min(math.Max(v, low), high) })(c)
}

func where(c call) ([]*Array, error) {
	cond, a, b := c.in[0], c.in[1], c.in[2]
	out := a.like(broadcast(cond.Shape, a.Shape, b.Shape)...)
	sc, sa, sb := broadcastStrides(cond, out.Shape), broadcastStrides(a, out.Shape), broadcastStrides(b, out.Shape)
	each(out.Shape, func(i int, index []int) {
		if cond.I[offset(index, sc)] != 0 {
			out.copyFrom(i, a, offset(index, sa))
		} else {
			out.copyFrom(i, b, offset(index, sb))
		}
	})
	return one(out)
}

func cast(c call) ([]*Array, error) {
	n := size(c.in[0].Shape)
	out := zeros(c.in[0].Shape...)
	switch to := onnx.DType(c.Int("to", 0)); to {
	case onnx.Float16, onnx.BFloat16, onnx.Float32, onnx.Float64:
	default:
		out = &Array{Shape: c.in[0].Shape, I: make([]int64, n)}
		for i := range n {
			v := c.in[0].at(i)
			if to == onnx.Bool {
				v = float64(truth(v != 0))
			}
			out.I[i] = int64(v)
		}
		return one(out)
	}
	for i := range n {
		out.F[i] = c.in[0].at(i)
	}
	return one(out)
}
