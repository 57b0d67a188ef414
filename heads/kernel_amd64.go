package heads

import "golang.org/x/sys/cpu"

// What this processor can do. Both forms give the same bits.
var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasAVX512 = hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ
)

// The tiles add to 8, 4 or 1 rows and 48, 32 or 16 columns of c the product of a, whose rows are row and columns col
// numbers apart, and of b, inner × the columns. Rows of c and b are ldc and ldb numbers apart; inner is above 0.

//go:noescape
func tile8x48(c *float32, ldc int, a *float32, row, col int, b *float32, ldb, inner int)

//go:noescape
func tile8x32(c *float32, ldc int, a *float32, row, col int, b *float32, ldb, inner int)

//go:noescape
func tile8x16(c *float32, ldc int, a *float32, row, col int, b *float32, ldb, inner int)

//go:noescape
func tile4x16(c *float32, ldc int, a *float32, row, col int, b *float32, ldb, inner int)

//go:noescape
func tile1x16(c *float32, a *float32, col int, b *float32, ldb, inner int)

// The dots add to 8, 4 or 1 numbers of z the products of rows of x, ld apart, with w. n is above 0 and a multiple of 16.

//go:noescape
func dot8(z *float32, x *float32, ld int, w *float32, n int)

//go:noescape
func dot4(z *float32, x *float32, ld int, w *float32, n int)

//go:noescape
func dot1(z *float32, x *float32, w *float32, n int)

// The axpys add to g 8, 4 or 1 rows of x, ld apart, times r. n is above 0 and a multiple of 16.

//go:noescape
func axpy8(sum *float32, x *float32, ld int, r *float32, n int)

//go:noescape
func axpy4(sum *float32, x *float32, ld int, r *float32, n int)

//go:noescape
func axpy1(sum *float32, x *float32, r float32, n int)

// softmaxRows replaces each row of z, width numbers and a multiple of 16, by its softmax times the row's weight, and
// leaves its largest number and the sum of exponentials after taking that off. rows is above 0.
//
//go:noescape
func softmaxRows(z *float32, rows, width int, weight, sum, top *float32)

// logisticAll replaces each z by weight·(sigmoid(z) − target) and returns the sum of weight times the cross-entropy.
// n is above 0 and a multiple of 8.
//
//go:noescape
func logisticAll(z, target, weight *float32, n int) (loss float64)

// addProduct adds a (rows×inner) times b (inner×width, rows contiguous and width apart) to c, laid out as b.
// Where width is 1, the contiguous one of rows and inner is a multiple of lanes; otherwise width is.
func addProduct(c []float32, a view, b []float32, rows, inner, width int) {
	switch {
	case rows == 0 || inner == 0:
	case !hasAVX2:
		addProductGo(c, a, b, rows, inner, width)
	case width > 1:
		addTiles(c, a, b, rows, inner, width)
	case a.col == 1:
		addDots(c, a, b, rows, inner)
	default:
		addRows(c, a, b, rows, inner)
	}
}

func addTiles(c []float32, a view, b []float32, rows, inner, width int) {
	for j := 0; j < width; {
		step := min(width-j, 3*lanes)
		if !hasAVX512 || step%lanes != 0 {
			step = lanes
		}
		i := 0
		if hasAVX512 {
			for ; i+8 <= rows; i += 8 {
				to, from := &c[i*width+j], &a.data[i*a.row]
				switch step {
				case 3 * lanes:
					tile8x48(to, width, from, a.row, a.col, &b[j], width, inner)
				case 2 * lanes:
					tile8x32(to, width, from, a.row, a.col, &b[j], width, inner)
				default:
					tile8x16(to, width, from, a.row, a.col, &b[j], width, inner)
				}
			}
		}
		for k := j; k < j+step; k += lanes {
			i := i
			for ; i+4 <= rows; i += 4 {
				tile4x16(&c[i*width+k], width, &a.data[i*a.row], a.row, a.col, &b[k], width, inner)
			}
			for ; i < rows; i++ {
				tile1x16(&c[i*width+k], &a.data[i*a.row], a.col, &b[k], width, inner)
			}
		}
		j += step
	}
}

// addDots is addProduct for one column of b and contiguous rows of a.
func addDots(z []float32, a view, w []float32, rows, inner int) {
	i := 0
	if hasAVX512 {
		for ; i+8 <= rows; i += 8 {
			dot8(&z[i], &a.data[i*a.row], a.row, &w[0], inner)
		}
	}
	for ; i+4 <= rows; i += 4 {
		dot4(&z[i], &a.data[i*a.row], a.row, &w[0], inner)
	}
	for ; i < rows; i++ {
		dot1(&z[i], &a.data[i*a.row], &w[0], inner)
	}
}

// addRows is addProduct for one column of b and contiguous columns of a.
func addRows(g []float32, a view, r []float32, rows, inner int) {
	i := 0
	if hasAVX512 {
		for ; i+8 <= inner; i += 8 {
			axpy8(&g[0], &a.data[i*a.col], a.col, &r[i], rows)
		}
	}
	for ; i+4 <= inner; i += 4 {
		axpy4(&g[0], &a.data[i*a.col], a.col, &r[i], rows)
	}
	for ; i < inner; i++ {
		axpy1(&g[0], &a.data[i*a.col], r[i], rows)
	}
}

// softmaxBlock is softmaxRows for a block of len(weight) rows.
func softmaxBlock(z []float32, width int, weight, sum, top []float32) {
	if !hasAVX2 || len(weight) == 0 {
		softmaxBlockGo(z, width, weight, sum, top)
		return
	}
	softmaxRows(&z[0], len(weight), width, &weight[0], &sum[0], &top[0])
}

// logisticBlock is logisticAll for any number of rows.
func logisticBlock(z, target, weight []float32) float64 {
	n := 0
	var loss float64
	if hasAVX2 && len(z) >= 8 {
		n = len(z) &^ 7
		loss = logisticAll(&z[0], &target[0], &weight[0], n)
	}
	return loss + logisticBlockGo(z[n:], target[n:], weight[n:])
}
