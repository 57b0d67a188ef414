package resample

import (
	"math"
	"slices"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// precision is the number of fractional bits of a weight: 8 bits are the pixel's, 2 leave room for overshoot.
const precision = 32 - 8 - 2

// An axis holds, for the output positions from…to of a resize of in pixels to out, which input pixels each one is made of
// and their weights.
type axis struct {
	in, out, from, to int
	filter            Filter

	first []int32 // the first input pixel of each output position
	count []int32 // how many there are
	fixed []int32 // their weights, taps for each output position
	taps  int
	even  bool // every count is taps: see level

	weight []float64
}

// plan fills a, unless it is filled so already.
func (a *axis) plan(in, out, from, to int, f Filter) {
	if a.in == in && a.out == out && a.from == from && a.to == to && a.filter == f {
		return
	}
	a.in, a.out, a.from, a.to, a.filter = in, out, from, to, f
	a.even = false
	a.first = raster.Grow(a.first, to-from)
	a.count = raster.Grow(a.count, to-from)
	if f == Nearest {
		a.planNearest()
		return
	}
	scale, stretch, support := reach(in, out, f)
	a.taps = int(math.Ceil(support))*2 + 1
	a.fixed = raster.Grow(a.fixed, (to-from)*a.taps)
	a.weight = raster.Grow(a.weight, a.taps)
	for i := range to - from {
		centre := (float64(from+i) + 0.5) * scale
		lo, hi := span(centre, support, in)
		a.first[i], a.count[i] = int32(lo), int32(hi-lo)
		a.weigh(a.fixed[i*a.taps:(i+1)*a.taps], lo, hi, centre, stretch)
	}
}

// level gives all positions as many weights as the one with the most, by zeros, so that a row is mixed without a branch
// for each pixel. No position reaches outside the pixels the others need.
func (a *axis) level() {
	n := len(a.first)
	if a.even || a.filter == Nearest {
		return
	}
	most := slices.Max(a.count)
	end := a.first[n-1] + a.count[n-1]
	if end-a.first[0] < most {
		return
	}
	for i, lo := range a.first {
		shift := max(0, lo+most-end)
		to, from := a.fixed[i*int(most):][:most], a.fixed[i*a.taps:][:a.count[i]]
		copy(to[shift:], from) // to the left of where they stood, or in place
		clear(to[:shift])
		clear(to[shift+int32(len(from)):])
		a.first[i], a.count[i] = lo-shift, most
	}
	a.taps, a.even = int(most), true
}

// weigh writes the weights of input pixels lo…hi for an output pixel whose centre lies at centre.
func (a *axis) weigh(fixed []int32, lo, hi int, centre, stretch float64) {
	kernel := kernels[a.filter].weight
	w := a.weight[:hi-lo]
	sum := 0.0
	for i := range w {
		w[i] = kernel((float64(lo+i) - centre + 0.5) * (1 / stretch))
		sum += w[i]
	}
	for i, v := range w {
		if sum != 0 {
			v /= sum
		}
		fixed[i] = int32(math.Copysign(0.5, v) + v*(1<<precision))
	}
}

// planNearest follows Pillow's affine look-up, which adds up the step rather than multiplying it.
func (a *axis) planNearest() {
	step := float64(a.in) / float64(a.out)
	at := step * 0.5
	for x := range a.to {
		if x >= a.from {
			a.first[x-a.from], a.count[x-a.from] = int32(min(int(at), a.in-1)), 1
		}
		at += step
	}
}

// reach returns the size of an output pixel in input pixels, that size or 1 where it is less, and how far the filter
// reaches from an output pixel's centre.
func reach(in, out int, f Filter) (scale, stretch, support float64) {
	scale = float64(in) / float64(out)
	stretch = max(scale, 1)
	return scale, stretch, kernels[f].support * stretch
}

func span(centre, support float64, in int) (lo, hi int) {
	return max(int(centre-support+0.5), 0), min(int(centre+support+0.5), in)
}

// Span returns which of in pixels, lo up to hi, the output positions from…to of a resize to out pixels are made of.
func Span(in, out, from, to int, f Filter) (lo, hi int) {
	if in == out {
		return from, to
	}
	if f == Nearest {
		// The look-up adds up rounding errors: take one pixel more on both sides.
		step := float64(in) / float64(out)
		return max(int(step*(float64(from)+0.5))-1, 0), min(int(step*(float64(to)-0.5))+2, in)
	}
	scale, _, support := reach(in, out, f)
	lo, _ = span((float64(from)+0.5)*scale, support, in)
	_, hi = span((float64(to)-0.5)*scale, support, in)
	return lo, hi
}
