// Package resample resizes 8-bit RGB pictures to the very bytes that Pillow's Image.resize gives.
//
// Pillow's method (libImaging/Resample.c, up to version 12 at least): every output pixel is a weighted mean of the input pixels under a filter whose
// width grows with the reduction (so nothing is skipped: "antialiased"), first along rows, then along columns. Weights are
// computed in double precision, rounded to fixed point with 22 fractional bits, and the result of each of the two passes is
// rounded and clipped to 8 bits. Nearest is a plain look-up.
package resample

import "math"

// A Filter is one of Pillow's resampling filters; the numbers are Pillow's, and those of "resample" in
// preprocessor_config.json.
type Filter int

const (
	Nearest  Filter = 0
	Lanczos  Filter = 1
	Bilinear Filter = 2
	Bicubic  Filter = 3
	Box      Filter = 4
	Hamming  Filter = 5
)

// kernels are the filters' weights over the distance from the output pixel's centre, in units of the larger of an input
// and an output pixel, and the distance at which they end.
var kernels = [...]struct {
	support float64
	weight  func(x float64) float64
}{
	Nearest:  {0, nil},
	Lanczos:  {3, lanczos},
	Bilinear: {1, triangle},
	Bicubic:  {2, cubic},
	Box:      {0.5, box},
	Hamming:  {1, hamming},
}

func box(x float64) float64 {
	if x > -0.5 && x <= 0.5 {
		return 1
	}
	return 0
}

func triangle(x float64) float64 {
	return max(0, 1-math.Abs(x))
}

// cubic is Keys' kernel with a = -1/2.
func cubic(x float64) float64 {
	const a = -0.5
	switch x = math.Abs(x); {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

func hamming(x float64) float64 {
	// Pillow writes these two in single precision.
	const a, b = float64(float32(0.54)), float64(float32(0.46))
	switch x = math.Abs(x); {
	case x == 0:
		return 1
	case x < 1:
		return sinc(x) * (a + b*math.Cos(x*math.Pi))
	}
	return 0
}

func lanczos(x float64) float64 {
	if x >= -3 && x < 3 {
		return sinc(x) * sinc(x/3)
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}
