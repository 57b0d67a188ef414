package onnx

// resultTypes says where a node's element type comes from, for operators that do not simply pass on that of their first
// input. Each row has the operators and a rule for their i-th output.
var resultTypes = []struct {
	ops  []string
	rule func(x *facts, n *Node, i int) DType
}{
	{[]string{"Shape", "Size", "ArgMax", "ArgMin", "NonZero", "NonMaxSuppression"}, always(Int64)},
	{[]string{"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor", "IsNaN", "IsInf",
		"RegexFullMatch"}, always(Bool)},
	{[]string{"MatMulInteger", "ConvInteger"}, always(Int32)},
	{[]string{"TopK", "MaxPool", "Unique", "StringSplit"}, laterOutputs(Int64)},
	{[]string{"Dropout"}, laterOutputs(Bool)},
	{[]string{"TfIdfVectorizer"}, always(Float32)},
	{[]string{"BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix"},
		func(_ *facts, n *Node, _ int) DType { return DType(n.Int("output_datatype", int64(Float32))) }},
	{[]string{"Cast"}, func(_ *facts, n *Node, _ int) DType { return DType(n.Int("to", 0)) }},
	{[]string{"Where", "CastLike"}, ofInput(1)},
	{[]string{"SplitToSequence", "SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase", "SequenceMap",
		"Optional", "SequenceAt", "ConcatFromSequence", "OptionalGetElement"}, always(Undefined)}, // no tensors, or of such
	{[]string{"DequantizeLinear"}, ofInput(1)},
	{[]string{"OneHot"}, ofInput(2)},
	{[]string{"QuantizeLinear"}, func(x *facts, n *Node, _ int) DType {
		if zero := n.Input(2); zero != "" {
			return x.typeOf(zero)
		}
		return DType(n.Int("output_dtype", int64(Uint8)))
	}},
	{[]string{"QLinearConv", "QLinearMatMul"}, ofInput(7)},
	{[]string{"DynamicQuantizeLinear"}, func(_ *facts, _ *Node, i int) DType {
		return [...]DType{Uint8, Float32, Uint8}[min(i, 2)]
	}},
	{[]string{"Constant"}, func(_ *facts, n *Node, _ int) DType {
		if t := constantOf(n); t != nil {
			return t.Type
		}
		return Undefined
	}},
	{[]string{"ConstantOfShape"}, func(_ *facts, n *Node, _ int) DType {
		if a := n.Attr("value"); a != nil && a.Tensor != nil {
			return a.Tensor.Type
		}
		return Float32
	}},
	{[]string{"RandomNormal", "RandomUniform"}, dtypeAttr(Float32)},
	{[]string{"EyeLike", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"}, dtypeAttr(Undefined)},
	{[]string{"If", "Loop", "Scan"}, func(_ *facts, n *Node, i int) DType {
		for _, g := range subgraphs(n) {
			if n.OpType == "Loop" {
				i++ // the body's first output is the condition
			}
			if i < len(g.Outputs) {
				return g.Outputs[i].Type
			}
		}
		return Undefined
	}},
}

type typeRule = func(x *facts, n *Node, i int) DType

func always(t DType) typeRule {
	return func(*facts, *Node, int) DType { return t }
}

func ofInput(k int) typeRule {
	return func(x *facts, n *Node, _ int) DType { return x.typeOf(n.Input(k)) }
}

func laterOutputs(t DType) typeRule {
	return func(x *facts, n *Node, i int) DType {
		if i > 0 {
			return t
		}
		return x.typeOf(n.Input(0))
	}
}

func dtypeAttr(def DType) typeRule {
	return func(x *facts, n *Node, _ int) DType {
		if a := n.Attr("dtype"); a != nil {
			return DType(a.Int)
		}
		if def == Undefined {
			return x.typeOf(n.Input(0))
		}
		return def
	}
}

// resultType applies the table to one output.
func (x *facts) resultType(n *Node, i int) DType {
	if standardDomain(n.Domain) {
		for _, row := range resultTypes {
			if n.Is(row.ops...) {
				return row.rule(x, n, i)
			}
		}
		return x.typeOf(n.Input(0))
	}
	return Undefined
}
