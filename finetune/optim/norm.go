package optim

import "math"

// GlobalNorm returns the Euclidean norm of all gradients taken together.
func GlobalNorm(grads []Gradient) float64 {
	all := spans(grads)
	sums := make([]float64, len(all))
	parallel(all, func(i int, s span) {
		var parts [16]float64
		addSquares(&parts, grads[s.list].Data[s.from:s.to])
		for _, p := range parts {
			sums[i] += p
		}
	})
	var total float64
	for _, s := range sums {
		total += s
	}
	return math.Sqrt(total)
}

// plainSquares adds the square of x[i] to sums[i mod 16].
func plainSquares(sums *[16]float64, x []float32) {
	for i, v := range x {
		sums[i&15] += float64(v) * float64(v)
	}
}

// Clip returns what gradients of a [GlobalNorm] are multiplied by so that it is at most limit, as PyTorch's clip_grad_norm_
// does. A limit of 0 is none.
func Clip(norm, limit float64) float64 {
	if limit > 0 && norm > limit {
		return limit / (norm + 1e-6)
	}
	return 1
}

// Average moves each list of mean towards the parameters' values: mean ← decay·mean + (1−decay)·value, an exponential moving
// average of the weights (Polyak and Juditsky, 1992).
func Average(mean [][]float32, params []Param, decay float64) {
	d := float32(decay)
	parallel(allSpans(params), func(_ int, s span) {
		m, v := mean[s.list][s.from:s.to], params[s.list].Value[s.from:s.to]
		for i := range m {
			m[i] = d*m[i] + (1-d)*v[i]
		}
	})
}
