package heads

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

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

// pack16 copies 16 numbers of each of rows rows of x, ld apart, to to, 16 apart. rows is above 0.
//
//go:noescape
func pack16(to *float32, x *float32, ld, rows int)

// momentsRow adds w·(x − shift) to sum and w·(x − shift)² to square. n is above 0 and a multiple of 8.
//
//go:noescape
func momentsRow(sum, square, shift *float64, x *float32, w float64, n int)

// scaleRow sets to to (x − mean)·inv. n is above 0 and a multiple of 8.
//
//go:noescape
func scaleRow(to, x *float32, mean, inv *float64, n int)

// addMoments adds w·(x − shift) to sum and w·(x − shift)² to square.
func addMoments(sum, square, shift []float64, x []float32, w float64) {
	n := 0
	if hasAVX2 && len(x) >= 8 {
		n = len(x) &^ 7
		momentsRow(&sum[0], &square[0], &shift[0], &x[0], w, n)
	}
	addMomentsGo(sum[n:], square[n:], shift[n:], x[n:], w)
}

// scaleTo sets to to (x − mean)·inv.
func scaleTo(to, x []float32, mean, inv []float64) {
	n := 0
	if hasAVX2 && len(x) >= 8 {
		n = len(x) &^ 7
		scaleRow(&to[0], &x[0], &mean[0], &inv[0], n)
	}
	scaleToGo(to[n:], x[n:], mean[n:], inv[n:])
}

// widenAll adds n numbers, above 0 and a multiple of 8.
//
//go:noescape
func widenAll(to *float64, from *float32, n int)

// widen adds from to to.
func widen(to []float64, from []float32) {
	n := 0
	if hasAVX2 && len(from) >= 8 {
		n = len(from) &^ 7
		widenAll(&to[0], &from[0], n)
	}
	widenGo(to[n:], from[n:])
}

// addBlock is addProduct for c and b whose rows are ldc and ldb apart.
func addBlock(c []float32, ldc int, a view, b []float32, ldb, rows, inner, width int) {
	switch {
	case rows == 0 || inner == 0:
	case !hasAVX2:
		addBlockGo(c, ldc, a, b, ldb, rows, inner, width)
	case width > 1 && a.col == 1:
		addAlong(c, ldc, a, b, ldb, rows, inner, width)
	case width > 1:
		addAcross(c, ldc, a, b, ldb, rows, inner, width)
	case a.col == 1:
		addDots(c, a, b, rows, inner)
	default:
		addRows(c, a, b, rows, inner)
	}
}

// innerStep is how much of the inner dimension is worked on at a time: that much of a panel of b stays in the L1 cache.
const innerStep = 128

// addAlong is addBlock for contiguous rows of a.
func addAlong(c []float32, ldc int, a view, b []float32, ldb, rows, inner, width int) {
	for lo := 0; lo < inner; lo += innerStep {
		n := min(innerStep, inner-lo)
		for j := 0; j < width; {
			step := panel(width - j)
			addTiles(c[j:], ldc, &a.data[lo], a.row, 1, &b[lo*ldb+j], ldb, rows, n, step)
			j += step
		}
	}
}

// addAcross is addBlock for contiguous columns of a, that is for the transpose of a block of rows: sixteen of its
// columns at a time are copied together, as they lie in few sets of the L1 cache where the block's row is a power of 2.
func addAcross(c []float32, ldc int, a view, b []float32, ldb, rows, inner, width int) {
	var packed [lanes * innerStep]float32
	for lo := 0; lo < inner; lo += innerStep {
		n := min(innerStep, inner-lo)
		for i := 0; i < rows; i += lanes {
			from, row, col := &a.data[lo*a.col+i], 1, a.col
			if i+lanes <= rows {
				pack16(&packed[0], from, a.col, n)
				from, col = &packed[0], lanes
			}
			for j := 0; j < width; {
				step := panel(width - j)
				addTiles(c[i*ldc+j:], ldc, from, row, col, &b[lo*ldb+j], ldb, min(lanes, rows-i), n, step)
				j += step
			}
		}
	}
}

// panel is how many of the columns left are taken together.
func panel(left int) int {
	if !hasAVX512 {
		return lanes
	}
	return min(left, 3*lanes)
}

// addTiles adds step columns of the product to c.
func addTiles(c []float32, ldc int, a *float32, row, col int, b *float32, ldb, rows, inner, step int) {
	i := 0
	if hasAVX512 {
		for ; i+8 <= rows; i += 8 {
			switch step {
			case 3 * lanes:
				tile8x48(&c[i*ldc], ldc, after(a, i*row), row, col, b, ldb, inner)
			case 2 * lanes:
				tile8x32(&c[i*ldc], ldc, after(a, i*row), row, col, b, ldb, inner)
			default:
				tile8x16(&c[i*ldc], ldc, after(a, i*row), row, col, b, ldb, inner)
			}
		}
	}
	for ; i+4 <= rows; i += 4 {
		for k := 0; k < step; k += lanes {
			tile4x16(&c[i*ldc+k], ldc, after(a, i*row), row, col, after(b, k), ldb, inner)
		}
	}
	for ; i < rows; i++ {
		for k := 0; k < step; k += lanes {
			tile1x16(&c[i*ldc+k], after(a, i*row), col, after(b, k), ldb, inner)
		}
	}
}

// after returns where the number n places after p is.
func after(p *float32, n int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n)) }

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
