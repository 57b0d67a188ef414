package onnx

import (
	"math"
	"slices"
)

// contentRules follow the elements of tensors that hold shapes, from Shape to Reshape.
var contentRules = map[string]func(f *facts, n *Node) []size{
	"Shape":     shapeContent,
	"Identity":  contentOfInput,
	"Cast":      contentOfInput,
	"Unsqueeze": contentOfInput,
	"Squeeze":   contentOfInput,
	"Reshape":   contentOfInput,
	"Flatten":   contentOfInput,
	"Concat": func(f *facts, n *Node) []size {
		if len(f.sizes[n.Output(0)]) > 1 {
			return nil
		}
		all := []size{}
		for _, name := range n.Inputs {
			c, ok := f.contents[name]
			if s := f.sizes[name]; !ok && len(s) == 1 && s[0].known() && s[0].sym == "" && s[0].n <= 8 {
				c, ok = unknown(int(s[0].n)), true
			}
			if !ok {
				return nil
			}
			all = append(all, c...)
		}
		return all
	},
	"Gather": func(f *facts, n *Node) []size {
		c, ok := f.contents[n.Input(0)]
		at, known := f.index.constantInts(n.Input(1))
		if !ok || !known || len(at) > longestContent || n.Int("axis", 0) != 0 || len(f.in(n, 0)) != 1 {
			return nil
		}
		picked := []size{}
		for _, i := range at {
			k, ok := axisOf(i, len(c))
			if !ok {
				return nil
			}
			picked = append(picked, c[k])
		}
		return picked
	},
	"Slice":     sliceContent,
	"Transpose": transposeContent,
	"ConstantOfShape": func(f *facts, n *Node) []size {
		count := product(f.sizes[n.Output(0)])
		if f.sizes[n.Output(0)] == nil || count.sym != "" || !count.known() || count.n > longestContent {
			return nil
		}
		a := n.Attr("value")
		if a == nil || a.Tensor == nil {
			return nil // zeros of float32
		}
		fill := integers(a.Tensor)
		if len(fill) != 1 {
			return nil
		}
		return slices.Repeat(fixedSizes(fill), int(count.n))
	},
	"Mul": func(f *facts, n *Node) []size {
		a, b := f.contents[n.Input(0)], f.contents[n.Input(1)]
		if len(a) != 1 || len(b) != 1 {
			return nil
		}
		return []size{product([]size{a[0], b[0]})}
	},
	"Div": func(f *facts, n *Node) []size {
		a, b := f.contents[n.Input(0)], f.contents[n.Input(1)]
		if len(a) != 1 || len(b) != 1 {
			return nil
		}
		return []size{quotient(a, b)}
	},
}

func shapeContent(f *facts, n *Node) []size {
	in := f.in(n, 0)
	start, end := n.Int("start", 0), n.Int("end", math.MaxInt64)
	from, to := boundIn(start, len(in)), boundIn(end, len(in))
	if in == nil || from > to {
		return nil
	}
	return in[from:to]
}

func contentOfInput(f *facts, n *Node) []size { return f.contents[n.Input(0)] }

// boundIn brings a slice bound into 0…length.
func boundIn(v int64, length int) int64 {
	if v < 0 {
		v += int64(length)
	}
	return min(max(v, 0), int64(length))
}

// grid returns the dimensions of a tensor whose contents are known, nil where they do not fit.
func (f *facts) grid(tensor string) []int64 {
	var dims []int64
	for _, s := range f.sizes[tensor] {
		if s.sym != "" || !s.known() {
			return nil
		}
		dims = append(dims, s.n)
	}
	if count := len(f.contents[tensor]); count == 0 || !product(f.sizes[tensor]).is(int64(count)) {
		return nil
	}
	return dims
}

// pickContent returns elements of a grid: along the axes in the order perm, those at the places given for each axis.
func pickContent(c []size, dims []int64, perm []int, places [][]int64) []size {
	strides := make([]int64, len(dims))
	for k, step := len(dims)-1, int64(1); k >= 0; k-- {
		strides[k], step = step, step*dims[k]
	}
	offsets := []int64{0}
	for _, axis := range perm {
		var next []int64
		for _, o := range offsets {
			for _, p := range places[axis] {
				next = append(next, o+p*strides[axis])
			}
		}
		offsets = next
	}
	out := make([]size, len(offsets))
	for i, o := range offsets {
		out[i] = c[o]
	}
	return out
}

// wholeGrid has every place of every axis, the axes in order.
func wholeGrid(dims []int64) (perm []int, places [][]int64) {
	for axis, d := range dims {
		list := make([]int64, d)
		for i := range list {
			list[i] = int64(i)
		}
		perm, places = append(perm, axis), append(places, list)
	}
	return perm, places
}

func sliceContent(f *facts, n *Node) []size {
	dims := f.grid(n.Input(0))
	starts, ends, axes, steps, ok := f.sliceOf(n)
	if dims == nil || !ok {
		return nil
	}
	perm, places := wholeGrid(dims)
	for i := range starts {
		axis, ok := axisOf(axes[i], len(dims))
		if !ok || steps[i] == 0 {
			return nil
		}
		from, count := sliceBounds(dims[axis], starts[i], ends[i], steps[i])
		places[axis] = nil
		for k := range count {
			places[axis] = append(places[axis], from+k*steps[i])
		}
	}
	return pickContent(f.contents[n.Input(0)], dims, perm, places)
}

func transposeContent(f *facts, n *Node) []size {
	dims := f.grid(n.Input(0))
	perm, places := wholeGrid(dims)
	slices.Reverse(perm)
	if given := n.Ints("perm"); len(given) == len(dims) {
		for i, p := range given {
			axis, ok := axisOf(p, len(dims))
			if !ok {
				return nil
			}
			perm[i] = axis
		}
	}
	if dims == nil {
		return nil
	}
	return pickContent(f.contents[n.Input(0)], dims, perm, places)
}
