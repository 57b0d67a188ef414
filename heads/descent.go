package heads

import (
	"cmp"
	"slices"
)

// A descent fits one linear head to one data set for one C after another. Features are standardised once, and each fit
// starts from the one with the nearest smaller C, so that several cost little more than the hardest of them.
type descent struct {
	*linearFit // nil where nothing is to be learned
	scaling    *scaling
	outs       int
	write      func() (w, b []float64) // the fitted columns as W, outs×D, and b, outs
	reads      []reading               // of every column
	start      []float64               // parameters that fits start from where no smaller C was fitted; nil: zeros
	done       []visited               // ascending in C
}

// A reading says which output a fitted column is, less which other; below 0: no other.
type reading struct{ plus, minus int }

// visited is what a fit came to.
type visited struct {
	c      float64
	params []float64
}

// classDescent is the descent of a fit whose columns stand for the present classes.
func classDescent(f *linearFit, s *scaling, classes int, present []int) *descent {
	d := &descent{linearFit: f, scaling: s, outs: classes}
	d.write = func() (w, b []float64) { return f.classLogits(classes, present) }
	if len(present) == 2 {
		d.reads = []reading{{plus: present[1], minus: present[0]}}
		return d
	}
	for _, k := range present {
		d.reads = append(d.reads, reading{plus: k, minus: -1})
	}
	return d
}

// to fits with C, 0 for the default.
func (d *descent) to(c, tol float64, maxIter int) (*affine, Fitted, error) {
	var fit Fitted
	if d.linearFit != nil {
		c = cmp.Or(c, defaultC)
		clear(d.params)
		copy(d.params, d.start)
		at, _ := slices.BinarySearchFunc(d.done, c, func(v visited, c float64) int { return cmp.Compare(v.c, c) })
		if at > 0 {
			copy(d.params, d.done[at-1].params)
		}
		var err error
		if fit, err = d.solve(c, tol, maxIter); err != nil {
			return nil, fit, err
		}
		d.done = slices.Insert(d.done, at, visited{c, slices.Clone(d.params)})
	}
	w, b := d.write()
	return newAffine(d.scaling, w, b), fit, nil
}

// from makes fits start from a fitted head of the same shape.
func (d *descent) from(a *affine) {
	if d.linearFit == nil || a == nil || a.outs != d.outs || a.cols != d.cols {
		return
	}
	m := len(d.reads)
	d.start = make([]float64, len(d.params))
	for k, r := range d.reads {
		d.read(d.start, m, k, a, r.plus, 1)
		if r.minus >= 0 {
			d.read(d.start, m, k, a, r.minus, -1)
		}
	}
}

// read adds sign times an output of a to column k of params.
func (d *descent) read(params []float64, m, k int, a *affine, out int, sign float64) {
	bias := float64(a.bias[out])
	for j, mean := range d.scaling.mean {
		w := float64(a.weight[out*a.cols+j])
		if a.shift != nil {
			mean -= float64(a.shift[j])
		}
		bias += w * mean
		if inv := d.scaling.inv[j]; inv > 0 {
			params[j*m+k] += sign * w / inv
		}
	}
	params[len(params)-m+k] += sign * bias
}
