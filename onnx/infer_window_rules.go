package onnx

import "slices"

// This file has the rules of operators that slide a window over an image: convolutions and pools.

// conv has its image at input x and its kernel, M×C×kH×kW, at input w.
func conv(x, w int) sizeRule {
	return func(f *facts, n *Node, _ int) []size {
		in, kernel := f.in(n, x), f.in(n, w)
		out := unknown(max(len(in), len(kernel)))
		if len(out) < 3 {
			return nil
		}
		if len(in) > 0 {
			out[0] = in[0]
		}
		if len(kernel) > 0 {
			out[1] = kernel[0]
		}
		if len(in) == len(kernel) {
			copy(out[2:], windows(n, in[2:], kernel[2:]))
		}
		return out
	}
}

func pool(f *facts, n *Node, _ int) []size {
	in, kernel := f.in(n, 0), fixedSizes(n.Ints("kernel_shape"))
	if len(in) != len(kernel)+2 {
		return rankOf(in)
	}
	return append(slices.Clone(in[:2]), windows(n, in[2:], kernel)...)
}

func convTranspose(f *facts, n *Node, _ int) []size {
	in, kernel := f.in(n, 0), f.in(n, 1)
	if len(in) < 3 || len(kernel) < 2 {
		return rankOf(in)
	}
	out := unknown(len(in))
	out[0], out[1] = in[0], product([]size{kernel[1], fixed(n.Int("group", 1))})
	return out
}

// windows returns the size of an image of size in after a window has moved over it, by each axis:
// ⌊(in + pads − dilation·(kernel−1) − 1) / stride⌋ + 1, rounded up where ceil_mode is set.
func windows(n *Node, in, kernel []size) []size {
	pads, strides, dilations := n.Ints("pads"), n.Ints("strides"), n.Ints("dilations")
	auto := n.Str("auto_pad", "NOTSET")
	at := func(list []int64, k int, def int64) int64 {
		if k < len(list) && list[k] >= 0 && list[k] < maxSize {
			return list[k]
		}
		return def
	}
	out := unknown(len(in))
	for k := range in {
		if in[k].sym != "" || kernel[k].sym != "" || !in[k].known() || !kernel[k].known() {
			continue
		}
		stride := max(1, at(strides, k, 1))
		switch auto {
		case "SAME_UPPER", "SAME_LOWER":
			out[k] = fixed((in[k].n + stride - 1) / stride)
			continue
		case "VALID":
			pads = nil
		}
		dilation := at(dilations, k, 1)
		if dilation > 0 && kernel[k].n > maxSize/dilation {
			continue
		}
		span := in[k].n + at(pads, k, 0) + at(pads, len(in)+k, 0) - dilation*(kernel[k].n-1) - 1
		if span < 0 {
			continue
		}
		steps := span / stride
		if n.Int("ceil_mode", 0) != 0 && span%stride != 0 && (steps+1)*stride < in[k].n+at(pads, k, 0) {
			steps++
		}
		out[k] = fixed(steps + 1)
	}
	return out
}
