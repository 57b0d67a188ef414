package reference

import (
	"fmt"
	"math"
	"strings"
)

func matMul(c call) ([]*Array, error) {
	a, b := c.in[0], c.in[1]
	if len(a.Shape) < 2 || len(b.Shape) < 2 {
		return nil, fmt.Errorf("vectors are not covered")
	}
	ra, rb := len(a.Shape), len(b.Shape)
	m, k, n := a.Shape[ra-2], a.Shape[ra-1], b.Shape[rb-1]
	batch := broadcast(a.Shape[:ra-2], b.Shape[:rb-2])
	out := zeros(append(append([]int{}, batch...), m, n)...)
	sa := broadcastStrides(&Array{Shape: a.Shape[:ra-2]}, batch)
	sb := broadcastStrides(&Array{Shape: b.Shape[:rb-2]}, batch)
	each(batch, func(i int, index []int) {
		product(out.F[i*m*n:(i+1)*m*n], a.F[offset(index, sa)*m*k:], b.F[offset(index, sb)*k*n:], m, k, n)
	})
	return one(out)
}

// product adds the m×k by k×n product of a and b to out.
func product(out, a, b []float64, m, k, n int) {
	for i := range m {
		row := out[i*n : (i+1)*n]
		for l := range k {
			v := a[i*k+l]
			for j, w := range b[l*n : (l+1)*n] {
				row[j] += v * w
			}
		}
	}
}

func turned(a *Array, yes int64) *Array {
	if yes == 0 {
		return a
	}
	out := zeros(a.Shape[1], a.Shape[0])
	for i := range a.Shape[0] {
		for j := range a.Shape[1] {
			out.F[j*a.Shape[0]+i] = a.F[i*a.Shape[1]+j]
		}
	}
	return out
}

func gemm(c call) ([]*Array, error) {
	a, b := turned(c.in[0], c.Int("transA", 0)), turned(c.in[1], c.Int("transB", 0))
	m, k, n := a.Shape[0], a.Shape[1], b.Shape[1]
	out := zeros(m, n)
	product(out.F, a.F, b.F, m, k, n)
	alpha, beta := float64(c.Float("alpha", 1)), float64(c.Float("beta", 1))
	var bias *Array
	var sb []int
	if c.has(2) {
		bias = c.in[2]
		sb = broadcastStrides(bias, out.Shape)
	}
	each(out.Shape, func(i int, index []int) {
		out.F[i] *= alpha
		if bias != nil {
			out.F[i] += beta * bias.F[offset(index, sb)]
		}
	})
	return one(out)
}

func einsum(c call) ([]*Array, error) {
	left, right, _ := strings.Cut(strings.ReplaceAll(c.Str("equation", ""), " ", ""), "->")
	terms, sizes, order := strings.Split(left, ","), map[rune]int{}, right
	for i, term := range terms {
		for j, r := range term {
			if _, seen := sizes[r]; !seen && !strings.ContainsRune(right, r) {
				order += string(r)
			}
			sizes[r] = c.in[i].Shape[j]
		}
	}
	letters, shape := []rune(order), make([]int, len(order))
	for i, r := range letters {
		shape[i] = sizes[r]
	}
	at := func(term string, shape []int) []int { // strides of a term's letters seen from order
		own, out := strides(shape), make([]int, len(letters))
		for i, r := range letters {
			for j, t := range term {
				if t == r {
					out[i] += own[j]
				}
			}
		}
		return out
	}
	out := zeros(shape[:len(right)]...)
	so, steps := at(right, out.Shape), make([][]int, len(terms))
	for i, term := range terms {
		steps[i] = at(term, c.in[i].Shape)
	}
	each(shape, func(_ int, index []int) {
		v := 1.0
		for i, s := range steps {
			v *= c.in[i].F[offset(index, s)]
		}
		out.F[offset(index, so)] += v
	})
	return one(out)
}

func total(v []float64) float64 {
	var t float64
	for _, x := range v {
		t += x
	}
	return t
}

func extreme(v []float64, f func(a, b float64) float64) float64 {
	m := v[0]
	for _, x := range v[1:] {
		m = f(m, x)
	}
	return m
}

func reduce(f func(v []float64) float64) operator {
	return func(c call) ([]*Array, error) {
		x := c.in[0]
		over := make([]bool, len(x.Shape))
		axes := c.ints("axes", 1)
		for _, a := range axes {
			over[axisOf(a, len(x.Shape))] = true
		}
		var kept, squeezed []int
		for i, n := range x.Shape {
			if len(axes) == 0 {
				over[i] = true
			}
			if over[i] {
				kept = append(kept, 1)
			} else {
				kept, squeezed = append(kept, n), append(squeezed, n)
			}
		}
		out := x.like(kept...)
		s, groups := broadcastStrides(&Array{Shape: kept}, x.Shape), make([][]float64, size(kept))
		each(x.Shape, func(i int, index []int) {
			o := offset(index, s)
			groups[o] = append(groups[o], x.at(i))
		})
		for i, g := range groups {
			out.set(i, f(g))
		}
		if c.Int("keepdims", 1) == 0 {
			out.Shape = squeezed
		}
		return one(out)
	}
}

// lines calls f with each line of elements along an axis: where it starts, and how far apart its elements are.
func lines(shape []int, axis int, f func(start, step int)) {
	step := size(shape[axis+1:])
	for outer := range size(shape[:axis]) {
		for inner := range step {
			f(outer*shape[axis]*step+inner, step)
		}
	}
}

func softmax(logs bool) operator {
	return func(c call) ([]*Array, error) {
		x := c.in[0]
		out := zeros(x.Shape...)
		a := axisOf(int(c.Int("axis", -1)), len(x.Shape))
		lines(x.Shape, a, func(start, step int) {
			most, sum := math.Inf(-1), 0.0
			for i := range x.Shape[a] {
				most = math.Max(most, x.F[start+i*step])
			}
			for i := range x.Shape[a] {
				sum += math.Exp(x.F[start+i*step] - most)
			}
			for i := range x.Shape[a] {
				v := x.F[start+i*step] - most - math.Log(sum)
				if !logs {
					v = math.Exp(v)
				}
				out.F[start+i*step] = v
			}
		})
		return one(out)
	}
}

func layerNorm(c call) ([]*Array, error) {
	x := c.in[0]
	a := axisOf(int(c.Int("axis", -1)), len(x.Shape))
	n, eps := size(x.Shape[a:]), float64(c.Float("epsilon", 1e-5))
	stat := append([]int{}, x.Shape...)
	for i := a; i < len(stat); i++ {
		stat[i] = 1
	}
	out, means, inverses := zeros(x.Shape...), zeros(stat...), zeros(stat...)
	for r := range size(x.Shape[:a]) {
		row, variance := x.F[r*n:(r+1)*n], 0.0
		mean := total(row) / float64(n)
		for _, v := range row {
			variance += (v - mean) * (v - mean) / float64(n)
		}
		means.F[r], inverses.F[r] = mean, 1/math.Sqrt(variance+eps)
		for i, v := range row {
			out.F[r*n+i] = (v - mean) * inverses.F[r] * c.in[1].F[i]
			if c.has(2) {
				out.F[r*n+i] += c.in[2].F[i]
			}
		}
	}
	return []*Array{out, means, inverses}, nil
}

func batchNorm(c call) ([]*Array, error) {
	x := c.in[0]
	out, eps, inner := zeros(x.Shape...), float64(c.Float("epsilon", 1e-5)), size(x.Shape[2:])
	for i, v := range x.F {
		k := i / inner % x.Shape[1]
		out.F[i] = (v-c.in[3].F[k])/math.Sqrt(c.in[4].F[k]+eps)*c.in[1].F[k] + c.in[2].F[k]
	}
	return one(out)
}
