package autodiff

import "github.com/onnx-graft/graft/onnx"

// A window is how a convolution or pooling node moves over its N×C×H×W input.
type window struct {
	kernel, strides, dilations [2]int64
	pads                       [4]int64 // top, left, bottom, right
	in, out                    [2]int64 // H, W
	group                      int64
	channels                   int64
}

// window reads the node's attributes; kernel is the weight's H, W, nil for pooling. It covers two spatial dimensions
// of constant size.
func (s *step) window(kernel dims) (window, error) {
	x, y := s.inShape(0), s.outShape(0)
	if len(x) != 4 {
		return window{}, s.unsupported("its input has not four dimensions")
	}
	w := window{strides: [2]int64{1, 1}, dilations: [2]int64{1, 1}, group: s.node.Int("group", 1)}
	copy(w.kernel[:], s.node.Ints("kernel_shape"))
	copy(w.strides[:], s.node.Ints("strides"))
	copy(w.dilations[:], s.node.Ints("dilations"))
	copy(w.pads[:], s.node.Ints("pads"))
	var ok [5]bool
	w.channels, ok[0] = x[1].fixed()
	for i := range 2 {
		w.in[i], ok[1+i] = x[2+i].fixed()
		w.out[i], ok[3+i] = y[2+i].fixed()
		if kernel != nil {
			w.kernel[i], _ = kernel[i].fixed()
		}
	}
	if ok != [5]bool{true, true, true, true, true} {
		return window{}, s.unsupported("the size of its input varies")
	}
	if mode := s.node.Str("auto_pad", "NOTSET"); mode == "SAME_UPPER" || mode == "SAME_LOWER" {
		for i := range 2 {
			total := max((w.out[i]-1)*w.strides[i]+(w.kernel[i]-1)*w.dilations[i]+1-w.in[i], 0)
			w.pads[i], w.pads[2+i] = total/2, total-total/2
			if mode == "SAME_LOWER" {
				w.pads[i], w.pads[2+i] = w.pads[2+i], w.pads[i]
			}
		}
	}
	return w, nil
}

// attributes are the window's, as a Conv or ConvTranspose node takes them.
func (w window) attributes() []*onnx.Attribute {
	return []*onnx.Attribute{
		onnx.IntsAttr("kernel_shape", w.kernel[:]...), onnx.IntsAttr("strides", w.strides[:]...),
		onnx.IntsAttr("dilations", w.dilations[:]...), onnx.IntsAttr("pads", w.pads[:]...), onnx.IntAttr("group", w.group),
	}
}

// left is how many rows and columns at the end of the padded input the window never reaches.
func (w window) left() [2]int64 {
	var n [2]int64
	for i := range n {
		n[i] = w.in[i] + w.pads[i] + w.pads[2+i] - (w.out[i]-1)*w.strides[i] - (w.kernel[i]-1)*w.dilations[i] - 1
	}
	return n
}

// transposed is the adjoint of a convolution with weight: dy back to the input's size.
func (s *step) transposed(w window, dy, weight *onnx.Value) *onnx.Value {
	left := w.left()
	return s.Op("ConvTranspose", []*onnx.Value{dy, weight}, append(w.attributes(), onnx.IntsAttr("output_padding", left[:]...))...)
}

// tap is the part of the padded input x (spatial axes 2 and 3) that position i, j of the kernel sees.
func (s *step) tap(w window, x *onnx.Value, i, j int64) *onnx.Value {
	top, left := i*w.dilations[0], j*w.dilations[1]
	return s.op("Slice", x, s.ints(top, left),
		s.ints(top+(w.out[0]-1)*w.strides[0]+1, left+(w.out[1]-1)*w.strides[1]+1), s.ints(2, 3), s.ints(w.strides[:]...))
}

// padded is v with the window's padding around its axes 2 and 3.
func (s *step) padded(w window, v *onnx.Value) *onnx.Value {
	if w.pads == [4]int64{} {
		return v
	}
	return s.op("Pad", v, s.ints(0, 0, w.pads[0], w.pads[1], 0, 0, w.pads[2], w.pads[3]))
}

// convRule covers plain and depthwise convolutions; others get a gradient of the input only.
func convRule(s *step) ([]*onnx.Value, error) {
	weight := s.inShape(1)
	sizes, ok := weight.known()
	if !ok || len(sizes) != 4 {
		return nil, s.unsupported("its weight has not four constant dimensions")
	}
	w, err := s.window(weight[2:])
	if err != nil {
		return nil, err
	}
	grads := s.none()
	if s.wants(0) {
		grads[0] = s.convInput(w, sizes)
	}
	if s.wants(1) {
		switch {
		case w.group == 1:
			grads[1] = s.convWeight(w, sizes)
		case w.group == w.channels && sizes[0] == w.channels:
			grads[1] = s.depthwiseWeight(w, sizes)
		default:
			return nil, s.unsupported("its weight is trainable and it has groups of several channels")
		}
	}
	if s.wants(2) {
		grads[2] = s.ReduceSum(s.dy, false, 0, 2, 3)
	}
	return grads, nil
}

// flipLimit is the number of kernels (output by input channels) up to which a convolution with the flipped kernel beats
// ConvTranspose.
const flipLimit = 256 * 256

// convInput is dX: a matrix product for 1×1, for stride 1 a convolution of dY with the kernel turned by 180°, otherwise a
// ConvTranspose.
func (s *step) convInput(w window, sizes []int64) *onnx.Value {
	outs, ins := sizes[0], sizes[1]
	plain := w.strides == [2]int64{1, 1} && w.dilations == [2]int64{1, 1}
	switch {
	case plain && w.group == 1 && w.kernel == [2]int64{1, 1} && w.pads == [4]int64{}:
		turned := s.Transpose(s.Reshape(s.in(1), outs, ins), 1, 0)
		return s.reshape(s.MatMul(turned, s.Reshape(s.dy, 0, outs, -1)), nil, s.node.Inputs[0])
	case plain && (w.group == 1 && outs*ins <= flipLimit || w.group == outs && ins == 1 && w.group == w.channels):
		flipped := s.op("Slice", s.in(1), s.ints(-1, -1), s.ints(-1<<31, -1<<31), s.ints(2, 3), s.ints(-1, -1))
		if w.group == 1 {
			flipped = s.Transpose(flipped, 1, 0, 2, 3)
		}
		back := w
		for i := range 4 {
			back.pads[i] = w.kernel[i%2] - 1 - w.pads[i]
		}
		if min(back.pads[0], back.pads[1], back.pads[2], back.pads[3]) >= 0 {
			return s.Op("Conv", []*onnx.Value{s.dy, flipped}, back.attributes()...)
		}
	}
	return s.transposed(w, s.dy, s.in(1))
}

// convWeight is dW as a matrix product for each kernel position: of dY with what that position saw of the input. One product
// with all positions side by side (im2col) first copies each, which costs more than the larger product gains.
func (s *step) convWeight(w window, sizes []int64) *onnx.Value {
	outs, ins := sizes[0], sizes[1]
	x := s.padded(w, s.Transpose(s.in(0), 1, 0, 2, 3))
	dy := s.Reshape(s.Transpose(s.dy, 1, 0, 2, 3), outs, -1)
	var taps []*onnx.Value
	for i := range w.kernel[0] {
		for j := range w.kernel[1] {
			seen := s.Reshape(s.tap(w, x, i, j), ins, -1)
			taps = append(taps, s.Reshape(s.gemm(dy, seen, false, true), outs, ins, 1))
		}
	}
	all := taps[0]
	if len(taps) > 1 {
		all = s.Op("Concat", taps, onnx.IntAttr("axis", 2))
	}
	return s.Reshape(all, sizes...)
}

// depthwiseWeight is dW where each channel has a kernel of its own: for each position the sum of dY·(what it saw).
func (s *step) depthwiseWeight(w window, sizes []int64) *onnx.Value {
	x := s.padded(w, s.in(0))
	var sums []*onnx.Value
	for i := range w.kernel[0] {
		for j := range w.kernel[1] {
			sum := s.ReduceSum(s.Mul(s.tap(w, x, i, j), s.dy), false, 0, 2, 3)
			sums = append(sums, s.Reshape(sum, -1, 1))
		}
	}
	return s.Reshape(s.Op("Concat", sums, onnx.IntAttr("axis", 1)), sizes...)
}

// maxPoolRule gives dy to the elements that were the largest of their window.
func maxPoolRule(s *step) ([]*onnx.Value, error) {
	all := s.ints(-1)
	indices := s.op("Reshape", s.SideOutput(s.node, 1), all)
	zeros := s.op("Expand", s.f(0), s.op("Reshape", s.op("Size", s.in(0)), all))
	sum := s.Op("ScatterElements", []*onnx.Value{zeros, indices, s.op("Reshape", s.dy, all)},
		onnx.IntAttr("axis", 0), onnx.StringAttr("reduction", "add"))
	return s.first(s.op("Reshape", sum, s.shapeOf(s.node.Inputs[0]))), nil
}

// averagePoolRule spreads dy, divided by the number of elements averaged, over each window.
func averagePoolRule(s *step) ([]*onnx.Value, error) {
	w, err := s.window(nil)
	if err != nil {
		return nil, err
	}
	if s.node.Int("ceil_mode", 0) != 0 {
		return nil, s.unsupported("ceil_mode is set")
	}
	w.group = w.channels
	shares := make([]float32, w.out[0]*w.out[1])
	for i := range shares {
		n := w.kernel[0] * w.kernel[1]
		if s.node.Int("count_include_pad", 0) == 0 {
			n = w.inside(0, int64(i)/w.out[1]) * w.inside(1, int64(i)%w.out[1])
		}
		shares[i] = 1 / float32(n)
	}
	ones := make([]float32, w.channels*w.kernel[0]*w.kernel[1])
	for i := range ones {
		ones[i] = 1
	}
	each := s.Mul(s.dy, s.Const("shares", onnx.NewTensor("", shares, 1, 1, w.out[0], w.out[1])))
	spread := s.Const("ones", onnx.NewTensor("", ones, w.channels, 1, w.kernel[0], w.kernel[1]))
	return s.first(s.transposed(w, each, spread)), nil
}

// inside counts the positions of the window at output index at, along spatial axis i, that are not padding.
func (w window) inside(i int, at int64) int64 {
	var n int64
	for k := range w.kernel[i] {
		if p := at*w.strides[i] + k*w.dilations[i] - w.pads[i]; p >= 0 && p < w.in[i] {
			n++
		}
	}
	return n
}

func globalAveragePoolRule(s *step) ([]*onnx.Value, error) {
	area, fixed := s.inShape(0)[2:].elements().fixed()
	if !fixed {
		return nil, s.unsupported("the size of its input varies")
	}
	return s.first(s.expand(s.Mul(s.dy, s.f(1/float64(area))), s.node.Inputs[0])), nil
}
