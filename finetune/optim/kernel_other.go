//go:build !amd64

package optim

func (u *adamUpdate) apply(w, g, m, v []float32) { u.plain(w, g, m, v) }

func addSquares(sums *[16]float64, x []float32) { plainSquares(sums, x) }

func scale(x []float32, by float32) { plainScale(x, by) }
