package onnx

import (
	"cmp"
	"fmt"
	"slices"
)

// A FeatureKind says what a candidate for features is in its network.
type FeatureKind string

const (
	Penultimate     FeatureKind = "penultimate"       // what a final classifier layer reads
	LastHiddenState FeatureKind = "last_hidden_state" // N×L×D: one vector a token
	PooledOutput    FeatureKind = "pooled_output"     // an output that the network has pooled itself
	CLS             FeatureKind = "cls"               // the first token's vector
	GlobalPool      FeatureKind = "global_pool"       // the last pool over a whole picture
	Output          FeatureKind = "output"            // any other output
)

// preference lists the kinds, best first.
var preference = []FeatureKind{Penultimate, LastHiddenState, PooledOutput, CLS, GlobalPool, Output}

// A Feature is a tensor that may serve as features; [MakeBackbone] makes it one N×D output.
type Feature struct {
	Tensor string
	Dim    int64 // D, or channels; 0: not known
	Kind   FeatureKind
	Rank   int // 2: N×D, 3: N×L×D, 4: N×C×H×W or N×H×W×C; 0: not known
}

// Features lists the tensors of a model that may serve as features, best first. They are found by the graph's shape, never
// by name alone: each output is followed back through what only reshapes, pools or squashes it. Where that leads to a dense
// layer (Gemm, MatMul with a constant, a 1×1 convolution) which reads like a classifier, the tensor it reads comes first.
// Hidden states N×L×D, pooled outputs, the first token, the last global pool and other outputs follow.
func Features(m *Model) []Feature {
	s := &featureSearch{x: NewIndex(m.Graph), place: map[string]int{}}
	for i, n := range m.Graph.Nodes {
		for _, out := range n.Outputs {
			s.place[out] = i
		}
	}
	var ends []string // what the network computes apart from classifiers
	for _, out := range m.Graph.Outputs {
		layer := s.classifier(out.Name)
		if layer == nil {
			s.addOutput(out.Name)
			ends = append(ends, out.Name)
			continue
		}
		s.addPenultimate(layer, m.Graph.Outputs)
		ends = append(ends, layer.reads)
	}
	s.addInner(m.Graph, ends)
	for _, out := range m.Graph.Outputs {
		s.add(out.Name, Output, 0)
	}
	slices.SortStableFunc(s.found, func(a, b Feature) int {
		return cmp.Or(
			cmp.Compare(s.rank(m.Graph, a), s.rank(m.Graph, b)),
			cmp.Compare(s.place[b.Tensor], s.place[a.Tensor])) // the deeper first
	})
	return s.found
}

// FeatureAt describes a tensor that was named as features: as [Features] lists it, else with what is known of its shape. It
// is an error where there is no such tensor, or where it cannot be features.
func FeatureAt(m *Model, tensor string) (Feature, error) {
	for _, f := range Features(m) {
		if f.Tensor == tensor {
			return f, nil
		}
	}
	s := &featureSearch{x: NewIndex(m.Graph)}
	if !s.x.Has(tensor) {
		return Feature{}, fmt.Errorf("onnx: features: %w", s.x.missing(tensor))
	}
	if s.add(tensor, Output, 0); len(s.found) == 0 {
		return Feature{}, fmt.Errorf("onnx: features: %q is %v of shape %v; features are floats N×D, N×L×D or N×C×H×W",
			tensor, s.x.Type(tensor), s.x.Shape(tensor))
	}
	return s.found[0], nil
}

// rank is a candidate's place by its kind. Hidden states that the model keeps to itself come after what it gives out.
func (s *featureSearch) rank(g *Graph, f Feature) int {
	kind := f.Kind
	if kind == LastHiddenState && !g.hasOutput(f.Tensor) {
		kind = GlobalPool
	}
	return slices.Index(preference, kind)
}

// featureSearch collects candidates.
type featureSearch struct {
	x     *Index
	place map[string]int // a tensor's producer in the graph's order
	found []Feature
}

// add notes a candidate unless the tensor is one already or cannot be N×D, N×L×D or N×C×H×W of floats. dim is D where a
// weight tells it, else 0.
func (s *featureSearch) add(tensor string, kind FeatureKind, dim int64) {
	if slices.ContainsFunc(s.found, func(f Feature) bool { return f.Tensor == tensor }) {
		return
	}
	switch s.x.Type(tensor) {
	case Float32, Float16, BFloat16, Float64, Undefined:
	case Uint8, Int8:
		if s.x.quantisedBy(tensor) == nil {
			return
		}
	default:
		return
	}
	shape := s.x.Shape(tensor)
	switch len(shape) {
	case 0, 2, 3:
	case 4:
		if s.attention(tensor) {
			return
		}
	default:
		return
	}
	if shape != nil && len(shape) == 0 {
		return // a scalar
	}
	if dim == 0 {
		if d := s.width(tensor, shape); d.Known {
			dim = d.Size
		}
	}
	s.found = append(s.found, Feature{Tensor: tensor, Dim: dim, Kind: kind, Rank: len(shape)})
}

// width is the dimension that holds a tensor's features.
func (s *featureSearch) width(tensor string, shape Shape) Dim {
	switch {
	case len(shape) < 2:
		return Dim{}
	case len(shape) == 4 && !s.x.channelsLast(tensor):
		return shape[1]
	}
	return shape[len(shape)-1]
}

// attention reports whether a tensor of rank 4 is not of an image: scores, or keys and values kept for later. No picture
// network is without a convolution.
func (s *featureSearch) attention(tensor string) bool {
	nodes, _ := s.x.Ancestors(tensor)
	for n := range nodes {
		if n.Is("Conv", "ConvInteger", "QLinearConv", "ConvTranspose") || n.OpType == "FusedConv" {
			return false
		}
	}
	return true
}

// addPenultimate notes what a classifier reads and, behind a hidden layer of it, what that reads.
func (s *featureSearch) addPenultimate(layer *denseLayer, outputs []*Value) {
	kind := Penultimate
	isOutput := slices.ContainsFunc(outputs, func(v *Value) bool { return v.Name == layer.reads })
	if len(s.x.Shape(layer.reads)) == 3 && isOutput {
		kind = LastHiddenState
	}
	s.add(layer.reads, kind, layer.dim)
	if hidden := s.hiddenLayer(layer.reads); hidden != nil {
		kind := Penultimate
		if s.x.firstToken(s.x.Producer(hidden.reads)) {
			kind = CLS
		}
		s.add(hidden.reads, kind, hidden.dim)
	}
}

// addOutput notes an output that is no classifier's.
func (s *featureSearch) addOutput(tensor string) {
	kind := Output
	shape := s.x.Shape(tensor)
	switch source := s.x.back(tensor, reshapers); {
	case len(shape) == 3 && !s.attention(tensor) && s.x.pooling(source):
	case len(shape) == 3:
		kind = LastHiddenState
	case len(shape) == 4 && !(shape[2].is(1) && shape[3].is(1)):
	case s.x.firstToken(source):
		kind = CLS
	case s.x.pooling(source) || s.hiddenLayer(tensor) != nil && s.x.firstToken(s.x.back(s.hiddenLayer(tensor).reads, reshapers)):
		kind = PooledOutput
	}
	s.add(tensor, kind, 0)
}

// addInner notes the last first-token pick and the last pool over a picture among what ends are computed from.
func (s *featureSearch) addInner(g *Graph, ends []string) {
	nodes, _ := s.x.Ancestors(ends...)
	var cls, pool bool
	for _, n := range slices.Backward(g.Nodes) {
		switch {
		case !nodes[n]:
		case !cls && s.x.firstToken(n):
			cls = true
			s.add(n.Output(0), CLS, 0)
			if n.Is("Gather", "Slice") {
				s.add(n.Input(0), LastHiddenState, 0)
			}
		case !pool && s.x.globalPool(n):
			pool = true
			s.add(n.Output(0), GlobalPool, 0)
		}
	}
}
