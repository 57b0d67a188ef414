package heads

import "context"

// A source hands out rows of standardised features, from wherever they are kept.
type source interface {
	// size is N and D.
	size() (rows, cols int)
	// block returns rows lo to hi, row-major; it may use buf, which is empty and grows as it needs.
	block(lo, hi int, buf []float32) []float32
}

func (m Matrix) size() (rows, cols int) { return m.Rows, m.Cols }

func (m Matrix) block(lo, hi int, _ []float32) []float32 { return m.Data[lo*m.Cols : hi*m.Cols] }

// An objective is ½·l2·‖W‖² + scale·Σ loss(row) as a function of (D+1)×m parameters: W, D×m, then the intercept, m, which
// is not penalised. Value and gradient come from one pass over the rows.
//
// Blocks of rows are multiplied in float32 and added up in float64 over a partition that depends on the sizes alone, in
// the partition's order: the result does not depend on the number of cores.
type objective struct {
	x     source
	loss  loss
	l2    float64
	scale float64

	ctx    context.Context
	cut    partition
	values []float64   // by part
	grads  [][]float64 // by part
	work   []scratch   // by worker

	weight []float32 // D×width: W as the kernel reads it
	bias   []float32 // width

	// the last point, its value and gradient: gonum asks for the two one after the other
	at, grad []float64
	value    float64
	calls    int
	err      error
}

// scratch is what one goroutine needs to do a part.
type scratch struct {
	rows     []float32
	z        []float32
	grad     []float32 // D×width, float32 sums of up to flushRows rows
	buffered int
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
	limit := max(1, min(64, gradBytes/(8*(d+1)*m)))
	o := &objective{x: x, loss: l, ctx: ctx, cut: newPartition(n, limit)}
	width := padded(m)
	o.weight = make([]float32, d*width)
	o.bias = make([]float32, width)
	for k := range o.bias[m:] {
		o.bias[m+k] = padLogit
	}
	o.values = make([]float64, o.cut.parts)
	o.grads = make([][]float64, o.cut.parts)
	for p := range o.grads {
		o.grads[p] = make([]float64, (d+1)*m)
	}
	o.grad = make([]float64, (d+1)*m)
	return o
}

// eval computes value and gradient at params unless they are there already.
func (o *objective) eval(params []float64) {
	if o.err != nil || same(o.at, params) {
		return
	}
	_, d := o.x.size()
	m := o.loss.columns()
	o.at = append(o.at[:0], params...)
	o.calls++
	width := len(o.bias)
	for j := range d {
		for k := range m {
			o.weight[j*width+k] = float32(params[j*m+k])
		}
	}
	for k := range m {
		o.bias[k] = float32(params[d*m+k])
	}
	if o.err = o.eachPart(); o.err != nil {
		return
	}
	o.reduce(params)
}

func same(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i, v := range a {
		if v != b[i] {
			return false
		}
	}
	return true
}

func (o *objective) eachPart() error {
	if o.work == nil {
		o.work = make([]scratch, o.cut.parts)
	}
	return eachPart(o.ctx, o.cut.parts, func(worker, p int) { o.part(&o.work[worker], p) })
}

// part sums value and gradient over the rows of part p.
func (o *objective) part(s *scratch, p int) {
	_, d := o.x.size()
	m, width := o.loss.columns(), len(o.bias)
	height := max(16, min(256, blockBytes/(4*d)))
	if s.z == nil {
		s.z = make([]float32, height*width)
		s.grad = make([]float32, d*width)
	}
	grad := o.grads[p]
	clear(grad)
	o.values[p] = 0
	lo, end := o.cut.bounds(p)
	for ; lo < end; lo += height {
		hi := min(lo+height, end)
		n := hi - lo
		x := o.x.block(lo, hi, s.rows[:0])
		z := s.z[:n*width]
		for i := range n {
			copy(z[i*width:(i+1)*width], o.bias)
		}
		addProduct(z, view{x, d, 1}, o.weight, n, d, width)
		o.values[p] += o.loss.rows(z, width, lo)
		for i := range n {
			for k, r := range z[i*width : i*width+m] {
				grad[d*m+k] += float64(r)
			}
		}
		addProduct(s.grad, view{x, 1, d}, z, d, n, width)
		if s.buffered += n; s.buffered >= flushRows {
			s.flush(grad, m, width)
		}
	}
	s.flush(grad, m, width)
}

// flush moves the float32 sums to grad.
func (s *scratch) flush(grad []float64, m, width int) {
	for j := 0; j*width < len(s.grad); j++ {
		to := grad[j*m : (j+1)*m]
		for k, v := range s.grad[j*width : j*width+m] {
			to[k] += float64(v)
		}
	}
	clear(s.grad)
	s.buffered = 0
}

// reduce adds up the parts in order, and the penalty.
func (o *objective) reduce(params []float64) {
	m := o.loss.columns()
	free := len(params) - m
	o.value = 0
	for _, v := range o.values {
		o.value += v
	}
	o.value *= o.scale
	var square float64
	for _, w := range params[:free] {
		square += w * w
	}
	o.value += 0.5 * o.l2 * square
	slices := newPartition(len(params), 64)
	_ = eachPart(context.Background(), slices.parts, func(_, p int) {
		lo, hi := slices.bounds(p)
		to := o.grad[lo:hi]
		clear(to)
		for _, g := range o.grads {
			for i, v := range g[lo:hi] {
				to[i] += v
			}
		}
		for i := range to {
			to[i] *= o.scale
			if lo+i < free {
				to[i] += o.l2 * params[lo+i]
			}
		}
	})
}
