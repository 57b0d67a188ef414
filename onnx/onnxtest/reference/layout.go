package reference

import (
	"fmt"
	"math"
	"slices"

	"github.com/onnx-graft/graft/onnx"
)

// as is a with another shape over the same elements.
func (a *Array) as(shape ...int) *Array { return &Array{Shape: shape, F: a.F, I: a.I} }

func reshape(c call) ([]*Array, error) {
	x := c.in[0]
	shape, open, rest := c.ints("shape", 1), -1, 1
	for i, n := range shape {
		if n == 0 && c.Int("allowzero", 0) == 0 {
			shape[i] = x.Shape[i]
		}
		if n == -1 {
			open = i
		} else {
			rest *= shape[i]
		}
	}
	if open >= 0 && rest > 0 {
		shape[open] = size(x.Shape) / rest
	}
	if size(shape) != size(x.Shape) {
		return nil, fmt.Errorf("shape %v does not fit %v", shape, x.Shape)
	}
	return one(x.as(shape...))
}

func flatten(c call) ([]*Array, error) {
	x := c.in[0]
	a := axisOf(int(c.Int("axis", 1)), len(x.Shape))
	return one(x.as(size(x.Shape[:a]), size(x.Shape[a:])))
}

func squeeze(c call) ([]*Array, error) {
	x, drop := c.in[0], map[int]bool{}
	axes := c.ints("axes", 1)
	for _, a := range axes {
		drop[axisOf(a, len(x.Shape))] = true
	}
	shape := []int{}
	for i, n := range x.Shape {
		if !drop[i] && (len(axes) > 0 || n != 1) {
			shape = append(shape, n)
		}
	}
	return one(x.as(shape...))
}

func unsqueeze(c call) ([]*Array, error) {
	x, axes := c.in[0], c.ints("axes", 1)
	rank := len(x.Shape) + len(axes)
	for i := range axes {
		axes[i] = axisOf(axes[i], rank)
	}
	shape, next := make([]int, rank), 0
	for i := range shape {
		if slices.Contains(axes, i) {
			shape[i] = 1
		} else {
			shape[i] = x.Shape[next]
			next++
		}
	}
	return one(x.as(shape...))
}

func transpose(c call) ([]*Array, error) {
	x, perm := c.in[0], c.ints("perm", 1)
	if len(perm) == 0 {
		for i := range x.Shape {
			perm = append(perm, len(x.Shape)-1-i)
		}
	}
	own, shape, s := strides(x.Shape), make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		shape[i], s[i] = x.Shape[p], own[p]
	}
	out := x.like(shape...)
	each(shape, func(i int, index []int) { out.copyFrom(i, x, offset(index, s)) })
	return one(out)
}

func expand(c call) ([]*Array, error) {
	x := c.in[0]
	out := x.like(broadcast(x.Shape, c.ints("shape", 1))...)
	s := broadcastStrides(x, out.Shape)
	each(out.Shape, func(i int, index []int) { out.copyFrom(i, x, offset(index, s)) })
	return one(out)
}

// place copies src into dst, moved by from along each axis; what falls outside is left out.
func place(dst, src *Array, from []int) {
	s := strides(dst.Shape)
	each(src.Shape, func(i int, index []int) {
		o := 0
		for a, x := range index {
			if x += from[a]; x < 0 || x >= dst.Shape[a] {
				return
			} else {
				o += x * s[a]
			}
		}
		dst.copyFrom(o, src, i)
	})
}

func concat(c call) ([]*Array, error) {
	shape := append([]int{}, c.in[0].Shape...)
	a := axisOf(int(c.Int("axis", 0)), len(shape))
	shape[a] = 0
	for _, x := range c.in {
		shape[a] += x.Shape[a]
	}
	out, from := c.in[0].like(shape...), make([]int, len(shape))
	for _, x := range c.in {
		place(out, x, from)
		from[a] += x.Shape[a]
	}
	return one(out)
}

func split(c call) ([]*Array, error) {
	x := c.in[0]
	a := axisOf(int(c.Int("axis", 0)), len(x.Shape))
	sizes := c.ints("split", 1)
	if len(sizes) == 0 {
		n := (x.Shape[a] + len(c.Outputs) - 1) / len(c.Outputs)
		for left := x.Shape[a]; left > 0; left -= n {
			sizes = append(sizes, min(n, left))
		}
	}
	var outs []*Array
	from := make([]int, len(x.Shape))
	for _, n := range sizes {
		shape := append([]int{}, x.Shape...)
		shape[a] = n
		part := x.like(shape...)
		place(part, x, from)
		outs = append(outs, part)
		from[a] -= n
	}
	return outs, nil
}

func slice(c call) ([]*Array, error) {
	x := c.in[0]
	starts, ends, axes, steps := c.ints("starts", 1), c.ints("ends", 2), c.ints("axes", 3), c.ints("steps", 4)
	shape, begin, step := append([]int{}, x.Shape...), make([]int, len(x.Shape)), make([]int, len(x.Shape))
	for i := range step {
		step[i] = 1
	}
	for i := range starts {
		a := i
		if len(axes) > 0 {
			a = axisOf(axes[i], len(x.Shape))
		}
		n := x.Shape[a]
		if len(steps) > 0 {
			step[a] = steps[i]
		}
		low, high := 0, n
		if step[a] < 0 {
			low, high = -1, n-1
		}
		bound := func(v int) int {
			if v < 0 {
				v += n
			}
			return min(max(v, low), high)
		}
		begin[a] = bound(starts[i])
		shape[a] = max(0, (bound(ends[i])-begin[a]+step[a]-sgn(step[a]))/step[a])
	}
	out, s := x.like(shape...), strides(x.Shape)
	each(shape, func(i int, index []int) {
		o := 0
		for a, v := range index {
			o += (begin[a] + v*step[a]) * s[a]
		}
		out.copyFrom(i, x, o)
	})
	return one(out)
}

func sgn(v int) int {
	if v < 0 {
		return -1
	}
	return 1
}

func pad(c call) ([]*Array, error) {
	x, pads := c.in[0], c.ints("pads", 1)
	if mode := c.Str("mode", "constant"); mode != "constant" {
		return nil, fmt.Errorf("mode %s is not covered", mode)
	}
	rank := len(x.Shape)
	if axes := c.ints("-", 3); len(axes) > 0 {
		all := make([]int, 2*rank)
		for i, a := range axes {
			all[axisOf(a, rank)], all[rank+axisOf(a, rank)] = pads[i], pads[len(axes)+i]
		}
		pads = all
	}
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = x.Shape[i] + pads[i] + pads[rank+i]
	}
	out := x.like(shape...)
	if c.has(2) {
		for i := range size(shape) {
			out.set(i, c.in[2].at(0))
		}
	}
	place(out, x, pads[:rank])
	return one(out)
}

// integers returns a vector of integers.
func integers(v ...int) *Array {
	a := &Array{Shape: []int{len(v)}, I: make([]int64, len(v))}
	for i, x := range v {
		a.I[i] = int64(x)
	}
	return a
}

func shapeOp(c call) ([]*Array, error) {
	shape := c.in[0].Shape
	start, end := axisOf(int(c.Int("start", 0)), len(shape)), axisOf(int(c.Int("end", int64(len(shape)))), len(shape))
	return one(integers(shape[start:end]...))
}

func sizeOp(c call) ([]*Array, error) { return one(integers(size(c.in[0].Shape)).as()) }

func gather(c call) ([]*Array, error) {
	x, at := c.in[0], c.in[1]
	a := axisOf(int(c.Int("axis", 0)), len(x.Shape))
	shape := slices.Concat(x.Shape[:a], at.Shape, x.Shape[a+1:])
	out, inner, picks := x.like(shape...), size(x.Shape[a+1:]), size(at.Shape)
	for i := range size(shape) {
		outer, p, in := i/inner/picks, i/inner%picks, i%inner
		out.copyFrom(i, x, (outer*x.Shape[a]+axisOf(int(at.I[p]), x.Shape[a]))*inner+in)
	}
	return one(out)
}

func gatherElements(c call) ([]*Array, error) {
	x, at := c.in[0], c.in[1]
	a := axisOf(int(c.Int("axis", 0)), len(x.Shape))
	out, s := x.like(at.Shape...), strides(x.Shape)
	each(at.Shape, func(i int, index []int) {
		out.copyFrom(i, x, offset(index, s)+(axisOf(int(at.I[i]), x.Shape[a])-index[a])*s[a])
	})
	return one(out)
}

func scatterElements(c call) ([]*Array, error) {
	x, at, updates := c.in[0], c.in[1], c.in[2]
	a := axisOf(int(c.Int("axis", 0)), len(x.Shape))
	out, s, add := x.like(x.Shape...), strides(x.Shape), c.Str("reduction", "none") == "add"
	for i := range size(x.Shape) {
		out.copyFrom(i, x, i)
	}
	each(at.Shape, func(i int, index []int) {
		o := offset(index, s) + (axisOf(int(at.I[i]), x.Shape[a])-index[a])*s[a]
		if add {
			out.set(o, out.at(o)+updates.at(i))
		} else {
			out.copyFrom(o, updates, i)
		}
	})
	return one(out)
}

func oneHot(c call) ([]*Array, error) {
	at, depth, values := c.in[0], int(c.in[1].at(0)), c.in[2]
	if c.Int("axis", -1) != -1 {
		return nil, fmt.Errorf("only the last axis is covered")
	}
	out := values.like(append(append([]int{}, at.Shape...), depth)...)
	for i := range size(out.Shape) {
		out.copyFrom(i, values, int(truth(axisOf(int(at.at(i/depth)), depth) == i%depth)))
	}
	return one(out)
}

func constant(c call) ([]*Array, error) {
	for _, a := range c.Attributes {
		switch a.Type {
		case onnx.AttrTensor:
			v, err := FromTensor(a.Tensor)
			return []*Array{v}, err
		case onnx.AttrInt:
			return one(&Array{Shape: []int{}, I: []int64{a.Int}})
		case onnx.AttrInts:
			return one(&Array{Shape: []int{len(a.Ints)}, I: a.Ints})
		case onnx.AttrFloat:
			return one(&Array{Shape: []int{}, F: []float64{float64(a.Float)}})
		}
	}
	return nil, fmt.Errorf("its value is of a kind that is not covered")
}

func constantOfShape(c call) ([]*Array, error) {
	value := zeros(1)
	if a := c.Attr("value"); a != nil {
		v, err := FromTensor(a.Tensor)
		if err != nil {
			return nil, err
		}
		value = v
	}
	out := value.like(c.ints("-", 0)...)
	for i := range size(out.Shape) {
		out.copyFrom(i, value, 0)
	}
	return one(out)
}

func rangeOp(c call) ([]*Array, error) {
	start, limit, step := c.in[0].at(0), c.in[1].at(0), c.in[2].at(0)
	out := c.in[0].like(max(0, int(math.Ceil((limit-start)/step))))
	for i := range size(out.Shape) {
		out.set(i, start+float64(i)*step)
	}
	return one(out)
}

func trilu(c call) ([]*Array, error) {
	x, k := c.in[0], 0
	if c.has(1) {
		k = int(c.in[1].I[0])
	}
	out, upper, rank := x.like(x.Shape...), c.Int("upper", 1) != 0, len(x.Shape)
	each(x.Shape, func(i int, index []int) {
		d := index[rank-1] - index[rank-2]
		if upper && d >= k || !upper && d <= k {
			out.copyFrom(i, x, i)
		}
	})
	return one(out)
}
