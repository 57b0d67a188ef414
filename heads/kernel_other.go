//go:build !amd64

package heads

// addProduct adds a (rows×inner) times b (inner×width, rows contiguous and width apart) to c, laid out as b.
func addProduct(c []float32, a view, b []float32, rows, inner, width int) {
	addProductGo(c, a, b, rows, inner, width)
}

func softmaxBlock(z []float32, width int, weight, sum, top []float32) {
	softmaxBlockGo(z, width, weight, sum, top)
}

func logisticBlock(z, target, weight []float32) float64 { return logisticBlockGo(z, target, weight) }
