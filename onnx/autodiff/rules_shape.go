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
	axes, known := s.integers(3)
	if s.node.Input(3) != "" && !known {
		return nil, s.unsupported("the axes it cuts vary with the batch")
	}
	steps, known := s.integers(4)
	if s.node.Input(4) != "" && !known {
		return nil, s.unsupported("its steps vary with the batch")
	}
	low, high := make([]*onnx.Value, len(x)), make([]*onnx.Value, len(x))
	for i := range x {
		low[i], high[i] = s.ints(0), s.ints(0)
	}
	dy, shape, cuts := s.dy, s.outShape(0), s.inShape(1).elements()
	for i := range cuts[0] {
		a := int(i)
		if axes != nil {
			a = axis(axes[i], len(x))
		}
		begin, end := s.bound(1, i, a), s.bound(2, i, a)
		if len(steps) > int(i) && steps[i] != 1 {
			var err error
			if dy, shape, err = s.spread(dy, shape, a, steps[i]); err != nil {
				return nil, err
			}
			end = s.Add(begin, s.ints(shape[a][0]))
		}
		low[a], high[a] = begin, s.Sub(s.extent(a), end)
	}
	pads := s.Op("Concat", append(low, high...), onnx.IntAttr("axis", 0))
	return s.first(s.op("Pad", dy, pads)), nil
}

// bound returns where the i-th start (input 1) or end (input 2) of a Slice lies along axis a, counted from the front, as a
// vector of one.
func (s *step) bound(input int, i int64, a int) *onnx.Value {
	given, known := s.integers(input)
	n, fixed := s.inShape(0)[a].fixed()
	switch {
	case known && fixed:
		return s.ints(clampIndex(given[i], n))
	case known && given[i] >= 0:
		return s.op("Min", s.extent(a), s.ints(given[i]))
	case known:
		return s.op("Max", s.Add(s.extent(a), s.ints(given[i])), s.ints(0))
	}
	at := s.op("Gather", s.in(input), s.ints(i))
	at = s.op("Where", s.op("Less", at, s.ints(0)), s.Add(at, s.extent(a)), at)
	return s.op("Max", s.op("Min", at, s.extent(a)), s.ints(0))
}

// extent is the first input's size along axis a, as a vector of one.
func (s *step) extent(a int) *onnx.Value {
	if n, fixed := s.inShape(0)[a].fixed(); fixed {
		return s.ints(n)
	}
	return s.op("Gather", s.op("Shape", s.in(0)), s.ints(int64(a)))
}

// spread puts stride−1 zeros behind each element along axis a of v, which has the given shape, and returns the new one too.
func (s *step) spread(v *onnx.Value, shape dims, a int, stride int64) (*onnx.Value, dims, error) {
	n, fixed := shape[a].fixed()
	if stride < 0 || !fixed {
		return nil, nil, s.unsupported("its step is negative, or is not 1 along an axis that varies")
	}
	apart := with(with(shape[:a+1], dims{{stride, stride}}), shape[a+1:])
	merged := with(with(shape[:a], dims{{n * stride, n * stride}}), shape[a+1:])
	sizes, ok := reshapeSizes(apart, merged)
	if !ok {
		return nil, nil, s.unsupported("its step is not 1, and two other dimensions vary")
	}
	pads := make([]int64, 2*len(apart))
	pads[len(apart)+a+1] = stride - 1
	padded := s.op("Pad", s.op("Unsqueeze", v, s.ints(int64(a+1))), s.ints(pads...))
	return s.Reshape(padded, sizes...), merged, nil
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
