package autodiff

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// Shapes are what a graph's tensors were seen to be in two runs on batches of different sizes: a dimension of the same
// size in both is taken for constant. Gradient rules read them instead of a shape inferencer.
type Shapes struct {
	dims map[string]dims
	ints map[string][]int64 // values of small integer tensors that steer a node, where both runs agree
}

// A dim is one dimension's size in the two runs.
type dim [2]int64

// dims is a tensor's shape in the two runs.
type dims []dim

// fixed returns the dimension's size if it is the same in both runs.
func (d dim) fixed() (int64, bool) { return d[0], d[0] == d[1] }

// known returns d's sizes if all are the same in both runs.
func (d dims) known() ([]int64, bool) {
	sizes := make([]int64, len(d))
	for i, x := range d {
		n, ok := x.fixed()
		if !ok {
			return nil, false
		}
		sizes[i] = n
	}
	return sizes, true
}

// steering names, by operator, the integer inputs whose values a gradient rule needs to know.
var steering = map[string][]int{
	"Pad":        {1},
	"ReduceMax":  {1},
	"ReduceMean": {1},
	"ReduceMin":  {1},
	"ReduceSum":  {1},
	"Slice":      {1, 2, 3, 4},
	"Tile":       {1},
}

// Measure runs m on two batches and records the shape of every tensor. The batches should differ in each dimension that
// can vary, in sizes that no constant dimension and no other varying one has: 2 rows of 5 tokens and 3 of 7, say.
// It returns the runtime's error where m cannot be run, and an error naming the tensor whose rank differs between the runs.
func Measure(ctx context.Context, rt onnx.Runtime, m *onnx.Model, small, large onnx.Feeds) (*Shapes, error) {
	s := &Shapes{dims: map[string]dims{}, ints: map[string][]int64{}}
	for _, t := range m.Graph.Initializers {
		s.dims[t.Name] = pair(t.Shape, t.Shape)
	}
	for name, t := range small {
		if other := large[name]; other != nil && len(other.Shape) == len(t.Shape) {
			s.dims[name] = pair(t.Shape, other.Shape)
		}
	}
	tapped, taps := tap(m)
	weights, err := PromoteLarge(tapped)
	if err != nil {
		return nil, err
	}
	session, err := rt.NewSession(tapped)
	if err != nil {
		return nil, fmt.Errorf("autodiff: measuring shapes: %w", err)
	}
	defer session.Close()
	var seen [2][]*onnx.Tensor
	for i, feeds := range []onnx.Feeds{small, large} {
		all := fed(tapped, feeds)
		for _, w := range weights {
			all[w.Name] = w
		}
		if seen[i], err = session.Run(ctx, all); err != nil {
			return nil, fmt.Errorf("autodiff: measuring shapes: %w", err)
		}
	}
	for i, t := range taps {
		if err := s.record(t, seen[0][i], seen[1][i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// A tapOf says which tensor an output of a tapped graph tells of, and whether it is the tensor's shape or its values.
type tapOf struct {
	tensor string
	values bool
}

// tap returns a copy of m whose outputs are the shape of every tensor a node makes, and the values of those that steer.
func tap(m *onnx.Model) (*onnx.Model, []tapOf) {
	m = m.Clone()
	index := onnx.NewIndex(m.Graph)
	nodes := slices.Clone(m.Graph.Nodes)
	m.Graph.Outputs = nil
	var taps []tapOf
	add := func(op string, t tapOf, attrs ...*onnx.Attribute) {
		out := fmt.Sprintf("measure/%d", len(taps))
		m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{Name: out, OpType: op, Inputs: []string{t.tensor}, Outputs: []string{out}, Attributes: attrs})
		m.Graph.Outputs = append(m.Graph.Outputs, &onnx.Value{Name: out, Type: onnx.Int64})
		taps = append(taps, t)
	}
	steers := map[string]bool{}
	for _, n := range nodes {
		for _, i := range steering[n.OpType] {
			if in := n.Input(i); in != "" && index.Constant(in) == nil {
				steers[in] = true
			}
		}
		for _, out := range n.Outputs {
			if out != "" {
				add("Shape", tapOf{tensor: out})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(steers)) {
		add("Cast", tapOf{tensor: name, values: true}, onnx.IntAttr("to", int64(onnx.Int64)))
	}
	return m, taps
}

// record notes what one tap showed in the two runs.
func (s *Shapes) record(t tapOf, small, large *onnx.Tensor) error {
	a, err := onnx.View[int64](small)
	if err != nil {
		return fmt.Errorf("autodiff: measuring %q: %w", t.tensor, err)
	}
	b, err := onnx.View[int64](large)
	if err != nil {
		return fmt.Errorf("autodiff: measuring %q: %w", t.tensor, err)
	}
	switch {
	case t.values && slices.Equal(a, b):
		s.ints[t.tensor] = slices.Clone(a)
	case t.values:
	case len(a) != len(b):
		return fmt.Errorf("autodiff: tensor %q has rank %d in one run and %d in another", t.tensor, len(a), len(b))
	default:
		s.dims[t.tensor] = pair(a, b)
	}
	return nil
}

func pair(a, b []int64) dims {
	d := make(dims, len(a))
	for i := range a {
		d[i] = dim{a[i], b[i]}
	}
	return d
}

// fed returns those of feeds that m takes.
func fed(m *onnx.Model, feeds onnx.Feeds) onnx.Feeds {
	taken := onnx.Feeds{}
	for _, in := range m.Graph.Inputs {
		if t := feeds[in.Name]; t != nil {
			taken[in.Name] = t
		}
	}
	return taken
}

// Varies tells whether a dimension of a tensor had different sizes in the two runs; false where there is no such dimension.
func (s *Shapes) Varies(tensor string, axis int) bool {
	d := s.dims[tensor]
	return axis < len(d) && d[axis][0] != d[axis][1]
}
