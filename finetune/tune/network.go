package tune

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// Names of what a training graph has beside the backbone's own tensors.
const (
	headWeight  = "head/weight"
	headBias    = "head/bias"
	dropoutMask = "head/dropout"
	lossName    = "loss"
	logitsName  = "logits"
)

// A network is a backbone with a linear head, taken apart for training: the layers that stay frozen (prefix), and the rest
// with the head as two graphs that take the trainable weights as inputs.
type network struct {
	prefix   *onnx.Model // nil where no layer is frozen
	boundary string      // the tensor between prefix and rest, an input of forward and backward where prefix is not nil
	forward  *onnx.Model // to logits
	backward *onnx.Model // to the loss and the gradients
	weights  []*weight   // in the order of their gradients among backward's outputs, after the loss
	adapters []*adapter  // in place of weights of the backbone; nil where its own move
	needs    footprint   // memory
	lengths  bool        // whether the boundary's second dimension varies, as the number of tokens does
}

// A weight is one trainable tensor. Its data is the trainer's own and changes with each step.
type weight struct {
	tensor *onnx.Tensor
	data   []float32
	layer  int  // the number of its layer; −1 for the head's
	head   bool // whether it is the head's
	decays bool
	table  bool // whether its gradient comes as that of the rows a batch looks up
}

// open takes the backbone apart. small and large are two batches of different sizes, for [autodiff.Measure].
func open(ctx context.Context, rt onnx.Runtime, p *Problem, s Settings, small, large onnx.Feeds) (*network, error) {
	m := p.Model.Clone()
	if len(m.Graph.Outputs) != 1 {
		return nil, fmt.Errorf("tune: the backbone has %d outputs, want one, N×D or N×L×D", len(m.Graph.Outputs))
	}
	if err := autodiff.Prepare(m); err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	features := m.Graph.Outputs[0].Name
	layers, err := autodiff.Layers(m, features)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	first, err := s.Unfreeze.first(layers)
	if err != nil {
		return nil, err
	}
	shapes, err := autodiff.Measure(ctx, rt, m, small, large)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	n := &network{}
	rest := m
	if first > 0 {
		if n.boundary = features; first < len(layers) {
			n.boundary = layers[first].Input
		}
		n.prefix = m.Clone()
		if err := onnx.Cut(n.prefix, n.boundary); err != nil {
			return nil, fmt.Errorf("tune: %w", err)
		}
		if rest, err = autodiff.Suffix(m, n.boundary, shapes); err != nil {
			return nil, fmt.Errorf("tune: %w", err)
		}
		n.lengths = shapes.Varies(n.boundary, 1)
	}
	moving := layers[min(first, len(layers)):]
	if s.LoRA.Rank > 0 {
		err = n.adapt(rest, moving, s)
	} else {
		err = n.choose(rest, moving, s.Unfreeze)
	}
	if err != nil {
		return nil, err
	}
	return n, offer(n.build(ctx, rt, rest, features, p, s.Dropout > 0, small, large), m, features, layers)
}

// offer says, of an error about an operator without gradient, from which layer on the backbone can be trained instead.
func offer(err error, m *onnx.Model, features string, layers []autodiff.Layer) error {
	var rule *autodiff.NoRuleError
	if !errors.As(err, &rule) {
		return err
	}
	var barred []string
	if rule.Reason != "" {
		barred = []string{rule.Node}
	}
	from, _ := autodiff.Shallowest(m, features, layers, barred...)
	return &DepthError{From: from, Layers: len(layers), Err: rule}
}

// choose lists the backbone's weights that move.
func (n *network) choose(m *onnx.Model, layers []autodiff.Layer, u Unfreeze) error {
	index := onnx.NewIndex(m.Graph)
	for _, l := range layers {
		for _, name := range l.Weights {
			t := index.Weight(name)
			if t == nil || !u.moves(index, t) {
				continue
			}
			if t.Type != onnx.Float32 {
				return fmt.Errorf("tune: weight %q is %s, want float32", name, t.Type)
			}
			data, err := t.Float32s()
			if err != nil {
				return fmt.Errorf("tune: %w", err)
			}
			w := &weight{data: append([]float32(nil), data...), layer: l.Number, decays: len(t.Shape) > 1}
			w.tensor = onnx.NewTensor(name, w.data, t.Shape...)
			n.weights = append(n.weights, w)
		}
	}
	if len(layers) == 0 || len(n.weights) > 0 {
		return nil
	}
	problem := "have no weight of float32 or float16, and quantised ones do not move: bring the model in float32, or leave its layers frozen"
	if u.Kind != "" {
		problem = "have no such weight of float32 or float16: exporters fold normalisations into convolutions, and their biases too; unfreeze whole layers"
	}
	return fmt.Errorf("tune: unfreeze %s: %w", u, &onnx.UnsupportedError{Problem: fmt.Sprintf("the layers from %d on %s", layers[0].Number, problem)})
}

// build appends head and loss to the rest of the backbone, and writes the backward pass.
func (n *network) build(ctx context.Context, rt onnx.Runtime, rest *onnx.Model, features string, p *Problem, dropout bool, small, large onnx.Feeds) error {
	m := rest.Clone()
	m.Graph.Outputs = nil
	n.addHead(p)
	b := onnx.NewBuilder(m)
	x := p.read(b, b.Value(features))
	if x == nil {
		return fmt.Errorf("tune: %w", b.Err())
	}
	w, c := b.Const(headWeight, n.weights[len(n.weights)-2].tensor), b.Const(headBias, n.weights[len(n.weights)-1].tensor)
	logits := b.Gemm(x, w, c, true)
	b.Output(logits, logitsName)
	if err := b.Err(); err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	n.forward = m.Clone()
	if dropout { // after the fact: the forward graph of evaluation has no mask
		b.Model().Graph.Outputs = nil
		mask := b.Input(dropoutMask, onnx.Float32, onnx.Param("batch"), onnx.Known(int64(p.Weight.Cols)))
		logits = b.Gemm(b.Mul(x, mask), w, c, true)
	}
	loss, err := p.Loss.Append(b, logits)
	if err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	m.Graph.Outputs = nil
	b.Output(loss, lossName)
	if err := b.Err(); err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	if err := onnx.Cut(m, lossName); err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	names := make([]string, len(n.weights))
	for i, w := range n.weights {
		names[i] = w.tensor.Name
	}
	shapes, err := n.measure(ctx, rt, m, p, small, large)
	if err != nil {
		return err
	}
	var tables []string
	if n.backward, tables, err = autodiff.RowGradient(m, lossName, names, shapes); err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	for _, w := range n.weights {
		w.table = slices.Contains(tables, w.tensor.Name)
	}
	for _, g := range []*onnx.Model{n.forward, n.backward} {
		if _, err := autodiff.Promote(g, names); err != nil {
			return fmt.Errorf("tune: %w", err)
		}
	}
	n.measureFootprint(m, shapes, small, large, p.perRow())
	return nil
}

// addHead puts the head's weights behind the backbone's.
func (n *network) addHead(p *Problem) {
	for _, h := range []struct {
		name   string
		data   []float32
		shape  []int64
		decays bool
	}{
		{headWeight, p.Weight.Data, []int64{int64(p.Weight.Rows), int64(p.Weight.Cols)}, true},
		{headBias, p.Bias, []int64{int64(len(p.Bias))}, false},
	} {
		w := &weight{data: append([]float32(nil), h.data...), layer: -1, head: true, decays: h.decays}
		w.tensor = onnx.NewTensor(h.name, w.data, h.shape...)
		n.weights = append(n.weights, w)
	}
}

// measure learns the shapes of the rest with head and loss, from two batches that went through the prefix.
func (n *network) measure(ctx context.Context, rt onnx.Runtime, m *onnx.Model, p *Problem, batches ...onnx.Feeds) (*autodiff.Shapes, error) {
	full := make([]onnx.Feeds, len(batches))
	for i, feeds := range batches {
		full[i] = onnx.Feeds{}
		for name, t := range feeds {
			full[i][name] = t
		}
		if n.prefix != nil {
			out, err := runOnce(ctx, rt, n.prefix, feeds)
			if err != nil {
				return nil, fmt.Errorf("tune: %w", err)
			}
			full[i][n.boundary] = out[0]
		}
		p.feedProbe(full[i])
	}
	shapes, err := autodiff.Measure(ctx, rt, m, full[0], full[1])
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	return shapes, nil
}

// taken are those of feeds that m has inputs for.
func taken(m *onnx.Model, feeds onnx.Feeds) onnx.Feeds {
	out := onnx.Feeds{}
	for _, in := range m.Graph.Inputs {
		if t := feeds[in.Name]; t != nil {
			out[in.Name] = t
		}
	}
	return out
}

// rowsOf is the batch size of feeds.
func rowsOf(feeds onnx.Feeds) int {
	for _, t := range feeds {
		return int(t.Shape[0])
	}
	return 0
}

// writeBack puts the trained weights into the backbone as the user brought it. A half-precision weight becomes a float32 one,
// so that nothing is lost.
func (n *network) writeBack(m *onnx.Model, r *Result) error {
	m = m.Clone()
	place := map[string]int{}
	for i, t := range m.Graph.Initializers {
		place[t.Name] = i
	}
	for _, w := range n.weights {
		switch {
		case w.tensor.Name == headWeight:
			r.Weight = heads.Matrix{Rows: int(w.tensor.Shape[0]), Cols: int(w.tensor.Shape[1]), Data: w.data}
		case w.tensor.Name == headBias:
			r.Bias = w.data
		case n.adapters == nil:
			r.Changed = append(r.Changed, onnx.NewTensor(w.tensor.Name, w.data, w.tensor.Shape...))
		}
	}
	for _, a := range n.adapters {
		r.Changed = append(r.Changed, a.merged())
	}
	for _, t := range r.Changed {
		at, ok := place[t.Name]
		if !ok {
			return fmt.Errorf("tune: weight %q is not an initializer of the backbone", t.Name)
		}
		m.Graph.Initializers[at] = t
	}
	r.Model = m
	return nil
}
