package autodiff

import "github.com/onnx-graft/graft/onnx"

// reshapeRule serves every operator that keeps the elements and their order.
func reshapeRule(s *step) *onnx.Value { return s.reshape(s.dy, s.outShape(0), s.node.Inputs[0]) }

func transposeRule(s *step) *onnx.Value {
	rank := len(s.inShape(0))
	perm, inverse := s.node.Ints("perm"), make([]int64, rank)
	for i := range rank {
		from := int64(rank - 1 - i) // without perm the dimensions are reversed
		if perm != nil {
			from = perm[i]
		}
		inverse[from] = int64(i)
	}
	return s.Transpose(s.dy, inverse...)
}

// concatRule cuts dy where the parts meet.
func concatRule(s *step) ([]*onnx.Value, error) {
	a := axis(s.node.Int("axis", 0), len(s.outShape(0)))
	sizes := make([]int64, len(s.node.Inputs))
	for i := range sizes {
		n, fixed := s.inShape(i)[a].fixed()
		if !fixed {
			return nil, s.unsupported("the size of its input " + s.node.Inputs[i] + " varies along the axis")
		}
		sizes[i] = n
	}
	grads, offset := s.none(), int64(0)
	for i, n := range sizes {
		if s.wants(i) {
			grads[i] = s.op("Slice", s.dy, s.ints(offset), s.ints(offset+n), s.ints(int64(a)))
		}
		offset += n
	}
	return grads, nil
}

// splitRule joins the parts' gradients again, zeros where none flows.
func splitRule(s *step) ([]*onnx.Value, error) {
	parts := make([]*onnx.Value, len(s.dys))
	for i, dy := range s.dys {
		if dy == nil {
			dy = s.fill(0, s.outShape(i), s.node.Outputs[i])
		}
		parts[i] = dy
	}
	return s.first(s.Op("Concat", parts, onnx.IntAttr("axis", s.node.Int("axis", 0)))), nil
}

// sliceRule puts zeros where the slice left something out.
func sliceRule(s *step) ([]*onnx.Value, error) {
	x := s.inShape(0)
	starts, ok1 := s.integers(1)
	ends, ok2 := s.integers(2)
	axes, ok3 := s.integers(3)
	steps, ok4 := s.integers(4)
	if !ok1 || !ok2 || s.node.Input(3) != "" && !ok3 || s.node.Input(4) != "" && !ok4 {
		return nil, s.unsupported("where it cuts varies with the batch")
	}
	low, high := make([]*onnx.Value, len(x)), make([]*onnx.Value, len(x))
	for i := range x {
		low[i], high[i] = s.ints(0), s.ints(0)
	}
	for i := range starts {
		if len(steps) > i && steps[i] != 1 {
			return nil, s.unsupported("its step is not 1")
		}
		a := i
		if axes != nil {
			a = axis(axes[i], len(x))
		}
		low[a], high[a] = s.margins(a, starts[i], ends[i])
	}
	pads := s.Op("Concat", append(low, high...), onnx.IntAttr("axis", 0))
	return s.first(s.op("Pad", s.dy, pads)), nil
}

// margins returns how many elements along axis a of the first input lie before start and from end on, as vectors of one.
func (s *step) margins(a int, start, end int64) (before, after *onnx.Value) {
	if n, fixed := s.inShape(0)[a].fixed(); fixed {
		from, to := clampIndex(start, n), clampIndex(end, n)
		return s.ints(from), s.ints(n - to)
	}
	size := s.op("Gather", s.op("Shape", s.in(0)), s.ints(int64(a)))
	position := func(i int64) *onnx.Value {
		if i < 0 {
			return s.op("Max", s.Add(size, s.ints(i)), s.ints(0))
		}
		return s.op("Min", size, s.ints(i))
	}
	return position(start), s.Sub(size, position(end))
}

// clampIndex is where index i of a dimension of n lies, counted from the front.
func clampIndex(i, n int64) int64 {
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

// padRule takes the padding away again: ONNX lets Pad be negative.
func padRule(s *step) ([]*onnx.Value, error) {
	if mode := s.node.Str("mode", "constant"); mode != "constant" {
		return nil, s.unsupported("its mode is " + mode)
	}
	in := []*onnx.Value{s.dy, s.op("Neg", s.in(1))}
	if s.node.Input(3) != "" {
		in = append(in, nil, s.in(3))
	}
	return s.first(s.Op("Pad", in)), nil
}
