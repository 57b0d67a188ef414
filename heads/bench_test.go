package heads

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// shapes are N×D×K of sst2, banking77 on MiniLM, CIFAR-10 on a 512-wide and Oxford pets on a 2048-wide backbone.
var shapes = []struct{ n, d, k int }{{7000, 384, 2}, {10000, 384, 77}, {50000, 512, 10}, {3700, 2048, 37}}

// features draws data as backbones give it: the spectrum of the covariance falls as a power of the rank (−0.7 for the
// deviation), in directions mixed by random reflections, and class means differ along all of them.
func features(n, d, k int) (Matrix, Targets) {
	r := rand.New(rand.NewPCG(uint64(n), uint64(d+k)))
	deviation := make([]float64, d)
	for j := range deviation {
		deviation[j] = math.Pow(float64(j+1), -0.7)
	}
	normal := func() []float64 {
		v := make([]float64, d)
		for j := range v {
			v[j] = deviation[j] * r.NormFloat64()
		}
		return v
	}
	means := make([][]float64, k)
	for c := range means {
		means[c] = normal()
		for j := range means[c] {
			means[c][j] *= 4 / math.Sqrt(float64(d))
		}
	}
	mirrors := make([][]float64, 8)
	for i := range mirrors {
		mirrors[i] = make([]float64, d)
		for j := range mirrors[i] {
			mirrors[i][j] = r.NormFloat64()
		}
	}
	x, y := NewMatrix(n, d), Targets{Class: make([]int, n), Classes: k}
	for i := range n {
		v := normal()
		y.Class[i] = r.IntN(k)
		for j, m := range means[y.Class[i]] {
			v[j] += m
		}
		for _, m := range mirrors {
			reflect(v, m)
		}
		for j, f := range v {
			x.Row(i)[j] = float32(f)
		}
	}
	return x, y
}

// reflect mirrors v in the plane that m stands on (Householder).
func reflect(v, m []float64) {
	var vm, mm float64
	for j := range v {
		vm += v[j] * m[j]
		mm += m[j] * m[j]
	}
	for j := range v {
		v[j] -= 2 * vm / mm * m[j]
	}
}

// BenchmarkPass is one computation of value and gradient.
func BenchmarkPass(b *testing.B) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("%dx%dx%d", s.n, s.d, s.k), func(b *testing.B) {
			x, y := features(s.n, s.d, s.k)
			z, _, err := standardize(b.Context(), x, nil, copyBytes)
			if err != nil {
				b.Fatal(err)
			}
			w, err := ClassWeight{}.rowWeights(y)
			if err != nil {
				b.Fatal(err)
			}
			p, _, err := newSoftmax(b.Context(), z, s.d, y, w, 0)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, err := p.objective.eval(p.params); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(4e-9*float64(s.n)*float64(s.d)*float64(p.objective.loss.columns())*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
		})
	}
}

// BenchmarkLogistic fits with the default options, from raw features to a head.
func BenchmarkLogistic(b *testing.B) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("%dx%dx%d", s.n, s.d, s.k), func(b *testing.B) {
			x, y := features(s.n, s.d, s.k)
			var h Logistic
			for b.Loop() {
				if err := h.Fit(b.Context(), x, y); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(h.stats.Evaluations), "passes")
			b.ReportMetric(h.stats.Objective, "objective")
		})
	}
}

// BenchmarkPath fits eight C's one after another, as a choice of C does.
func BenchmarkPath(b *testing.B) {
	for _, s := range shapes {
		b.Run(fmt.Sprintf("%dx%dx%d", s.n, s.d, s.k), func(b *testing.B) {
			x, y := features(s.n, s.d, s.k)
			passes := 0
			for b.Loop() {
				p, err := NewPath(b.Context(), KindLogistic, x, y, Options{Tol: 1e-3})
				if err != nil {
					b.Fatal(err)
				}
				passes = 0
				for _, c := range []float64{1e-6, 1e-4, 1e-2, 1e-1, 0.316, 0.0316, 0.0562, 0.178} {
					h, err := p.Fit(c)
					if err != nil {
						b.Fatal(err)
					}
					passes += h.(*Logistic).stats.Evaluations
				}
			}
			b.ReportMetric(float64(passes), "passes")
		})
	}
}
