package onnx

import "strings"

// A conversion rewrites a node for the opset that changed its operator. done says that nodes were written in its place;
// otherwise the node itself, edited, goes on to the next conversion. problem, where not empty, says what stands against it.
type conversion struct {
	opset   int64
	rewrite func(w *rewriter, n *Node) (done bool, problem string)
}

// conversions lists, for each operator whose form or meaning changed in an opset from 8 to 23, how to rewrite it (the
// version history is in Operators.md and Changelog.md of the ONNX specification). What a version only allowed in addition
// needs no rewriting and is not listed.
var conversions = map[string][]conversion{
	"BatchNormalization": {{9, dropSpatial}, {14, keepOutputs(1)}},
	"Clip":               {{11, clipBounds}},
	"DFT":                {{20, refuse("its axis became an input")}},
	"Dropout":            {{10, keepOutputs(1)}, {12, dropoutRatio}},
	"GridSample":         {{20, gridModes}},
	"GroupNormalization": {{21, refuse("scale and bias, one for a group before, are one for a channel")}},
	"Hardmax":            {{13, lastAxis}},
	"LogSoftmax":         {{13, lastAxis}},
	"Softmax":            {{13, lastAxis}},
	"Pad":                {{11, padInputs}},
	"ReduceSum":          {{13, axesInput}},
	"ReduceL1":           {{18, axesInput}},
	"ReduceL2":           {{18, axesInput}},
	"ReduceLogSum":       {{18, axesInput}},
	"ReduceLogSumExp":    {{18, axesInput}},
	"ReduceMax":          {{18, axesInput}},
	"ReduceMean":         {{18, axesInput}},
	"ReduceMin":          {{18, axesInput}},
	"ReduceProd":         {{18, axesInput}},
	"ReduceSumSquare":    {{18, axesInput}},
	"Resize":             {{11, resizeScales}, {13, resizeModes}},
	"RoiAlign":           {{16, setDefault(StringAttr("coordinate_transformation_mode", "output_half_pixel"))}},
	"Scan":               {{9, refuse("it lost its batch dimension")}},
	"Scatter":            {{11, renamed("ScatterElements")}},
	"Slice":              {{10, sliceInputs}},
	"Split":              {{13, splitInput}, {18, splitCount}},
	"Squeeze":            {{13, axesInput}},
	"Unsqueeze":          {{13, axesInput}},
	"TopK":               {{10, topKInput}},
	"Upsample":           {{9, scalesInput}, {10, upsampleToResize}},
}

// unchangedOperators are those of which each version from 7 to 23 does what the one before did, on what that one allowed.
var unchangedOperators = strings.Fields(`
	Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool Bernoulli BitShift BitwiseAnd
	BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Col2Im Compress Concat
	ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DeformConv DepthToSpace
	DequantizeLinear Det Div DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather
	GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual HammingWindow
	HannWindow HardSigmoid HardSwish Identity If ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu
	Less LessOrEqual Log Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean
	MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression
	NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear
	RMSNormalization RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal RegexFullMatch Relu Reshape
	ReverseSequence RotaryEmbedding Round STFT ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty
	SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size
	SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth SplitToSequence Sqrt StringConcat StringNormalizer StringSplit
	Sub Sum Tan Tanh TfIdfVectorizer ThresholdedRelu Tile Transpose Trilu Unique Where Xor`)
