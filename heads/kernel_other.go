//go:build !amd64

package heads

// addBlock is addProduct for c and b whose rows are ldc and ldb apart.
func addBlock(c []float32, ldc int, a view, b []float32, ldb, rows, inner, width int) {
	addBlockGo(c, ldc, a, b, ldb, rows, inner, width)
}

// widen adds from to to.
func widen(to []float64, from []float32) { widenGo(to, from) }

func softmaxBlock(z []float32, width int, weight, sum, top []float32) {
	softmaxBlockGo(z, width, weight, sum, top)
}

func logisticBlock(z, target, weight []float32) float64 { return logisticBlockGo(z, target, weight) }

// addMoments adds w·(x − shift) to sum and w·(x − shift)² to square.
func addMoments(sum, square, shift []float64, x []float32, w float64) {
	addMomentsGo(sum, square, shift, x, w)
}

// scaleTo sets to to (x − mean)·inv.
func scaleTo(to, x []float32, mean, inv []float64) { scaleToGo(to, x, mean, inv) }
