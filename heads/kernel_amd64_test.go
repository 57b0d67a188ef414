package heads

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// forms runs do with the AVX-512 kernels, the AVX2 kernels and plain Go, as far as this processor has them.
func forms(t *testing.T, do func(t *testing.T) []float32) map[string][]float32 {
	t.Helper()
	avx2, avx512 := hasAVX2, hasAVX512
	defer func() { hasAVX2, hasAVX512 = avx2, avx512 }()
	out := map[string][]float32{}
	if avx512 {
		out["AVX-512"] = do(t)
	}
	if hasAVX512 = false; avx2 {
		out["AVX2"] = do(t)
	}
	hasAVX2 = false
	out["Go"] = do(t)
	return out
}

func compareForms(t *testing.T, what string, out map[string][]float32, tolerance float64) {
	t.Helper()
	if a, b := out["AVX-512"], out["AVX2"]; a != nil && !slices.Equal(a, b) {
		t.Errorf("%s: AVX-512 and AVX2 give different bits", what)
	}
	for name, got := range out {
		for i, v := range out["Go"] {
			if d := math.Abs(float64(got[i] - v)); !(d <= tolerance*max(1, math.Abs(float64(v)))) {
				t.Errorf("%s: %s: number %d is %v, in Go %v", what, name, i, got[i], v)
				return
			}
		}
	}
}

func TestProductKernelsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ rows, inner, width int }{
		{1, 16, 1}, {7, 32, 1}, {8, 16, 1}, {29, 48, 1}, // rows · one vector
		{1, 1, 16}, {3, 5, 16}, {8, 7, 16}, {13, 9, 32}, {21, 33, 48}, {11, 4, 64}, {26, 17, 80}, {8, 8, 112},
	} {
		x, b, start := normals(r, c.rows*c.inner), normals(r, c.inner*c.width), normals(r, c.rows*c.width)
		compareForms(t, "X·W", forms(t, func(*testing.T) []float32 {
			out := slices.Clone(start)
			addProduct(out, view{x, c.inner, 1}, b, c.rows, c.inner, c.width)
			return out
		}), 1e-5)
		// the same numbers as a block whose transpose is multiplied: inner becomes the number of sums
		resid, sums := normals(r, c.rows*c.width), normals(r, c.inner*c.width)
		compareForms(t, "Xᵀ·R", forms(t, func(*testing.T) []float32 {
			out := slices.Clone(sums)
			addProduct(out, view{x, 1, c.inner}, resid, c.inner, c.rows, c.width)
			return out
		}), 1e-5)
	}
}

func TestSoftmaxKernelsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, m := range []int{3, 16, 17, 77} {
		const rows = 9
		width := padded(m)
		start, weight := normals(r, rows*width), []float32{1, 2, 0, 0.5, 1, 1, 3, 1, 1}
		for i := range start {
			start[i] *= float32(math.Pow(10, float64(i%4-1))) // some of them far apart
			if i%width >= m {
				start[i] = padLogit
			}
		}
		compareForms(t, "softmax", forms(t, func(*testing.T) []float32 {
			z, sum, top := slices.Clone(start), make([]float32, rows), make([]float32, rows)
			softmaxBlock(z, width, weight, sum, top)
			return slices.Concat(z, sum, top)
		}), 1e-6)
	}
}

func TestLogisticKernelsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 61
	start, target, weight := normals(r, n), make([]float32, n), make([]float32, n)
	for i := range start {
		start[i] *= float32(math.Pow(10, float64(i%5-2)))
		target[i], weight[i] = float32(i%3)/2, float32(1+i%2)
	}
	compareForms(t, "sigmoid", forms(t, func(*testing.T) []float32 {
		z := slices.Clone(start)
		loss := logisticBlock(z, target, weight)
		return append(z, float32(loss))
	}), 1e-6)
}
