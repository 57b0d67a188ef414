package autodiff

import "github.com/onnx-graft/graft/onnx"

// scatterAdd adds updates into zeros of the first input's shape. ScatterND is not used: it loses concurrent additions on
// ONNX Runtime's CPU provider.
func (s *step) scatterAdd(indices, updates *onnx.Value, axis int) *onnx.Value {
	zeros := s.fill(0, s.inShape(0), s.node.Inputs[0])
	return s.Op("ScatterElements", []*onnx.Value{zeros, indices, updates},
		onnx.IntAttr("axis", int64(axis)), onnx.StringAttr("reduction", "add"))
}

// gatherRule adds each row of dy to the row it was taken from. Indices of several dimensions are covered along axis 0, as
// an embedding has them.
func gatherRule(s *step) ([]*onnx.Value, error) {
	x, index := s.inShape(0), s.inShape(1)
	a := axis(s.node.Int("axis", 0), len(x))
	updates, column := s.dy, s.in(1)
	switch {
	case len(index) == 0:
		updates = s.op("Unsqueeze", s.dy, s.ints(int64(a)))
	case len(index) > 1 && a == 0:
		row, ok := x[1:].known()
		if !ok {
			return nil, s.unsupported("the size of a row varies")
		}
		updates = s.Reshape(s.dy, append([]int64{-1}, row...)...)
	case len(index) > 1:
		return nil, s.unsupported("its indices have several dimensions along an inner axis")
	}
	to := make([]int64, len(x))
	for i := range to {
		to[i] = 1
	}
	to[a] = -1
	column = s.op("Expand", s.Reshape(column, to...), s.op("Shape", updates))
	return s.first(s.scatterAdd(column, updates, a)), nil
}

func gatherElementsRule(s *step) ([]*onnx.Value, error) {
	return s.first(s.scatterAdd(s.in(1), s.dy, axis(s.node.Int("axis", 0), len(s.inShape(0))))), nil
}
