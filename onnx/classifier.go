package onnx

import "slices"

// A denseLayer is a Gemm, a MatMul with a constant, or a 1×1 convolution, as a classifier or a hidden layer of one.
type denseLayer struct {
	node  *Node
	reads string // the tensor it works on, before Dropout
	dim   int64  // features it reads, by its weight; 0: not known
	makes int64  // features it makes, by its weight; 0: not known
}

// Operators that a walk from an output back to the layer behind it passes, by what they mean for the walk.
var (
	// reshapers change neither which numbers there are nor, but for rounding, their values.
	reshapers = []string{"Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Cast", "Dropout", "Transpose",
		"QuantizeLinear", "DequantizeLinear"}
	// squashers turn logits into probabilities or choices.
	squashers = []string{"Softmax", "LogSoftmax", "Sigmoid", "HardSigmoid", "Hardmax", "ArgMax", "TopK"}
	// activations make features of a layer's sums. Clip counts where its lower bound is not negative.
	activations = []string{"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "HardSwish", "Gelu", "Mish", "Softplus",
		"ThresholdedRelu", "Tanh", "Clip"}
	// pools average over places.
	pools = []string{"GlobalAveragePool", "GlobalMaxPool", "AveragePool", "ReduceMean", "ReduceMax"}
)

// classifier follows an output back to the dense layer that makes its logits, nil where there is none: where the walk ends
// elsewhere, or at a layer whose sums pass an activation, which makes features of them.
func (s *featureSearch) classifier(output string) *denseLayer {
	var activated, squashed, pooled bool
	tensor := output
	for range len(s.place) + 1 {
		n := s.x.Producer(tensor)
		if n == nil {
			return nil
		}
		switch {
		case n.Is(squashers...):
			squashed = true
		case n.Is("Clip") && !s.clipsNegative(n):
		case n.Is("Relu", "Clip", "LeakyRelu", "HardSwish"):
			activated = true
		case n.Is(pools...):
			pooled = true
		case n.Is(reshapers...), s.scaled(n):
		default:
			layer := s.dense(n)
			if layer == nil || layer.convolves(s.x) && !pooled || activated && !squashed && !s.oddClassifier(layer) {
				return nil
			}
			return layer
		}
		tensor = s.alongData(n)
	}
	return nil
}

// convolves reports whether the layer is a convolution over a picture of more than one place.
func (l *denseLayer) convolves(x *Index) bool {
	in := x.Shape(l.node.Input(0))
	return convolution(l.node) && !(len(in) == 4 && in[2].is(1) && in[3].is(1))
}

// oddClassifier decides about sums that pass an activation: a classifier (SqueezeNet has Relu between its last convolution
// and its pool) or a layer that widens features (MobileNetV2's last). Only a convolution over a picture can be either. It
// widens where it reads a linear bottleneck, or where it makes a multiple of 16 channels, as every layer's width is and few
// numbers of classes are.
func (s *featureSearch) oddClassifier(layer *denseLayer) bool {
	if !layer.convolves(s.x) || layer.makes%16 == 0 {
		return false
	}
	source := s.x.back(layer.reads, reshapers)
	return source == nil || !convolution(source) && !source.Is("Add", "BatchNormalization")
}

// hiddenLayer follows a tensor back through an activation to a dense layer, nil where there is none.
func (s *featureSearch) hiddenLayer(tensor string) *denseLayer {
	activated := false
	for range len(s.place) + 1 {
		n := s.x.Producer(tensor)
		switch {
		case n == nil:
			return nil
		case n.Is(activations...) && (!n.Is("Clip") || s.clipsNegative(n)):
			activated = true
		case n.Is(reshapers...), n.Is("BatchNormalization"), s.scaled(n):
		default:
			if layer := s.dense(n); activated && layer != nil && !layer.convolves(s.x) {
				return layer
			}
			return nil
		}
		tensor = s.alongData(n)
	}
	return nil
}

// dense reads a node as a dense layer, nil where it is none.
func (s *featureSearch) dense(n *Node) *denseLayer {
	data, weight := 0, 1
	if n.Is("QLinearConv", "QLinearMatMul") || n.OpType == "QGemm" {
		weight = 3
	}
	w := s.x.Shape(n.Input(weight))
	if !s.constant(n.Input(weight)) {
		return nil
	}
	layer := &denseLayer{node: n, reads: s.beforeDropout(n.Input(data))}
	in, out := -1, -1 // axes of the weight
	switch {
	case convolution(n):
		if len(w) != 4 || !w[2].is(1) || !w[3].is(1) || n.Int("group", 1) != 1 {
			return nil
		}
		in, out = 1, 0
	case n.Is("Gemm") || n.OpType == "QGemm":
		in, out = 0, 1
		if n.Int("transB", 0) != 0 {
			in, out = 1, 0
		}
	case n.Is("MatMul", "QLinearMatMul", "MatMulInteger"):
		in, out = 0, 1
	default:
		return nil
	}
	if len(w) > max(in, out) {
		layer.dim, layer.makes = w[in].Size, w[out].Size
	}
	return layer
}

func convolution(n *Node) bool { return n.Is("Conv", "QLinearConv") }

// constant reports whether a tensor does not depend on inputs: a weight, or what is computed from weights alone.
func (s *featureSearch) constant(tensor string) bool {
	if t, _ := s.x.Source(tensor); t != nil {
		return true
	}
	if s.x.Producer(tensor) == nil {
		return false
	}
	_, names := s.x.Ancestors(tensor)
	return !slices.ContainsFunc(s.x.graph.Inputs, func(v *Value) bool { return names[v.Name] && s.x.Weight(v.Name) == nil })
}

// scaled reports whether a node adds a constant to its data or multiplies it by a constant scalar: a bias, a temperature.
func (s *featureSearch) scaled(n *Node) bool {
	if !n.Is("Add", "Sub", "Mul", "Div") || len(n.Inputs) != 2 {
		return false
	}
	a, b := s.constant(n.Inputs[0]), s.constant(n.Inputs[1])
	if a == b || a && n.Is("Sub", "Div") {
		return false
	}
	if n.Is("Add", "Sub") {
		return true
	}
	by := n.Inputs[1]
	if a {
		by = n.Inputs[0]
	}
	return product(s.x.facts().sizes[by]).is(1) && s.x.facts().sizes[by] != nil
}

// alongData returns the input of a node that is not constant: the first, but for Add and Mul with a constant before it.
func (s *featureSearch) alongData(n *Node) string {
	if n.Is("Add", "Mul") && s.constant(n.Input(0)) {
		return n.Input(1)
	}
	return n.Input(0)
}

// clipsNegative reports whether a Clip has a lower bound that is not negative, and so is an activation such as Relu6.
func (s *featureSearch) clipsNegative(n *Node) bool {
	if n.Attr("min") != nil {
		return n.Float("min", -1) >= 0
	}
	low, ok := s.x.constantFloats(n.Input(1))
	return ok && len(low) == 1 && low[0] >= 0
}

// beforeDropout steps back over nodes that do nothing when a network is used.
func (s *featureSearch) beforeDropout(tensor string) string {
	for range len(s.place) + 1 {
		n := s.x.Producer(tensor)
		if n == nil || !n.Is("Dropout", "Identity") || n.Output(0) != tensor {
			break
		}
		tensor = n.Input(0)
	}
	return tensor
}

// back returns the node that made a tensor, seen through nodes of the given operators; nil for inputs and weights.
func (x *Index) back(tensor string, through []string) *Node {
	for range len(x.graph.Nodes) + 1 {
		n := x.Producer(tensor)
		if n == nil || !n.Is(through...) {
			return n
		}
		tensor = n.Input(0)
	}
	return nil
}

// firstToken reports whether a node picks entry 0 along the second axis of an N×L×D tensor.
func (x *Index) firstToken(n *Node) bool {
	if n == nil || len(x.Shape(n.Input(0))) != 3 {
		return false
	}
	switch {
	case n.Is("Gather"):
		at, ok := x.constantInts(n.Input(1))
		return ok && len(at) == 1 && at[0] == 0 && (n.Int("axis", 0) == 1 || n.Int("axis", 0) == -2)
	case n.Is("Slice"):
		starts, ends, axes, _, ok := x.facts().sliceOf(n)
		return ok && len(starts) == 1 && (axes[0] == 1 || axes[0] == -2) && starts[0] == 0 && ends[0] == 1
	}
	return false
}

// globalPool reports whether a node averages, or takes the maximum, over all places of a picture.
func (x *Index) globalPool(n *Node) bool {
	in, out := x.Shape(n.Input(0)), x.Shape(n.Output(0))
	switch {
	case n.Is("GlobalAveragePool", "GlobalMaxPool"):
		return true
	case n.Is("ReduceMean", "ReduceMax"):
		axes, ok := x.facts().axesOf(n)
		return ok && len(in) == 4 && len(axes) == 2
	case n.Is("AveragePool"):
		return len(out) == 4 && out[2].is(1) && out[3].is(1)
	}
	return false
}

// pooling reports whether a node pools a picture, or tokens N×L×D into N×D.
func (x *Index) pooling(n *Node) bool {
	if n == nil {
		return false
	}
	return x.globalPool(n) || n.Is("ReduceMean", "ReduceMax", "ReduceSum") && len(x.Shape(n.Input(0))) == 3
}

// channelsLast reports whether a tensor of rank 4 is N×H×W×C: whether the way back to a Transpose that made it so keeps
// its shape.
func (x *Index) channelsLast(tensor string) bool {
	for range len(x.graph.Nodes) + 1 {
		n := x.Producer(tensor)
		switch {
		case n == nil:
			return false
		case n.Is("Transpose"):
			return slices.Equal(n.Ints("perm"), []int64{0, 2, 3, 1})
		case n.Is("Concat"):
			return n.Int("axis", 1) == 3 || n.Int("axis", 1) == -1
		case n.Is("Add", "Mul", "Sub", "Div") && len(x.Shape(n.Input(0))) != 4:
			tensor = n.Input(1)
		case n.Is("Conv", "ConvTranspose", "QLinearConv", "MaxPool", "AveragePool", "GlobalAveragePool", "BatchNormalization"):
			return false
		default:
			tensor = n.Input(0)
		}
	}
	return false
}

// quantisedBy returns a node that reads a tensor of 8-bit integers together with their scale and zero point, in the inputs
// after it; nil where there is none.
func (x *Index) quantisedBy(tensor string) *Node {
	for _, n := range x.Readers(tensor) {
		if n.Input(0) == tensor && (n.Is("QLinearConv", "QLinearMatMul", "DequantizeLinear") || n.Domain == "com.microsoft" &&
			slices.Contains([]string{"QGemm", "QLinearGlobalAveragePool", "DequantizeLinear"}, n.OpType)) {
			return n
		}
	}
	return nil
}
