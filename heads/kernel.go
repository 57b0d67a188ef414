package heads

import "math"

// lanes is the width to which the columns of a block of logits are padded: the float32 numbers of one AVX-512 register.
const lanes = 16

// padded returns the columns a block of m logits has in memory: m itself for one, else the next multiple of lanes.
func padded(m int) int {
	if m == 1 {
		return 1
	}
	return roundUp(m)
}

// roundUp returns the next multiple of lanes.
func roundUp(n int) int { return (n + lanes - 1) / lanes * lanes }

// A view is a rows×cols float32 matrix inside a slice, given by how far apart its rows and columns are: with the two
// exchanged it is the transpose.
type view struct {
	data     []float32
	row, col int
}

// addProduct adds a (rows×inner) times b (inner×width, rows contiguous and width apart) to c, laid out as b.
// Where width is 1, the contiguous one of rows and inner is a multiple of lanes; otherwise width is.
func addProduct(c []float32, a view, b []float32, rows, inner, width int) {
	addBlock(c, width, a, b, width, rows, inner, width)
}

// addBlockGo is addBlock without any particular processor.
func addBlockGo(c []float32, ldc int, a view, b []float32, ldb, rows, inner, width int) {
	if width == 1 {
		addVectorProduct(c, a, b, rows, inner)
		return
	}
	for i := range rows {
		to := c[i*ldc : i*ldc+width]
		for p := range inner {
			f := a.data[i*a.row+p*a.col]
			for j, v := range b[p*ldb : p*ldb+width][:len(to)] {
				to[j] += f * v
			}
		}
	}
}

// addVectorProduct is addBlockGo for width 1.
func addVectorProduct(c []float32, a view, b []float32, rows, inner int) {
	if a.col != 1 { // a is a transposed block: walk it along its memory
		for p := range inner {
			f, from := b[p], a.data[p*a.col:p*a.col+rows]
			for i, v := range from {
				c[i] += f * v
			}
		}
		return
	}
	for i := range rows {
		row := a.data[i*a.row : i*a.row+inner]
		w := b[:len(row)]
		var s0, s1, s2, s3 float32
		p := 0
		for ; p+4 <= len(row); p += 4 {
			s0 += row[p] * w[p]
			s1 += row[p+1] * w[p+1]
			s2 += row[p+2] * w[p+2]
			s3 += row[p+3] * w[p+3]
		}
		for ; p < len(row); p++ {
			s0 += row[p] * w[p]
		}
		c[i] += s0 + s1 + (s2 + s3)
	}
}

// softmaxBlockGo replaces each row of z by its softmax times the row's weight, and leaves its largest number and the sum
// of exponentials after taking that off.
func softmaxBlockGo(z []float32, width int, weight, sum, top []float32) {
	for i, w := range weight {
		row := z[i*width : (i+1)*width]
		largest := row[0]
		for _, v := range row {
			largest = max(largest, v)
		}
		var total float64
		for k, v := range row {
			e := math.Exp(float64(v - largest))
			row[k] = float32(e)
			total += e
		}
		scale := float32(float64(w) / total)
		for k := range row {
			row[k] *= scale
		}
		sum[i], top[i] = float32(total), largest
	}
}

// logisticBlockGo replaces each z by weight·(sigmoid(z) − target) and returns the sum of weight times the cross-entropy.
func logisticBlockGo(z, target, weight []float32) float64 {
	var total float64
	for i, v := range z {
		t, w, x := float64(target[i]), float64(weight[i]), float64(v)
		e := math.Exp(-math.Abs(x))
		total += w * (math.Log1p(e) + max(x, 0) - t*x)
		p := 1 / (1 + e)
		if x < 0 {
			p *= e
		}
		z[i] = float32(w * (p - t))
	}
	return total
}

// widenGo adds from to to.
func widenGo(to []float64, from []float32) {
	for i, v := range from {
		to[i] += float64(v)
	}
}

func addMomentsGo(sum, square, shift []float64, x []float32, w float64) {
	for j, v := range x {
		d := float64(v) - shift[j]
		sum[j] += w * d
		square[j] += w * d * d
	}
}

func scaleToGo(to, x []float32, mean, inv []float64) {
	for j, v := range x {
		to[j] = float32((float64(v) - mean[j]) * inv[j])
	}
}
