package heads

import (
	"context"

	"gonum.org/v1/gonum/floats"
)

// A source hands out rows of standardised features, from wherever they are kept.
type source interface {
	// size is N and D, which is a multiple of lanes: columns of 0 pad it.
	size() (rows, cols int)
	// block returns rows lo to hi, row-major; it may use buf, as far as its capacity goes.
	block(lo, hi int, buf []float32) []float32
}

func (m Matrix) size() (rows, cols int) { return m.Rows, m.Cols }

func (m Matrix) block(lo, hi int, _ []float32) []float32 { return m.Data[lo*m.Cols : hi*m.Cols] }

// eachRow calls do for rows lo to hi of x, in their order.
func eachRow(x source, lo, hi int, do func(i int, row []float32)) {
	_, d := x.size()
	var buf []float32
	if _, kept := x.(Matrix); !kept {
		buf = make([]float32, panelRows*d)
	}
	for ; lo < hi; lo += panelRows {
		block := x.block(lo, min(lo+panelRows, hi), buf)
		for i := 0; i*d < len(block); i++ {
			do(lo+i, block[i*d:(i+1)*d])
		}
	}
}

// An objective is ½·l2·‖W‖² + scale·Σ loss(row) as a function of (D+1)×m parameters: W, D×m, then the intercept, m. Value and gradient come from one pass over the rows.
//
// Blocks of rows are multiplied in float32 and added up in float64 over a partition that depends on the sizes alone, in
// the partition's order: the result does not depend on the number of cores.
type objective struct {
	x     source
	loss  loss
	l2    float64
	scale float64
	// penalized: the intercept is part of ‖W‖ too.
	penalized bool

	ctx    context.Context
	cut    partition
	curved bool        // curvature is wanted too
	curves [][]float64 // by part: Σ of the loss's second derivative by column

	values []float64   // by part
	grads  [][]float64 // by part: D×width, then m for the intercept
	work   []scratch   // by worker

	weight []float32 // D×width: W as the kernel reads it
	bias   []float32 // width

	grad []float64
}

// scratch is what one goroutine needs to do a part.
type scratch struct {
	rows     []float32
	z, tmp   []float32
	grad     []float32 // D×width, float32 sums of up to flushRows rows
	buffered int

	ones, sums []float32 // to add up columns
}

const (
	// blockBytes is how much of X is worked on at once: it should stay in a core's L2 cache beside W.
	blockBytes = 256 << 10
	// flushRows is how many rows are added up in float32 before the sum goes to float64.
	flushRows = 1024
	// gradBytes bounds what the parts' gradients take together.
	gradBytes = 256 << 20
)

func newObjective(ctx context.Context, x source, l loss) *objective {
	n, d := x.size()
	m := l.columns()
	width := padded(m)
	limit := max(1, min(64, gradBytes/(8*(d+1)*width)))
	rows := partRows
	if m > 2 { // a part's gradient is about as much work as a hundred rows
		rows = 768
	}
	o := &objective{x: x, loss: l, ctx: ctx, cut: newCoarse(n, limit, rows)}
	o.weight = make([]float32, d*width)
	o.bias = make([]float32, width)
	for k := range o.bias[m:] {
		o.bias[m+k] = padLogit
	}
	o.values = make([]float64, o.cut.parts)
	o.grads = make([][]float64, o.cut.parts)
	for p := range o.grads {
		o.grads[p] = make([]float64, d*width+m)
	}
	o.grad = make([]float64, (d+1)*m)
	o.work = make([]scratch, o.cut.parts)
	o.curves = make([][]float64, o.cut.parts)
	for p := range o.curves {
		o.curves[p] = make([]float64, m)
	}
	return o
}

// eval implements [function].
func (o *objective) eval(params []float64) (float64, []float64, error) {
	_, d := o.x.size()
	m, width := o.loss.columns(), len(o.bias)
	for j := range d {
		for k := range m {
			o.weight[j*width+k] = float32(params[j*m+k])
		}
	}
	for k := range m {
		o.bias[k] = float32(params[d*m+k])
	}
	err := eachPart(o.ctx, o.cut.parts, func(worker, p int) { o.part(&o.work[worker], p) })
	if err != nil {
		return 0, nil, err
	}
	return o.reduce(params), o.grad, nil
}

// part sums value and gradient over the rows of part p.
func (o *objective) part(s *scratch, p int) {
	_, d := o.x.size()
	width := len(o.bias)
	height := max(lanes, min(256, blockBytes/(4*d))&^(lanes-1))
	if s.z == nil {
		if _, kept := o.x.(Matrix); !kept {
			s.rows = make([]float32, height*d)
		}
		s.z = make([]float32, height*width)
		s.tmp = make([]float32, 3*height)
		s.grad = make([]float32, d*width)
	}
	grad := o.grads[p]
	clear(grad)
	o.values[p] = 0
	clear(o.curves[p])
	lo, end := o.cut.bounds(p)
	for ; lo < end; lo += height {
		hi := min(lo+height, end)
		n := hi - lo
		x := o.x.block(lo, hi, s.rows)
		z := s.z[:n*width]
		for i := range n {
			copy(z[i*width:(i+1)*width], o.bias)
		}
		addProduct(z, view{x, d, 1}, o.weight, n, d, width)
		o.values[p] += o.loss.rows(z, width, lo, s.tmp)
		s.intercept(grad[d*width:], z, width)
		if o.curved {
			o.loss.curvature(o.curves[p], z, width, lo)
		}
		addProduct(s.grad, view{x, 1, d}, z, d, n, width)
		if s.buffered += n; s.buffered >= flushRows {
			s.flush(grad)
		}
	}
	s.flush(grad)
}

// intercept adds the columns of z to grad.
func (s *scratch) intercept(grad []float64, z []float32, width int) {
	if width == 1 {
		for _, r := range z {
			grad[0] += float64(r)
		}
		return
	}
	if len(s.ones) == 0 {
		s.sums = make([]float32, width)
		s.ones = make([]float32, len(s.z)/width)
		for i := range s.ones {
			s.ones[i] = 1
		}
	}
	clear(s.sums)
	n := len(z) / width
	addProduct(s.sums, view{s.ones, n, 1}, z, 1, n, width)
	widenGo(grad, s.sums[:len(grad)])
}

// flush moves the float32 sums to grad.
func (s *scratch) flush(grad []float64) {
	widen(grad, s.grad)
	clear(s.grad)
	s.buffered = 0
}

// reduce adds up the parts in order, and the penalty: it leaves the gradient and returns the value.
func (o *objective) reduce(params []float64) float64 {
	var value, square float64
	for _, v := range o.values {
		value += v
	}
	free := len(params) // the parameters from there on are not penalised
	if !o.penalized {
		free -= o.loss.columns()
	}
	for _, w := range params[:free] {
		square += w * w
	}
	o.sum()
	for i, w := range params[:free] {
		o.grad[i] += o.l2 * w
	}
	return value*o.scale + 0.5*o.l2*square
}

// sum sets the gradient to scale times the sum of the parts'.
func (o *objective) sum() {
	d, m, width := o.dim(), o.loss.columns(), len(o.bias)
	cut := newPartition(d, 64)
	_ = eachPart(context.Background(), cut.parts, func(_, p int) {
		lo, hi := cut.bounds(p)
		total := o.grads[0][lo*width : hi*width]
		for _, g := range o.grads[1:] {
			floats.Add(total, g[lo*width:hi*width])
		}
		for j := lo; j < hi; j++ {
			floats.ScaleTo(o.grad[j*m:(j+1)*m], o.scale, total[(j-lo)*width:(j-lo)*width+m])
		}
	})
	for k := range m {
		o.grad[d*m+k] = 0
		for _, g := range o.grads {
			o.grad[d*m+k] += o.scale * g[d*width+k]
		}
	}
}

// dim is D.
func (o *objective) dim() int {
	_, d := o.x.size()
	return d
}

// curvature returns the second derivative of scale·Σ loss by each column's logits, as far as it is the same for all rows,
// at the last point evaluated while curved was set.
func (o *objective) curvature() []float64 {
	sum := make([]float64, o.loss.columns())
	for _, c := range o.curves {
		for k, v := range c {
			sum[k] += o.scale * v
		}
	}
	return sum
}
