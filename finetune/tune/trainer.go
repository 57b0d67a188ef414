package tune

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime/debug"
	"slices"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// A trainer makes steps: it holds graphs, sessions, weights and optimizer.
type trainer struct {
	p         *Problem
	s         Settings
	rt        onnx.Runtime
	batches   *batcher // of rows
	singles   *batcher // of the examples of rows
	net       *network
	frozen    map[int]*activations // by view, 0 for the examples as they are
	prefix    onnx.Session         // for views that are not kept; nil until one is needed
	forward   onnx.Session
	backward  onnx.Session
	params    []optim.Param
	grads     []optim.Gradient
	sums      []optim.Gradient // of the gradients of several batches; nil where a step has one
	results   onnx.Feeds       // where loss and gradients land; nil for those of the rows of tables
	loss      []float32
	optimizer optim.Optimizer
	average   [][]float32 // running mean of the weights; nil where none is kept
}

// open prepares graphs, sessions and buffers.
func (t *trainer) open(ctx context.Context) error {
	small, large, err := t.probes()
	if err != nil {
		return err
	}
	if t.net, err = open(ctx, t.rt, t.p, t.s, small, large); err != nil {
		return err
	}
	if err := t.net.needs.check(t.s.BatchSize, t.s.Memory); err != nil {
		return err
	}
	t.release()
	if err := t.freeze(ctx); err != nil {
		return err
	}
	if t.forward, err = t.rt.NewSession(t.net.forward); err == nil {
		t.backward, err = t.rt.NewSession(t.net.backward)
	}
	if err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	t.release()
	t.loss = make([]float32, 1)
	t.results = onnx.Feeds{lossName: onnx.NewTensor(lossName, t.loss, 1)}
	deepest := 0
	for _, w := range t.net.weights {
		deepest = max(deepest, w.layer)
	}
	for _, w := range t.net.weights {
		t.grads = append(t.grads, w.newGradient())
		if w.table {
			t.results[autodiff.RowsName(w.tensor.Name)], t.results[autodiff.IndicesName(w.tensor.Name)] = nil, nil
		} else {
			name := autodiff.GradientName(w.tensor.Name)
			t.results[name] = onnx.NewTensor(name, t.grads[len(t.grads)-1].Data, w.tensor.Shape...)
		}
		scale := t.s.HeadScale
		if !w.head {
			scale = math.Pow(t.s.LayerDecay, float64(deepest-w.layer))
		}
		t.params = append(t.params, optim.Param{Name: w.tensor.Name, Value: w.data, Scale: scale, Decays: w.decays})
		if t.s.Accumulate > 1 {
			t.sums = append(t.sums, w.newGradient())
		}
	}
	t.begin()
	return nil
}

// release gives back memory that nothing needs any more: the model file's pages, as what moves has been copied, and graphs as
// bytes that sessions were made from.
func (t *trainer) release() {
	t.p.Model.Forget()
	debug.FreeOSMemory()
}

// begin sets up what the steps carry along, as before the first.
func (t *trainer) begin() {
	t.optimizer, t.average = t.s.Optimizer.New(t.s.WeightDecay), nil
	if t.s.Average > 0 {
		t.average = t.weights()
	}
}

// freeze computes what the frozen layers make of the examples that are seen more than once.
func (t *trainer) freeze(ctx context.Context) error {
	if t.net.prefix == nil {
		return nil
	}
	plain := append([]int(nil), t.p.Validation...)
	if t.p.View == nil {
		plain = append(plain, t.p.Train...)
	}
	if err := t.freezeView(ctx, 0, plain); err != nil {
		return err
	}
	for view := 1; view <= t.s.Views; view++ {
		if err := t.freezeView(ctx, view, t.p.Train); err != nil {
			return err
		}
	}
	return nil
}

func (t *trainer) freezeView(ctx context.Context, view int, rows []int) (err error) {
	if len(rows) == 0 {
		return nil
	}
	report := func(done, total int) { t.report(Step{Stage: Freezing, Done: done, Of: total}) }
	t.frozen[view], err = t.net.activations(ctx, t.rt, t.p, t.examples(view), view, t.p.examplesOf(rows), t.singles, report)
	return err
}

// examples are the examples as a view shows them.
func (t *trainer) examples(view int) Examples {
	if view == 0 || t.p.View == nil {
		return t.p.Examples
	}
	return t.p.View(view)
}

// view is what the examples are trained on in an epoch: 0, or the number of a view.
func (t *trainer) view(epoch int) int {
	switch {
	case t.p.View == nil:
		return 0
	case t.s.Views > 0 && t.net.prefix != nil:
		return 1 + (epoch-1)%t.s.Views
	}
	return epoch
}

func (t *trainer) close() {
	for _, s := range []onnx.Session{t.prefix, t.forward, t.backward} {
		if s != nil {
			s.Close()
		}
	}
	for _, a := range t.frozen {
		a.close()
	}
}

func (t *trainer) report(s Step) {
	if t.s.Progress != nil {
		t.s.Progress(s)
	}
}

// probes are two batches that differ in rows and, where the model takes any, in tokens.
func (t *trainer) probes() (small, large onnx.Feeds, err error) {
	byLength := t.batches.sorted(t.p.Train)
	var order []int
	for _, b := range byLength {
		order = append(order, b...)
	}
	longest, shortest := order[0], order[len(order)-1]
	if small, err = t.p.Examples.Feeds(t.p.examplesOf([]int{shortest, shortest})); err == nil {
		large, err = t.p.Examples.Feeds(t.p.examplesOf([]int{longest, longest, longest}))
	}
	if err == nil && extentOf(small).Tokens == extentOf(large).Tokens {
		small, err = shortened(t.p.Model, small)
	}
	return small, large, err
}

// shortened takes the last token off a batch: where all training examples have one length, validation examples and views may
// have another. What the model wants of a fixed length stays.
func shortened(m *onnx.Model, feeds onnx.Feeds) (onnx.Feeds, error) {
	feeds = maps.Clone(feeds)
	for _, in := range m.Inputs() {
		t := feeds[in.Name]
		if t == nil || t.Type != onnx.Int64 || len(t.Shape) != 2 || t.Shape[1] < 2 || len(in.Shape) != 2 || in.Shape[1].Known {
			continue
		}
		data, err := onnx.View[int64](t)
		if err != nil {
			return nil, fmt.Errorf("tune: %w", err)
		}
		var kept []int64
		for row := range slices.Chunk(data, int(t.Shape[1])) {
			kept = append(kept, row[:len(row)-1]...)
		}
		feeds[in.Name] = onnx.NewTensor(in.Name, kept, t.Shape[0], t.Shape[1]-1)
	}
	return feeds, nil
}

// weights are a copy of the weights as they are.
func (t *trainer) weights() [][]float32 {
	var data [][]float32
	for _, w := range t.net.weights {
		data = append(data, append([]float32(nil), w.data...))
	}
	return data
}

// setWeights puts a copy of data in place of the weights.
func (t *trainer) setWeights(data [][]float32) {
	for i, w := range t.net.weights {
		copy(w.data, data[i])
	}
}

// judged are the weights that are judged and kept: the mean where one is kept.
func (t *trainer) judged() [][]float32 {
	if t.average != nil {
		return t.average
	}
	var data [][]float32
	for _, w := range t.net.weights {
		data = append(data, w.data)
	}
	return data
}

// step trains on the batches of one step, and returns the loss and the gradient's norm before clipping. Where it fails, or ctx
// ends, the weights are as they were.
func (t *trainer) step(ctx context.Context, batches [][]int, view, step int, rate float64) (loss, norm float64, err error) {
	answers, grads := 0, t.grads
	for i := range t.sums {
		t.sums[i].Clear()
	}
	for i, batch := range batches {
		if err := t.gradients(ctx, batch, view, step*t.s.Accumulate+i); err != nil {
			return 0, 0, fmt.Errorf("tune: step %d: %w", step, err)
		}
		n := t.p.answers(batch...)
		loss += float64(t.loss[0]) * float64(n)
		answers += n
		if len(batches) > 1 {
			optim.Accumulate(t.sums, t.grads, float32(n))
		}
	}
	if len(batches) > 1 {
		grads = t.sums
		optim.Scale(grads, 1/float32(answers))
	}
	loss /= float64(answers)
	norm = optim.GlobalNorm(grads)
	if v := loss + norm; math.IsNaN(v) || math.IsInf(v, 0) {
		return loss, norm, t.diverged(step, loss)
	}
	if err := t.optimizer.Step(t.params, grads, rate, optim.Clip(norm, t.s.Clip)); err != nil {
		return loss, norm, err
	}
	if t.average != nil {
		optim.Average(t.average, t.params, averageDecay(t.s.Average, step))
	}
	return loss, norm, nil
}

// averageDecay is lower in the first steps, so that the mean forgets the weights it began with: (1+n)/(10+n) after n steps,
// as TensorFlow's ExponentialMovingAverage has it.
func averageDecay(decay float64, step int) float64 {
	return min(decay, float64(1+step)/float64(10+step))
}

// diverged says what probably went wrong.
func (t *trainer) diverged(step int, loss float64) error {
	e := &DivergedError{Step: step, Loss: loss, Cause: "the learning rate is too high for these weights; lower it, or unfreeze fewer layers"}
	if step > 0 {
		return e
	}
	for _, w := range t.net.weights {
		for _, v := range w.data {
			if v != v || math.IsInf(float64(v), 0) {
				e.Cause = fmt.Sprintf("the weight %q held such a number before the first step", w.tensor.Name)
				return e
			}
		}
	}
	e.Cause = "nothing was changed yet, so an input, a target or a frozen weight must hold such a number"
	return e
}

// score judges the validation examples with the weights that are judged.
func (t *trainer) score(ctx context.Context) (float64, error) {
	if t.average != nil {
		own := t.weights()
		t.setWeights(t.average)
		defer t.setWeights(own)
	}
	place, answers := map[int]int{}, 0 // where each row's logits begin
	for _, row := range t.p.Validation {
		place[row] = answers
		answers += t.p.answers(row)
	}
	logits := heads.NewMatrix(answers, len(t.p.Bias))
	for _, batch := range t.batches.sorted(t.p.Validation) {
		feeds, err := t.feeds(ctx, batch, 0)
		if err != nil {
			return 0, fmt.Errorf("tune: validation: %w", err)
		}
		out, err := t.forward.Run(ctx, taken(t.net.forward, feeds))
		if err != nil {
			return 0, fmt.Errorf("tune: validation: %w", err)
		}
		data, err := onnx.View[float32](out[0])
		if err != nil {
			return 0, fmt.Errorf("tune: validation: %w", err)
		}
		for _, row := range batch {
			n := t.p.answers(row) * logits.Cols
			copy(logits.Data[place[row]*logits.Cols:], data[:n])
			data = data[n:]
		}
	}
	return t.p.Score(logits), nil
}
