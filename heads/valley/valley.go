// Package valley finds the lowest point of a function of one number.
package valley

// Lowest returns where f, which has one valley between lo and hi, is lowest, to within tolerance: golden-section search
// (Kiefer 1953).
func Lowest(f func(float64) float64, lo, hi, tolerance float64) float64 {
	const ratio = 0.6180339887498949
	a, b := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
	fa, fb := f(a), f(b)
	for hi-lo > tolerance {
		if fa <= fb {
			hi, b, fb = b, a, fa
			a = hi - ratio*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + ratio*(hi-lo)
			fb = f(b)
		}
	}
	return (lo + hi) / 2
}
