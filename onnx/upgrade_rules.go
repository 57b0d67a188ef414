package onnx

import (
	"fmt"
	"slices"
)

// refuse is for operators that changed in a way that is not carried over.
func refuse(problem string) func(*rewriter, *Node) (bool, string) {
	return func(*rewriter, *Node) (bool, string) { return false, problem }
}

func renamed(op string) func(*rewriter, *Node) (bool, string) {
	return func(_ *rewriter, n *Node) (bool, string) {
		n.OpType = op
		return false, ""
	}
}

// setDefault writes out a default that became another.
func setDefault(a *Attribute) func(*rewriter, *Node) (bool, string) {
	return func(_ *rewriter, n *Node) (bool, string) {
		if n.Attr(a.Name) == nil {
			n.SetAttr(a.clone())
		}
		return false, ""
	}
}

// keepOutputs drops outputs that changed, where nobody reads them.
func keepOutputs(count int) func(*rewriter, *Node) (bool, string) {
	return func(w *rewriter, n *Node) (bool, string) {
		for _, out := range n.Outputs[min(count, len(n.Outputs)):] {
			if out != "" && w.wanted[out] {
				return false, fmt.Sprintf("output %q changed its meaning", out)
			}
		}
		n.Outputs = n.Outputs[:min(count, len(n.Outputs))]
		return false, ""
	}
}

// dropSpatial: BatchNormalization-9 always has one mean for a channel.
func dropSpatial(_ *rewriter, n *Node) (bool, string) {
	if n.Int("spatial", 1) == 0 {
		return false, "with spatial = 0 it has a mean for each place of the picture"
	}
	n.DropAttr("spatial")
	return false, ""
}

// moved turns an attribute into the input at place k: a constant that value makes of it.
func moved(w *rewriter, n *Node, attr string, k int, value *Value) {
	for len(n.Inputs) <= k {
		n.Inputs = append(n.Inputs, "")
	}
	n.Inputs[k] = nameOf(value)
	n.DropAttr(attr)
}

// axesInput: axes became the second input.
func axesInput(w *rewriter, n *Node) (bool, string) {
	if axes := n.Ints("axes"); len(axes) > 0 {
		moved(w, n, "axes", 1, w.Ints(axes...))
	}
	n.DropAttr("axes")
	return false, ""
}

// clipBounds: min and max became inputs of the type that is clipped.
func clipBounds(w *rewriter, n *Node) (bool, string) {
	for k, name := range []string{"min", "max"} {
		if n.Attr(name) == nil {
			continue
		}
		bound, problem := scalarLike(w, n, n.Float(name, 0))
		if problem != "" {
			return false, problem
		}
		moved(w, n, name, k+1, bound)
	}
	return false, ""
}

// scalarLike makes a constant of the element type that n's first input has.
func scalarLike(w *rewriter, n *Node, v float32) (*Value, string) {
	switch t := w.index.Type(n.Input(0)); t {
	case Float32:
		return w.Float(v), ""
	case Float16, Float64:
		return w.Cast(w.Float(v), t), ""
	default:
		return nil, fmt.Sprintf("the element type of %q is %v, or not known", n.Input(0), t)
	}
}

// dropoutRatio: the ratio became an input. It only matters in training.
func dropoutRatio(w *rewriter, n *Node) (bool, string) {
	if n.Attr("ratio") != nil {
		moved(w, n, "ratio", 1, w.Float(n.Float("ratio", 0.5)))
	}
	return false, ""
}

// gridModes: names of interpolations changed.
func gridModes(_ *rewriter, n *Node) (bool, string) {
	names := map[string]string{"bilinear": "linear", "bicubic": "cubic", "": "linear"}
	if name, ok := names[n.Str("mode", "")]; ok {
		n.SetAttr(StringAttr("mode", name))
	}
	return false, ""
}

// lastAxis: until opset 12 Softmax and its like worked on the input taken as a matrix, its dimensions from axis on being
// the columns; since then on one axis. For the last axis both are the same. Otherwise the matrix is made by Flatten.
func lastAxis(w *rewriter, n *Node) (bool, string) {
	axis := n.Int("axis", 1)
	rank := len(w.index.Shape(n.Input(0)))
	if axis == -1 || rank > 0 && (axis == int64(rank)-1) {
		n.SetAttr(IntAttr("axis", -1))
		return false, ""
	}
	x := w.at(n.Input(0))
	y := w.Op(n.OpType, []*Value{w.Flatten(x, axis)}, IntAttr("axis", -1))
	w.replace(n, w.Op("Reshape", []*Value{y, w.Shape(x)}))
	return true, ""
}

// padInputs: pads and value became inputs.
func padInputs(w *rewriter, n *Node) (bool, string) {
	moved(w, n, "pads", 1, w.Ints(n.Ints("pads")...))
	if v := n.Float("value", 0); v != 0 {
		fill, problem := scalarLike(w, n, v)
		if problem != "" {
			return false, problem
		}
		moved(w, n, "value", 2, fill)
	}
	n.DropAttr("value")
	return false, ""
}

// sliceInputs: starts, ends and axes became inputs.
func sliceInputs(w *rewriter, n *Node) (bool, string) {
	for k, name := range []string{"starts", "ends", "axes"} {
		if n.Attr(name) != nil {
			moved(w, n, name, k+1, w.Ints(n.Ints(name)...))
		}
	}
	return false, ""
}

// splitInput: the sizes of the parts became an input.
func splitInput(w *rewriter, n *Node) (bool, string) {
	if n.Attr("split") != nil {
		moved(w, n, "split", 1, w.Ints(n.Ints("split")...))
	}
	return false, ""
}

// splitCount: without sizes the number of parts has to be written.
func splitCount(_ *rewriter, n *Node) (bool, string) {
	if n.Input(1) == "" {
		n.SetAttr(IntAttr("num_outputs", int64(len(n.Outputs))))
	}
	return false, ""
}

// topKInput: k became an input.
func topKInput(w *rewriter, n *Node) (bool, string) {
	moved(w, n, "k", 1, w.Ints(n.Int("k", 1)))
	return false, ""
}

// scalesInput: Upsample's scales became an input.
func scalesInput(w *rewriter, n *Node) (bool, string) {
	moved(w, n, "scales", 1, w.Floats(n.floats("scales")...))
	return false, ""
}

// floats returns a list attribute's values, or nil where the node has no such attribute.
func (n *Node) floats(name string) []float32 {
	if a := n.Attr(name); a != nil && a.Type == AttrFloats {
		return a.Floats
	}
	return nil
}

// upsampleToResize: Resize took Upsample's place, with the same inputs at first.
func upsampleToResize(_ *rewriter, n *Node) (bool, string) {
	n.OpType = "Resize"
	return false, ""
}

// resizeScales: Resize got a region of interest as its second input, and ways to place the grid. Until then a place in the
// result was that in the input times the scale, rounded down for nearest.
func resizeScales(w *rewriter, n *Node) (bool, string) {
	scales, known := w.index.constantFloats(n.Input(1))
	down := slices.ContainsFunc(scales, func(s float32) bool { return s < 1 })
	if n.Str("mode", "nearest") == "nearest" && (!known || down) {
		return false, "how nearest rounds when it makes smaller was not defined"
	}
	n.Inputs = []string{n.Input(0), nameOf(w.Const("roi", float32Tensor([]int64{0}))), n.Input(1)}
	n.SetAttr(StringAttr("coordinate_transformation_mode", "asymmetric"))
	n.SetAttr(StringAttr("nearest_mode", "floor"))
	return false, ""
}

func resizeModes(_ *rewriter, n *Node) (bool, string) {
	if n.Str("coordinate_transformation_mode", "") == "tf_half_pixel_for_nn" {
		return false, "tf_half_pixel_for_nn was removed"
	}
	return false, ""
}
