package onnx

import (
	"math"
	"slices"
)

// This file has the rules of operators that move elements about, and of those that compute shapes.

func transpose(f *facts, n *Node, _ int) []size {
	in, perm := f.in(n, 0), n.Ints("perm")
	out := slices.Clone(in)
	if len(perm) == 0 {
		slices.Reverse(out)
		return out
	}
	if in == nil || len(perm) != len(in) {
		return unknown(len(perm))
	}
	for i, p := range perm {
		k, ok := axisOf(p, len(in))
		if !ok {
			return nil
		}
		out[i] = in[k]
	}
	return out
}

func reshape(f *facts, n *Node, _ int) []size {
	in := f.in(n, 0)
	target, ok := f.contents[n.Input(1)]
	if a := n.Attr("shape"); a != nil { // before opset 5
		target, ok = fixedSizes(a.Ints), true
	}
	if !ok {
		if s := f.in(n, 1); len(s) == 1 && s[0].known() && s[0].sym == "" && s[0].n < 64 {
			return unknown(int(s[0].n))
		}
		return nil
	}
	out, rest, open := slices.Clone(target), []size{}, -1
	for i, s := range target {
		if s.is(0) && n.Int("allowzero", 0) == 0 {
			if out[i] = anySize; i < len(in) {
				out[i] = in[i]
			}
		}
		if target[i].known() {
			rest = append(rest, out[i])
			continue
		}
		if open >= 0 {
			return out
		}
		open = i
	}
	if open >= 0 && in != nil {
		out[open] = quotient(in, rest)
	}
	return out
}

func flatten(f *facts, n *Node, _ int) []size {
	in := f.in(n, 0)
	if in == nil {
		return unknown(2)
	}
	axis := n.Int("axis", 1)
	if axis < 0 {
		axis += int64(len(in))
	}
	if axis < 0 || axis > int64(len(in)) {
		return nil
	}
	return []size{product(in[:axis]), product(in[axis:])}
}

func squeeze(f *facts, n *Node, _ int) []size {
	in := f.in(n, 0)
	axes, known := f.axesOf(n)
	if in == nil || !known {
		return nil
	}
	if len(axes) == 0 {
		for k, s := range in {
			if !s.known() || s.sym != "" {
				return nil
			}
			if s.is(1) {
				axes = append(axes, int64(k))
			}
		}
	}
	return dropAxes(in, axes, false)
}

func unsqueeze(f *facts, n *Node, _ int) []size {
	in := f.in(n, 0)
	axes, known := f.axesOf(n)
	if in == nil || !known {
		return nil
	}
	out := make([]size, len(in)+len(axes))
	added := map[int]bool{}
	for _, axis := range axes {
		k, ok := axisOf(axis, len(out))
		if !ok || added[k] {
			return nil
		}
		added[k], out[k] = true, fixed(1)
	}
	next := 0
	for k := range out {
		if !added[k] {
			out[k] = in[next]
			next++
		}
	}
	return out
}

func concat(f *facts, n *Node, _ int) []size {
	out := slices.Clone(f.in(n, 0))
	axis, ok := axisOf(n.Int("axis", 0), len(out))
	if !ok {
		return nil
	}
	sum := fixed(0)
	for k := range n.Inputs {
		in := f.in(n, k)
		if len(in) != len(out) {
			return nil
		}
		for i := range in {
			if i != axis && !out[i].known() {
				out[i] = in[i]
			}
		}
		if s := in[axis]; !s.known() || s.sym != "" || !sum.known() {
			sum = anySize
		} else {
			sum.n += s.n
		}
	}
	out[axis] = sum
	if len(n.Inputs) == 1 {
		out[axis] = f.in(n, 0)[axis]
	}
	return out
}

func split(f *facts, n *Node, i int) []size {
	out := slices.Clone(f.in(n, 0))
	axis, ok := axisOf(n.Int("axis", 0), len(out))
	if !ok {
		return nil
	}
	parts := n.Ints("split")
	if n.Input(1) != "" {
		if parts, ok = f.index.constantInts(n.Input(1)); !ok {
			out[axis] = anySize
			return out
		}
	}
	switch {
	case i < len(parts) && parts[i] >= 0:
		out[axis] = fixed(parts[i])
	default:
		out[axis] = quotient(out[axis:axis+1], []size{fixed(int64(len(n.Outputs)))})
	}
	return out
}

// sliceOf returns a Slice's bounds by axis; ok is false where they are computed.
func (f *facts) sliceOf(n *Node) (starts, ends, axes, steps []int64, ok bool) {
	if n.Attr("starts") != nil {
		starts, ends, axes = n.Ints("starts"), n.Ints("ends"), n.Ints("axes")
		ok = true
	} else {
		known := func(k int) (list []int64) {
			if n.Input(k) == "" {
				return nil
			}
			list, fine := f.index.constantInts(n.Input(k))
			ok = ok && fine
			return list
		}
		ok = true
		starts, ends, axes, steps = known(1), known(2), known(3), known(4)
	}
	for k := range starts {
		if len(axes) <= k {
			axes = append(axes, int64(k))
		}
		if len(steps) <= k {
			steps = append(steps, 1)
		}
	}
	return starts, ends, axes, steps, ok && len(ends) == len(starts)
}

func slice(f *facts, n *Node, _ int) []size {
	in := f.in(n, 0)
	starts, ends, axes, steps, ok := f.sliceOf(n)
	if !ok {
		axes, known := f.index.constantInts(n.Input(3))
		if !known || in == nil {
			return rankOf(in)
		}
		out := slices.Clone(in)
		for _, axis := range axes {
			if k, ok := axisOf(axis, len(in)); ok {
				out[k] = anySize
			}
		}
		return out
	}
	out := slices.Clone(in)
	for i, axis := range axes {
		k, ok := axisOf(axis, len(in))
		if !ok || i >= len(starts) {
			return nil
		}
		out[k] = sliced(in[k], starts[i], ends[i], steps[i])
	}
	return out
}

// sliced is the length of start:end:step of s elements.
func sliced(s size, start, end, step int64) size {
	if start == 0 && end >= math.MaxInt32 && step == 1 {
		return s
	}
	if step == 0 || !s.known() || s.sym != "" {
		return anySize
	}
	_, count := sliceBounds(s.n, start, end, step)
	return fixed(count)
}

// sliceBounds brings a slice of length elements to the first one it takes and their number. step is not 0.
func sliceBounds(length, start, end, step int64) (from, count int64) {
	low, high := int64(0), length
	if step < 0 {
		low, high = -1, length-1
	}
	bound := func(v int64) int64 {
		if v < 0 && v >= -length {
			v += length
		}
		return min(max(v, low), high)
	}
	from, to := bound(start), bound(end)
	if step < 0 {
		if from <= to {
			return from, 0
		}
		return from, (to-from+1)/step + 1
	}
	if from >= to {
		return from, 0
	}
	return from, (to-from-1)/step + 1
}

func gather(f *facts, n *Node, _ int) []size {
	in, at := f.in(n, 0), f.in(n, 1)
	axis, ok := axisOf(n.Int("axis", 0), len(in))
	if !ok || at == nil {
		return nil
	}
	return append(append(append([]size{}, in[:axis]...), at...), in[axis+1:]...) // never nil: a scalar has a known shape
}

func expand(f *facts, n *Node, _ int) []size {
	target, ok := f.contents[n.Input(1)]
	if !ok {
		return nil
	}
	return broadcastSizes(f.in(n, 0), target)
}

func constantOfShape(f *facts, n *Node, _ int) []size { return f.contents[n.Input(0)] }

func tile(f *facts, n *Node, _ int) []size {
	out, times := slices.Clone(f.in(n, 0)), f.contents[n.Input(1)]
	for k := range out {
		if len(times) != len(out) {
			out[k] = anySize
			continue
		}
		out[k] = product([]size{out[k], times[k]})
	}
	return out
}

func pad(f *facts, n *Node, _ int) []size {
	out := slices.Clone(f.in(n, 0))
	pads := fixedSizes(n.Ints("pads"))
	if n.Input(1) != "" {
		pads = f.contents[n.Input(1)]
	}
	if len(pads) != 2*len(out) || n.Input(3) != "" {
		return rankOf(out)
	}
	for k := range out {
		switch before, after := pads[k], pads[len(out)+k]; {
		case before.is(0) && after.is(0):
		case out[k].sym != "" || !out[k].known() || !before.known() || !after.known():
			out[k] = anySize
		default:
			out[k] = fixed(out[k].n + before.n + after.n)
		}
	}
	return out
}

func resize(f *facts, n *Node, _ int) []size {
	out := slices.Clone(f.in(n, 0))
	scales := n.Attr("scales")
	var by []float32
	switch {
	case scales != nil:
		by = scales.Floats
	case n.Is("Upsample"):
		by, _ = f.index.constantFloats(n.Input(1))
	case n.Input(3) != "":
		if to := f.contents[n.Input(3)]; len(to) == len(out) {
			return to
		}
	default:
		by, _ = f.index.constantFloats(n.Input(2))
	}
	for k := range out {
		switch {
		case len(by) != len(out):
			out[k] = anySize
		case by[k] == 1:
		case out[k].known() && out[k].sym == "" && by[k] > 0 && by[k] < 1<<16:
			out[k] = fixed(int64(math.Floor(float64(out[k].n) * float64(by[k]))))
		default:
			out[k] = anySize
		}
	}
	return out
}
