package heads

import (
	"context"
	"math"
	"math/rand/v2"
)

// A task is what an MLP learns: targets laid out for batches.
type task struct {
	kind      Task
	outs      int
	class     []int
	target    Matrix // labels, or values scaled to mean 0 and variance 1
	mean, sd  []float64
	weight    []float32
	total     float64
	smoothing float64
	absent    []int // classes without rows
}

func newTask(y Targets, weights []float64, smoothing float64) *task {
	t := &task{kind: y.Task(), outs: y.Outputs(), class: y.Class, weight: narrow(weights), smoothing: smoothing}
	for _, w := range weights {
		t.total += w
	}
	switch t.kind {
	case MultiLabel:
		t.target = y.Labels
	case Regression:
		t.scale(y.Values, weights)
	default:
		seen := make([]bool, y.Classes)
		for _, k := range y.Class {
			seen[k] = true
		}
		for k, s := range seen {
			if !s {
				t.absent = append(t.absent, k)
			}
		}
	}
	return t
}

// scale sets target to values of mean 0 and variance 1.
func (t *task) scale(values Matrix, weights []float64) {
	t.mean, t.sd = make([]float64, t.outs), make([]float64, t.outs)
	for i, w := range weights {
		for k, v := range values.Row(i) {
			t.mean[k] += w / t.total * float64(v)
		}
	}
	for i, w := range weights {
		for k, v := range values.Row(i) {
			d := float64(v) - t.mean[k]
			t.sd[k] += w / t.total * d * d
		}
	}
	for k, v := range t.sd {
		if t.sd[k] = math.Sqrt(v); t.sd[k] == 0 {
			t.sd[k] = 1
		}
	}
	t.target = NewMatrix(values.Rows, t.outs)
	for i := range values.Rows {
		for k, v := range values.Row(i) {
			t.target.Row(i)[k] = float32((float64(v) - t.mean[k]) / t.sd[k])
		}
	}
}

// unscale turns the last layer, w outs×in and b, to one for the targets as they were; and a class without rows to one
// that is never predicted: its logit is that of the first class with rows, less 30.
func (t *task) unscale(w, b []float64) {
	in := len(w) / len(b)
	for k := range b {
		if t.kind != Regression {
			break
		}
		b[k] = b[k]*t.sd[k] + t.mean[k]
		for j := range in {
			w[k*in+j] *= t.sd[k]
		}
	}
	gone := map[int]bool{}
	for _, k := range t.absent {
		gone[k] = true
	}
	for _, k := range t.absent {
		like := 0
		for gone[like] {
			like++
		}
		copy(w[k*in:(k+1)*in], w[like*in:(like+1)*in])
		b[k] = b[like] - absentBelow
	}
}

// loss returns the loss of the rows named, in their order, for outputs of the padded width.
func (t *task) loss(rows []int, width int) loss {
	weight := make([]float32, len(rows))
	for i, r := range rows {
		weight[i] = t.weight[r]
	}
	if t.kind == Classification {
		l := &softmaxLoss{m: t.outs, class: make([]int, len(rows)), weight: weight, smoothing: t.smoothing}
		for i, r := range rows {
			l.class[i] = t.class[r]
		}
		return l
	}
	target, each := make([]float32, len(rows)*width), make([]float32, len(rows)*width)
	for i, r := range rows {
		copy(target[i*width:], t.target.Row(r))
		for k := range t.outs {
			each[i*width+k] = weight[i]
		}
	}
	if t.kind == Regression {
		return &squaredLoss{m: t.outs, target: target, weight: each}
	}
	return &logisticLoss{m: t.outs, target: target, weight: each}
}

// squaredLoss is half the squared error. Target and weight are N×width; what pads them is 0.
type squaredLoss struct {
	m              int
	target, weight []float32
}

func (l *squaredLoss) columns() int { return l.m }

func (l *squaredLoss) rows(z []float32, width, lo int, _ []float32) float64 {
	var total float64
	for i, v := range z {
		w, d := l.weight[lo*width+i], v-l.target[lo*width+i]
		total += 0.5 * float64(w) * float64(d) * float64(d)
		z[i] = w * d
	}
	return total
}

func (l *squaredLoss) curvature(sum []float64, _ []float32, width, lo int) {}

// blockRows is how many rows of a batch one goroutine takes at a time.
const blockRows = 32

// A trainer fits a net.
type trainer struct {
	MLP
	z      Matrix
	task   *task
	net    *net
	passes []*pass // by block of a batch
	adam   adam
}

// train fits a net to the task and returns it with the epochs it took.
func (h *MLP) train(ctx context.Context, z Matrix, cols int, t *task) (*net, int, error) {
	sizes := append(append([]int{cols}, h.Hidden...), t.outs)
	r := rand.New(rand.NewPCG(h.Seed, 0))
	f := &trainer{MLP: *h, z: z, task: t, net: newNet(sizes, h.Activation, r)}
	for range (h.Batch + blockRows - 1) / blockRows {
		f.passes = append(f.passes, newPass(f.net, blockRows))
	}
	last := f.net.layers[len(f.net.layers)-1]
	if t.kind == Classification { // padding columns must not take part in the softmax
		for k := t.outs; k < last.out; k++ {
			last.bias[k] = padLogit
		}
	}
	f.adam = newAdam(h.Rate, h.Decay, f.net)
	learn, judge := f.split(r)
	best, since := append([]float32(nil), f.net.params...), 0
	lowest, err := f.judge(ctx, judge)
	epoch := 0
	for ; err == nil && epoch < h.Epochs && since < h.Patience; epoch++ {
		r.Shuffle(len(learn), func(i, j int) { learn[i], learn[j] = learn[j], learn[i] })
		for lo := 0; lo < len(learn) && err == nil; lo += h.Batch {
			err = f.step(ctx, learn[lo:min(lo+h.Batch, len(learn))])
		}
		var now float64
		if err == nil {
			now, err = f.judge(ctx, judge)
		}
		since++
		if now < lowest-1e-4*math.Abs(lowest) {
			since = 0
		}
		if now < lowest {
			lowest = now
			copy(best, f.net.params)
		}
	}
	copy(f.net.params, best)
	return f.net, epoch, err
}

// fewest is how many rows there must be for some to be held out.
const fewest = 20

// split deals the rows into those to learn from and those to judge by. Rows are held out class by class, and of each
// class that has several at least one stays to learn from.
func (f *trainer) split(r *rand.Rand) (learn, judge []int) {
	order := r.Perm(f.z.Rows)
	if f.z.Rows < fewest {
		return order, order
	}
	held, seen := map[int]int{}, map[int]int{}
	for _, i := range order {
		k := 0
		if f.task.kind == Classification {
			k = f.task.class[i]
		}
		if seen[k]++; float64(held[k]) < f.Holdout*float64(seen[k]-1) {
			held[k]++
			judge = append(judge, i)
		} else {
			learn = append(learn, i)
		}
	}
	if len(judge) == 0 {
		return order, order
	}
	return learn, judge
}

// block takes rows through the net, and back where drop is not nil, and returns their loss.
func (f *trainer) block(p *pass, rows []int, drop *rand.Rand) float64 {
	for i, r := range rows {
		copy(p.input[0][i*f.z.Cols:(i+1)*f.z.Cols], f.z.Row(r))
	}
	f.net.forward(p, len(rows), f.Dropout, drop)
	width := f.net.layers[len(f.net.layers)-1].out
	total := f.task.loss(rows, width).rows(p.output[:len(rows)*width], width, 0, p.tmp)
	if drop != nil {
		f.net.backward(p, len(rows))
	}
	return total
}

// step takes one step of the optimizer on a batch. Blocks of the batch have their own gradients, which are added up in
// order.
func (f *trainer) step(ctx context.Context, batch []int) error {
	blocks := (len(batch) + blockRows - 1) / blockRows
	f.adam.steps++
	err := eachPart(ctx, blocks, func(_, p int) {
		clear(f.passes[p].grad)
		rows := batch[p*blockRows : min((p+1)*blockRows, len(batch))]
		f.block(f.passes[p], rows, rand.New(rand.NewPCG(f.Seed^uint64(f.adam.steps)<<20, uint64(p+1))))
	})
	if err != nil {
		return err
	}
	var total float64
	for _, r := range batch {
		total += float64(f.task.weight[r])
	}
	f.adam.update(f.net, f.passes[:blocks], total)
	f.net.turn()
	return nil
}

// judge returns the mean loss of rows.
func (f *trainer) judge(ctx context.Context, rows []int) (float64, error) {
	var sum, total float64
	for lo := 0; lo < len(rows); {
		losses := make([]float64, len(f.passes))
		from := lo
		err := eachPart(ctx, len(f.passes), func(_, p int) {
			a, b := min(from+p*blockRows, len(rows)), min(from+(p+1)*blockRows, len(rows))
			if a < b {
				losses[p] = f.block(f.passes[p], rows[a:b], nil)
			}
		})
		if err != nil {
			return 0, err
		}
		for _, l := range losses {
			sum += l
		}
		lo += len(f.passes) * blockRows
	}
	for _, r := range rows {
		total += float64(f.task.weight[r])
	}
	return sum / total, nil
}

// adam is AdamW's state.
type adam struct {
	rate, decay  float64
	first, other []float32 // moving means of the gradient and of its square
	steps        int
}

func newAdam(rate, decay float64, n *net) adam {
	return adam{rate: rate, decay: decay, first: make([]float32, len(n.params)), other: make([]float32, len(n.params))}
}

const beta1, beta2, tiny = 0.9, 0.999, 1e-8

// update steps the net's parameters along the sum of the passes' gradients over total.
func (a *adam) update(n *net, passes []*pass, total float64) {
	step := float32(a.rate * math.Sqrt(1-math.Pow(beta2, float64(a.steps))) / (1 - math.Pow(beta1, float64(a.steps))))
	shrink, scale := float32(1-a.rate*a.decay), float32(1/total)
	epsilon := float32(tiny * math.Sqrt(1-math.Pow(beta2, float64(a.steps))))
	cut := newPartition(len(n.params), 64)
	_ = eachPart(context.Background(), cut.parts, func(_, p int) {
		for i, hi := cut.bounds(p); i < hi; i++ {
			var g float32
			for _, pass := range passes {
				g += pass.grad[i]
			}
			g *= scale
			if n.decays[i] {
				n.params[i] *= shrink
			}
			a.first[i] = beta1*a.first[i] + (1-beta1)*g
			a.other[i] = beta2*a.other[i] + (1-beta2)*g*g
			n.params[i] -= step * a.first[i] / (float32(math.Sqrt(float64(a.other[i]))) + epsilon)
		}
	})
}
