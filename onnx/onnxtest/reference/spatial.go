package reference

import "math"

// A window is how a convolution or pooling node moves over two spatial dimensions.
type window struct {
	kernel, strides, dilations [2]int
	pads                       [4]int
	group                      int
}

func (c call) window(kernel []int) window {
	w := window{strides: [2]int{1, 1}, dilations: [2]int{1, 1}, group: int(c.Int("group", 1))}
	read := func(to []int, name string) {
		for i, v := range c.Ints(name) {
			to[i] = int(v)
		}
	}
	copy(w.kernel[:], kernel)
	read(w.kernel[:], "kernel_shape")
	read(w.strides[:], "strides")
	read(w.dilations[:], "dilations")
	read(w.pads[:], "pads")
	return w
}

// fit resolves auto_pad and returns the output's height and width.
func (w *window) fit(c call, in []int) [2]int {
	var out [2]int
	for i := range out {
		reach := (w.kernel[i]-1)*w.dilations[i] + 1
		if mode := c.Str("auto_pad", "NOTSET"); mode == "SAME_UPPER" || mode == "SAME_LOWER" {
			out[i] = (in[i] + w.strides[i] - 1) / w.strides[i]
			total := max((out[i]-1)*w.strides[i]+reach-in[i], 0)
			w.pads[i], w.pads[2+i] = total/2, total-total/2
			if mode == "SAME_LOWER" {
				w.pads[i], w.pads[2+i] = w.pads[2+i], w.pads[i]
			}
			continue
		}
		span := in[i] + w.pads[i] + w.pads[2+i] - reach
		out[i] = span/w.strides[i] + 1
		if c.Int("ceil_mode", 0) != 0 {
			out[i] = (span+w.strides[i]-1)/w.strides[i] + 1
		}
	}
	return out
}

// visit calls f for every kernel position of output y, x that lies inside an in[0]×in[1] input.
func (w *window) visit(y, x int, in []int, f func(tap, iy, ix int)) {
	for i := range w.kernel[0] {
		for j := range w.kernel[1] {
			iy := y*w.strides[0] + i*w.dilations[0] - w.pads[0]
			ix := x*w.strides[1] + j*w.dilations[1] - w.pads[1]
			if iy >= 0 && iy < in[0] && ix >= 0 && ix < in[1] {
				f(i*w.kernel[1]+j, iy, ix)
			}
		}
	}
}

func conv(c call) ([]*Array, error) {
	x, k := c.in[0], c.in[1]
	w := c.window(k.Shape[2:])
	in := x.Shape[2:]
	size := w.fit(c, in)
	outs, per := k.Shape[0], k.Shape[1]
	out := zeros(x.Shape[0], outs, size[0], size[1])
	taps, area := w.kernel[0]*w.kernel[1], in[0]*in[1]
	columns := make([]float64, per*taps*size[0]*size[1])
	for n := range x.Shape[0] {
		for g := range w.group {
			clear(columns)
			for ch := range per {
				plane := x.F[(n*x.Shape[1]+g*per+ch)*area:]
				for y := range size[0] {
					for z := range size[1] {
						w.visit(y, z, in, func(tap, iy, ix int) {
							columns[((ch*taps+tap)*size[0]+y)*size[1]+z] = plane[iy*in[1]+ix]
						})
					}
				}
			}
			rows := outs / w.group
			product(out.F[(n*outs+g*rows)*size[0]*size[1]:], k.F[g*rows*per*taps:], columns, rows, per*taps, size[0]*size[1])
		}
	}
	if c.has(2) {
		for i := range out.F {
			out.F[i] += c.in[2].F[i/(size[0]*size[1])%outs]
		}
	}
	return one(out)
}

func convTranspose(c call) ([]*Array, error) {
	x, k := c.in[0], c.in[1]
	w := c.window(k.Shape[2:])
	var size, extra [2]int
	for i, v := range c.Ints("output_padding") {
		extra[i] = int(v)
	}
	for i := range size {
		size[i] = (x.Shape[2+i]-1)*w.strides[i] + (w.kernel[i]-1)*w.dilations[i] + 1 - w.pads[i] - w.pads[2+i] + extra[i]
	}
	per, rows := k.Shape[1], x.Shape[1]/w.group
	out := zeros(x.Shape[0], per*w.group, size[0], size[1])
	taps := w.kernel[0] * w.kernel[1]
	for i, v := range x.F {
		pos := i % (x.Shape[2] * x.Shape[3])
		n, ch := i/(x.Shape[2]*x.Shape[3])/x.Shape[1], i/(x.Shape[2]*x.Shape[3])%x.Shape[1]
		for o := range per {
			plane := out.F[(n*per*w.group+ch/rows*per+o)*size[0]*size[1]:]
			w.visit(pos/x.Shape[3], pos%x.Shape[3], size[:], func(tap, iy, ix int) {
				plane[iy*size[1]+ix] += v * k.F[(ch*per+o)*taps+tap]
			})
		}
	}
	return one(out)
}

func maxPool(c call) ([]*Array, error) {
	x := c.in[0]
	w := c.window(nil)
	in := x.Shape[2:]
	size := w.fit(c, in)
	out := zeros(x.Shape[0], x.Shape[1], size[0], size[1])
	at := &Array{Shape: out.Shape, I: make([]int64, len(out.F))}
	each(out.Shape, func(i int, index []int) {
		base := (index[0]*x.Shape[1] + index[1]) * in[0] * in[1]
		out.F[i] = math.Inf(-1)
		w.visit(index[2], index[3], in, func(_, iy, ix int) {
			if j := base + iy*in[1] + ix; x.F[j] > out.F[i] {
				out.F[i], at.I[i] = x.F[j], int64(j)
			}
		})
	})
	return []*Array{out, at}, nil
}

func averagePool(c call) ([]*Array, error) {
	x := c.in[0]
	w := c.window(nil)
	in := x.Shape[2:]
	size := w.fit(c, in)
	out := zeros(x.Shape[0], x.Shape[1], size[0], size[1])
	each(out.Shape, func(i int, index []int) {
		base, n := (index[0]*x.Shape[1]+index[1])*in[0]*in[1], 0
		w.visit(index[2], index[3], in, func(_, iy, ix int) { out.F[i] += x.F[base+iy*in[1]+ix]; n++ })
		if c.Int("count_include_pad", 0) != 0 {
			n = w.kernel[0] * w.kernel[1]
		}
		out.F[i] /= float64(n)
	})
	return one(out)
}

func globalAveragePool(c call) ([]*Array, error) {
	x := c.in[0]
	area, shape := size(x.Shape[2:]), append([]int{}, x.Shape...)
	for i := 2; i < len(shape); i++ {
		shape[i] = 1
	}
	out := zeros(shape...)
	for i := range out.F {
		out.F[i] = total(x.F[i*area:(i+1)*area]) / float64(area)
	}
	return one(out)
}
