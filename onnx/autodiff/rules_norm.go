package autodiff

import "github.com/onnx-graft/graft/onnx"

// layerNormRule works from the mean and 1/σ the node hands out. With x̂ = (x − mean)/σ and g = dy·scale:
// dx = (g − mean(g) − x̂·mean(g·x̂))/σ, dscale = Σ dy·x̂, dbias = Σ dy (Ba, Kiros and Hinton, arXiv:1607.06450).
func layerNormRule(s *step) ([]*onnx.Value, error) {
	x := s.inShape(0)
	first := axis(s.node.Int("axis", -1), len(x))
	var axes []int64
	for a := first; a < len(x); a++ {
		axes = append(axes, int64(a))
	}
	mean, inverse := s.SideOutput(s.node, 1), s.SideOutput(s.node, 2)
	normal := s.Mul(s.Sub(s.in(0), mean), inverse)
	grads := s.none()
	if s.wants(0) {
		g := s.Mul(s.dy, s.in(1))
		centred := s.Sub(g, s.ReduceMean(g, true, axes...))
		along := s.Mul(normal, s.ReduceMean(s.Mul(g, normal), true, axes...))
		grads[0] = s.Mul(s.Sub(centred, along), inverse)
	}
	if s.wants(1) {
		grads[1] = s.sumTo(s.Mul(s.dy, normal), x, s.node.Inputs[1])
	}
	if s.wants(2) {
		grads[2] = s.sumTo(s.dy, x, s.node.Inputs[2])
	}
	return grads, nil
}

// batchNormRule: with the stored mean and variance, y = (x − mean)·k + bias where k = scale/√(var + ε) is constant.
func batchNormRule(s *step) ([]*onnx.Value, error) {
	if s.node.Int("training_mode", 0) != 0 {
		return nil, s.unsupported("it is in training mode")
	}
	x := s.inShape(0)
	channels := make([]int64, len(x))
	var others []int64
	for i := range channels {
		channels[i] = 1
		if i != 1 {
			others = append(others, int64(i))
		}
	}
	channels[1] = -1
	deviation := s.op("Sqrt", s.Add(s.in(4), s.f(float64(s.node.Float("epsilon", 1e-5)))))
	grads := s.none()
	if s.wants(0) {
		grads[0] = s.Mul(s.dy, s.Reshape(s.Div(s.in(1), deviation), channels...))
	}
	if s.wants(1) {
		centred := s.Sub(s.in(0), s.Reshape(s.in(3), channels...))
		grads[1] = s.Div(s.ReduceSum(s.Mul(s.dy, centred), false, others...), deviation)
	}
	if s.wants(2) {
		grads[2] = s.ReduceSum(s.dy, false, others...)
	}
	return grads, nil
}

// reduced returns the axes a reduction runs over, and dy with those axes kept as size 1.
func (s *step) reduced() ([]int64, *onnx.Value, error) {
	rank := len(s.inShape(0))
	axes := s.node.Ints("axes")
	if s.node.Input(1) != "" {
		given, ok := s.integers(1)
		if !ok {
			return nil, nil, s.unsupported("its axes vary with the batch")
		}
		axes = given
	}
	all := make([]int64, 0, rank)
	for _, a := range axes {
		all = append(all, int64(axis(a, rank)))
	}
	if len(all) == 0 && s.node.Int("noop_with_empty_axes", 0) == 0 {
		for a := range rank {
			all = append(all, int64(a))
		}
	}
	if s.node.Int("keepdims", 1) != 0 || len(all) == 0 {
		return all, s.dy, nil
	}
	return all, s.op("Unsqueeze", s.dy, s.ints(all...)), nil
}

func reduceSumRule(s *step) ([]*onnx.Value, error) {
	_, dy, err := s.reduced()
	if err != nil {
		return nil, err
	}
	return s.first(s.expand(dy, s.node.Inputs[0])), nil
}

func reduceMeanRule(s *step) ([]*onnx.Value, error) {
	axes, dy, err := s.reduced()
	if err != nil {
		return nil, err
	}
	count := dim{1, 1}
	for _, a := range axes {
		d := s.inShape(0)[a]
		count = dim{count[0] * d[0], count[1] * d[1]}
	}
	var each *onnx.Value
	if n, fixed := count.fixed(); fixed {
		each = s.Mul(dy, s.f(1/float64(n)))
	} else {
		each = s.Div(dy, s.Div(s.mask(s.op("Size", s.in(0))), s.mask(s.op("Size", s.out(0)))))
	}
	return s.first(s.expand(each, s.node.Inputs[0])), nil
}

// reduceL2Rule: y = ‖x‖ has dx = x·dy/y.
func reduceL2Rule(s *step) ([]*onnx.Value, error) {
	_, dy, err := s.reduced()
	if err != nil {
		return nil, err
	}
	norm := *s
	norm.dy = s.out(0)
	_, y, err := norm.reduced()
	if err != nil {
		return nil, err
	}
	return s.first(s.Mul(s.in(0), s.Div(dy, y))), nil
}
