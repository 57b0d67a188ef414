package onnx

import (
	"slices"
	"strings"
)

// A sizeRule gives the shape of a node's i-th output, nil where not even the rank can be told.
type sizeRule = func(f *facts, n *Node, i int) []size

// sizeRules has a rule for each operator whose result's shape follows from weights, attributes and the shapes that go in.
// Operators of other domains are listed as domain.operator.
var sizeRules = tableOf(
	row(sameAsInput, "Relu", "Clip", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Hardmax", "Dropout", "Identity", "Cast",
		"CastLike", "QuantizeLinear", "DequantizeLinear", "Erf", "Sqrt", "Exp", "Log", "Neg", "Abs", "Reciprocal", "Sign",
		"Floor", "Ceil", "Round", "HardSwish", "HardSigmoid", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Mish",
		"Softplus", "Softsign", "ThresholdedRelu", "Shrink", "Not", "LRN", "InstanceNormalization", "GroupNormalization",
		"LpNormalization", "MeanVarianceNormalization", "CumSum", "Scatter", "ScatterElements", "ScatterND", "Trilu",
		"RMSNormalization", "Sin", "Cos", "IsNaN", "IsInf", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "EyeLike",
		"ReverseSequence", "RotaryEmbedding",
		"com.microsoft.Gelu", "com.microsoft.FastGelu", "com.microsoft.BiasGelu", "com.microsoft.QuickGelu",
		"com.microsoft.QuantizeLinear", "com.microsoft.DequantizeLinear"),
	row(firstOnly(sameAsInput), "BatchNormalization", "LayerNormalization", "com.microsoft.SkipLayerNormalization",
		"SimplifiedLayerNormalization", "com.microsoft.SkipSimplifiedLayerNormalization", "DynamicQuantizeLinear"),
	row(broadcastAll, "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Equal", "Greater", "GreaterOrEqual", "Less",
		"LessOrEqual", "And", "Or", "Xor", "Max", "Min", "Sum", "Mean", "Where", "BitShift"),
	row(matMul(0, 1), "MatMul", "MatMulInteger", "com.microsoft.DynamicQuantizeMatMul", "com.microsoft.MatMulIntegerToFloat"),
	row(matMul(0, 3), "QLinearMatMul"),
	row(gemm, "Gemm"),
	row(conv(0, 1), "Conv", "ConvInteger", "com.microsoft.FusedConv"),
	row(conv(0, 3), "QLinearConv"),
	row(convTranspose, "ConvTranspose"),
	row(pool, "MaxPool", "AveragePool", "LpPool"),
	row(globalPool, "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "com.microsoft.QLinearGlobalAveragePool"),
	row(reduce, "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
		"ReduceLogSumExp", "ReduceSumSquare"),
	row(argMax, "ArgMax", "ArgMin"),
	row(transpose, "Transpose"),
	row(reshape, "Reshape"),
	row(flatten, "Flatten"),
	row(squeeze, "Squeeze"),
	row(unsqueeze, "Unsqueeze"),
	row(concat, "Concat"),
	row(split, "Split"),
	row(slice, "Slice"),
	row(gather, "Gather"),
	row(likeInput(1), "GatherElements"),
	row(expand, "Expand"),
	row(tile, "Tile"),
	row(pad, "Pad"),
	row(resize, "Resize", "Upsample"),
	row(topK, "TopK"),
	row(recurrent(4), "LSTM"), row(recurrent(3), "GRU"), row(recurrent(1), "RNN"),
	row(einsum, "Einsum"),
	row(constant, "Constant"),
	row(constantOfShape, "ConstantOfShape"),
	row(func(f *facts, n *Node, _ int) []size {
		if c := shapeContent(f, n); c != nil {
			return []size{fixed(int64(len(c)))}
		}
		return unknown(1)
	}, "Shape"),
	row(func(*facts, *Node, int) []size { return []size{} }, "Size"),
	row(func(*facts, *Node, int) []size { return unknown(1) }, "Range"),
)

// row gives several operators one rule, tableOf collects rows.
func row(rule sizeRule, ops ...string) map[string]sizeRule {
	m := make(map[string]sizeRule, len(ops))
	for _, op := range ops {
		m[op] = rule
	}
	return m
}

func tableOf(rows ...map[string]sizeRule) map[string]sizeRule {
	table := map[string]sizeRule{}
	for _, r := range rows {
		for op, rule := range r {
			table[op] = rule
		}
	}
	return table
}

func sameAsInput(f *facts, n *Node, _ int) []size { return f.in(n, 0) }

func likeInput(k int) sizeRule {
	return func(f *facts, n *Node, _ int) []size { return f.in(n, k) }
}

func firstOnly(rule sizeRule) sizeRule {
	return func(f *facts, n *Node, i int) []size {
		if i > 0 {
			return nil
		}
		return rule(f, n, i)
	}
}

func broadcastAll(f *facts, n *Node, _ int) []size {
	out := f.in(n, 0)
	for k := 1; k < len(n.Inputs); k++ {
		out = broadcastSizes(out, f.in(n, k))
	}
	return out
}

// matMul multiplies its inputs x and w as NumPy's matmul does; shapes that do not fit give none.
func matMul(x, w int) sizeRule {
	return func(f *facts, n *Node, _ int) []size {
		a, b := slices.Clone(f.in(n, x)), slices.Clone(f.in(n, w))
		if len(a) == 0 || len(b) == 0 {
			return nil
		}
		rowVector, colVector := len(a) == 1, len(b) == 1
		if rowVector {
			a = append([]size{fixed(1)}, a...)
		}
		if colVector {
			b = append(b, fixed(1))
		}
		inner, outer := a[len(a)-1], b[len(b)-2]
		if inner.known() && outer.known() && inner != outer && (inner.sym == "" || inner.sym == outer.sym) {
			return nil
		}
		out := broadcastSizes(a[:len(a)-2], b[:len(b)-2])
		if !rowVector {
			out = append(out, a[len(a)-2])
		}
		if !colVector {
			out = append(out, b[len(b)-1])
		}
		return out
	}
}

func gemm(f *facts, n *Node, _ int) []size {
	a, b := f.in(n, 0), f.in(n, 1)
	out := unknown(2)
	if len(a) == 2 {
		out[0] = a[n.Int("transA", 0)&1]
	}
	if len(b) == 2 {
		out[1] = b[1-n.Int("transB", 0)&1]
	}
	return out
}

func globalPool(f *facts, n *Node, _ int) []size {
	out := slices.Clone(f.in(n, 0))
	for k := 2; k < len(out); k++ {
		out[k] = fixed(1)
	}
	return out
}

// axesOf returns the axes a node works on, from its attribute or its second input; known is false where they are computed.
func (f *facts) axesOf(n *Node) (axes []int64, known bool) {
	if a := n.Attr("axes"); a != nil {
		return a.Ints, true
	}
	if n.Input(1) == "" {
		return nil, true
	}
	return f.index.constantInts(n.Input(1))
}

func reduce(f *facts, n *Node, _ int) []size {
	in := f.in(n, 0)
	axes, known := f.axesOf(n)
	keep := n.Int("keepdims", 1) != 0
	switch {
	case in == nil && !keep && known && len(axes) == 0 && n.Int("noop_with_empty_axes", 0) == 0:
		return []size{}
	case in == nil || !known && !keep:
		return nil
	case !known:
		return unknown(len(in))
	case len(axes) == 0 && n.Int("noop_with_empty_axes", 0) != 0:
		return in
	case len(axes) == 0:
		for k := range in {
			axes = append(axes, int64(k))
		}
	}
	return dropAxes(in, axes, keep)
}

func argMax(f *facts, n *Node, _ int) []size {
	return dropAxes(f.in(n, 0), []int64{n.Int("axis", 0)}, n.Int("keepdims", 1) != 0)
}

// dropAxes removes axes, or gives them size 1 where keep.
func dropAxes(in []size, axes []int64, keep bool) []size {
	gone := map[int]bool{}
	for _, axis := range axes {
		k, ok := axisOf(axis, len(in))
		if !ok {
			return nil
		}
		gone[k] = true
	}
	out := []size{}
	for k, s := range in {
		switch {
		case !gone[k]:
			out = append(out, s)
		case keep:
			out = append(out, fixed(1))
		}
	}
	return out
}

func topK(f *facts, n *Node, _ int) []size {
	out := slices.Clone(f.in(n, 0))
	if k, ok := axisOf(n.Int("axis", -1), len(out)); ok {
		out[k] = anySize
		if c := f.contents[n.Input(1)]; len(c) == 1 {
			out[k] = c[0]
		}
	}
	return out
}

// recurrent gives L×directions×N×H for the sequence and directions×N×H for the last states; gates is the number of blocks
// in the weights, directions×(gates·H)×D.
func recurrent(gates int64) sizeRule {
	return func(f *facts, n *Node, i int) []size {
		x, w := f.in(n, 0), f.in(n, 1)
		if len(x) != 3 || len(w) != 3 {
			return nil
		}
		hidden := quotient(w[1:2], []size{fixed(gates)})
		out := []size{w[0], x[1], hidden}
		seq := x[0]
		if n.Int("layout", 0) == 1 {
			out, seq = []size{x[0], w[0], hidden}, x[1]
		}
		if i > 0 {
			return out
		}
		if n.Int("layout", 0) == 1 {
			return []size{x[0], seq, w[0], hidden}
		}
		return append([]size{seq}, out...)
	}
}

// einsum reads equations without an ellipsis.
func einsum(f *facts, n *Node, _ int) []size {
	left, right, ok := strings.Cut(strings.ReplaceAll(n.Str("equation", ""), " ", ""), "->")
	terms := strings.Split(left, ",")
	if !ok || strings.Contains(left, "...") || len(terms) != len(n.Inputs) {
		return nil
	}
	letters := map[byte]size{}
	for k, term := range terms {
		in := f.in(n, k)
		for i := range len(term) {
			s := anySize
			if len(in) == len(term) {
				s = in[i]
			}
			if old, seen := letters[term[i]]; !seen || !old.known() {
				letters[term[i]] = s
			}
		}
	}
	out := []size{}
	for i := range len(right) {
		s, seen := letters[right[i]]
		if !seen {
			return nil
		}
		out = append(out, s)
	}
	return out
}

func constant(_ *facts, n *Node, _ int) []size {
	if t := constantOf(n); t != nil {
		return fixedSizes(t.Shape)
	}
	return nil
}
