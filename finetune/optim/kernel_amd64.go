package optim

import "golang.org/x/sys/cpu"

// hasAVX2 is what this processor can do. Both forms give the same bits.
var hasAVX2 = cpu.X86.HasAVX2

// adamwRun is adamUpdate.plain for n numbers, above 0 and a multiple of 8.
//
//go:noescape
func adamwRun(u *adamUpdate, w, grad, m, v *float32, n int)

// squaresRun adds the square of x[i] to sums[i mod 16], for n numbers, above 0 and a multiple of 16.
//
//go:noescape
func squaresRun(sums *[16]float64, x *float32, n int)

// scaleRun multiplies n numbers, above 0 and a multiple of 8.
//
//go:noescape
func scaleRun(x *float32, by float32, n int)

func (u *adamUpdate) apply(w, g, m, v []float32) {
	done := 0
	if n := len(w) &^ 7; hasAVX2 && n > 0 {
		adamwRun(u, &w[0], &g[:n][0], &m[:n][0], &v[:n][0], n)
		done = n
	}
	u.plain(w[done:], g[done:], m[done:], v[done:])
}

func addSquares(sums *[16]float64, x []float32) {
	done := 0
	if n := len(x) &^ 15; hasAVX2 && n > 0 {
		squaresRun(sums, &x[0], n)
		done = n
	}
	plainSquares(sums, x[done:])
}

func scale(x []float32, by float32) {
	done := 0
	if n := len(x) &^ 7; hasAVX2 && n > 0 {
		scaleRun(&x[0], by, n)
		done = n
	}
	plainScale(x[done:], by)
}
