// Package tune trains a backbone's own weights on a stock inference runtime: the graph it makes returns the loss and the
// gradients of a batch, and the weights are updated in Go.
//
// Layers that stay frozen run once: what they make of each example is kept, and each epoch starts from there.
package tune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// Examples are what a backbone is trained on.
type Examples interface {
	Len() int
	// Size is what an example costs: its tokens, or 1.
	Size(i int) int
	// Feeds are the backbone's inputs for some examples, as one batch; texts are padded at the end to the longest.
	Feeds(rows []int) (onnx.Feeds, error)
}

// A Problem is a backbone with a linear head to start from, and examples with their targets.
type Problem struct {
	Model   *onnx.Model  // one N×D float32 output; not changed
	Weight  heads.Matrix // K×D weights of the head: logits = features·Weightᵀ + Bias
	Bias    []float32    // K
	Loss    autodiff.Loss
	Targets func(rows []int) (*onnx.Tensor, error) // what Loss takes for some examples: N×K

	Examples   Examples
	Train      []int // examples to learn from
	Validation []int // examples to choose the best epoch by; empty keeps the last
	// Score judges N×K logits of the Validation examples, in that order: higher is better.
	Score func(logits heads.Matrix) float64

	Scratch string // folder for cached activations; "" is the system's for temporary files
}

// Settings say how the weights move. The zero value is the recipe of [Run]'s documentation.
type Settings struct {
	Unfreeze     Unfreeze       `json:"-"`             // what moves; the zero value: all
	Epochs       int            `json:"epochs"`        // 0 is 6 below 2,000 training examples, else 3
	BatchSize    int            `json:"batch_size"`    // 0 is 16 below 2,000 training examples, else 32
	LearningRate float64        `json:"learning_rate"` // of the backbone at its peak; 0 is 1e-4
	HeadScale    float64        `json:"head_scale"`    // times as fast for the head; 0 is 10
	LayerDecay   float64        `json:"layer_decay"`   // rate of a layer relative to the one above; 0 is 1
	WeightDecay  float64        `json:"weight_decay"`  // on matrices; 0 is 0.01, negative none
	Warmup       float64        `json:"warmup"`        // part of all steps; 0 is 0.1, negative none
	Schedule     optim.Schedule `json:"schedule"`      // "" is linear
	Clip         float64        `json:"clip"`          // limit of the gradient's global norm; 0 is 1, negative none
	Dropout      float64        `json:"dropout"`       // of the features; 0 is 0.1, negative none
	Seed         uint64         `json:"seed"`
	Patience     int            `json:"patience"` // epochs without a better score before stopping; 0 never stops early

	Progress func(Step) `json:"-"` // called after each step; nil is silence
}

// A Stage is a part of a run.
type Stage string

const (
	Freezing Stage = "frozen layers" // every example goes once through the layers that stay
	Training Stage = "training"
)

// A Step tells how a run goes.
type Step struct {
	Stage      Stage
	Done, Of   int // steps, or examples in the first stage
	Epoch      int // from 1
	Loss, Norm float64
}

// An Epoch is one line of a training history.
type Epoch struct {
	Number int      `json:"epoch"`
	Loss   *float64 `json:"loss,omitempty"`  // mean over the epoch's steps; nil for epoch 0, before the first
	Score  *float64 `json:"score,omitempty"` // nil without validation examples
}

// A Result is a trained backbone and head.
type Result struct {
	Model    *onnx.Model // the backbone as given, with new weights
	Weight   heads.Matrix
	Bias     []float32
	History  []Epoch
	Best     int      // the epoch whose weights these are; 0: those it began with
	Settings Settings // as they were used, defaults filled in
	Trained  int      // numbers that were trained
}

// A DivergedError says that the loss or a gradient stopped being a number.
type DivergedError struct {
	Step int
	Loss float64
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("tune: diverged at step %d (loss %v): the learning rate is too high for these weights; lower it, or unfreeze fewer layers", e.Step, e.Loss)
}

func (s Settings) withDefaults(train int) Settings {
	set := func(v *float64, def float64) {
		if *v == 0 {
			*v = def
		}
		*v = max(*v, 0)
	}
	if s.Epochs == 0 {
		s.Epochs = 3
		if train < 2000 {
			s.Epochs = 6
		}
	}
	if s.BatchSize == 0 {
		s.BatchSize = 32
		if train < 2000 {
			s.BatchSize = 16
		}
	}
	set(&s.LearningRate, 1e-4)
	set(&s.HeadScale, 10)
	set(&s.LayerDecay, 1)
	set(&s.WeightDecay, 0.01)
	set(&s.Warmup, 0.1)
	set(&s.Clip, 1)
	set(&s.Dropout, 0.1)
	return s
}

// Run trains: AdamW with decoupled decay on matrices, warm-up and linear decay of the rate, the head ten times as fast, the
// gradient clipped to norm 1, dropout of a tenth of the features. The weights of the epoch with the best validation score
// are returned. On a [DivergedError] the best weights so far are returned beside it, if there are any.
func Run(ctx context.Context, rt onnx.Runtime, p *Problem, s Settings) (*Result, error) {
	if len(p.Train) == 0 {
		return nil, errors.New("tune: no training examples")
	}
	s = s.withDefaults(len(p.Train))
	t := &trainer{p: p, s: s, batches: &batcher{batch: s.BatchSize, seed: s.Seed, sizes: make([]int, p.Examples.Len())}}
	for i := range t.batches.sizes {
		t.batches.sizes[i] = p.Examples.Size(i)
	}
	if err := t.open(ctx, rt); err != nil {
		return nil, err
	}
	defer t.close()
	return t.train(ctx)
}

// A trainer is a run under way.
type trainer struct {
	p         *Problem
	s         Settings
	batches   *batcher
	net       *network
	frozen    *activations
	forward   onnx.Session
	backward  onnx.Session
	params    []optim.Param
	grads     [][]float32
	results   onnx.Feeds // where loss and gradients land
	loss      []float32
	optimizer optim.Optimizer
}

// open prepares graphs, sessions and buffers.
func (t *trainer) open(ctx context.Context, rt onnx.Runtime) error {
	small, large, err := t.probes()
	if err != nil {
		return err
	}
	if t.net, err = open(ctx, rt, t.p, t.s.Unfreeze, t.s.Dropout > 0, small, large); err != nil {
		return err
	}
	if t.net.prefix != nil {
		report := func(done, total int) { t.report(Step{Stage: Freezing, Done: done, Of: total}) }
		if t.frozen, err = computeActivations(ctx, rt, t.net, t.p, t.batches, report); err != nil {
			return err
		}
	}
	if t.forward, err = rt.NewSession(t.net.forward); err == nil {
		t.backward, err = rt.NewSession(t.net.backward)
	}
	if err != nil {
		t.close()
		return fmt.Errorf("tune: %w", err)
	}
	t.loss = make([]float32, 1)
	t.results = onnx.Feeds{lossName: onnx.NewTensor(lossName, t.loss, 1)}
	deepest := 0
	for _, w := range t.net.weights {
		deepest = max(deepest, w.layer)
	}
	for _, w := range t.net.weights {
		grad := make([]float32, len(w.data))
		name := autodiff.GradientName(w.tensor.Name)
		t.grads = append(t.grads, grad)
		t.results[name] = onnx.NewTensor(name, grad, w.tensor.Shape...)
		scale := t.s.HeadScale
		if !w.head {
			scale = math.Pow(t.s.LayerDecay, float64(deepest-w.layer))
		}
		t.params = append(t.params, optim.Param{Name: w.tensor.Name, Value: w.data, Scale: scale, Decays: w.decays})
	}
	t.optimizer = &optim.AdamW{WeightDecay: t.s.WeightDecay}
	return nil
}

func (t *trainer) close() {
	for _, s := range []onnx.Session{t.forward, t.backward} {
		if s != nil {
			s.Close()
		}
	}
	t.frozen.close()
}

func (t *trainer) report(s Step) {
	if t.s.Progress != nil {
		t.s.Progress(s)
	}
}

// probes are two batches that differ in rows and, where examples do, in length.
func (t *trainer) probes() (small, large onnx.Feeds, err error) {
	byLength := t.batches.sorted(t.p.Train)
	var order []int
	for _, b := range byLength {
		order = append(order, b...)
	}
	longest, shortest := order[0], order[len(order)-1]
	if small, err = t.p.Examples.Feeds([]int{shortest, shortest}); err == nil {
		large, err = t.p.Examples.Feeds([]int{longest, longest, longest})
	}
	return small, large, err
}

// train runs the epochs.
func (t *trainer) train(ctx context.Context) (*Result, error) {
	perEpoch := (len(t.p.Train) + t.s.BatchSize - 1) / t.s.BatchSize
	total := perEpoch * t.s.Epochs
	best, history, step := t.snapshot(0), []Epoch{}, 0
	top := math.Inf(-1)
	if len(t.p.Validation) > 0 {
		score, err := t.score(ctx)
		if err != nil {
			return nil, err
		}
		top = score
		history = append(history, Epoch{Score: &score})
	}
	for epoch := 1; epoch <= t.s.Epochs; epoch++ {
		var sum float64
		for _, batch := range t.batches.epoch(t.p.Train, epoch) {
			rate := t.s.LearningRate * t.s.Schedule.At(step, int(t.s.Warmup*float64(total)), total)
			loss, norm, err := t.step(ctx, batch, step, rate)
			if err != nil {
				var gone *DivergedError
				if errors.As(err, &gone) && len(history) > 0 {
					r, back := t.result(best, history)
					return r, errors.Join(err, back)
				}
				return nil, err
			}
			sum += loss
			step++
			t.report(Step{Stage: Training, Done: step, Of: total, Epoch: epoch, Loss: loss, Norm: norm})
		}
		mean := sum / float64(perEpoch)
		e := Epoch{Number: epoch, Loss: &mean}
		if len(t.p.Validation) > 0 {
			score, err := t.score(ctx)
			if err != nil {
				return nil, err
			}
			e.Score = &score
		}
		history = append(history, e)
		if e.Score == nil {
			best = t.snapshot(epoch)
		} else if *e.Score > top {
			top, best = *e.Score, t.snapshot(epoch)
		}
		if t.s.Patience > 0 && epoch-best.epoch >= t.s.Patience {
			break
		}
	}
	return t.result(best, history)
}

// A snapshot is the weights after some epoch.
type snapshot struct {
	epoch int
	data  [][]float32
}

func (t *trainer) snapshot(epoch int) snapshot {
	s := snapshot{epoch: epoch}
	for _, w := range t.net.weights {
		s.data = append(s.data, append([]float32(nil), w.data...))
	}
	return s
}

// result puts the best weights into the backbone.
func (t *trainer) result(best snapshot, history []Epoch) (*Result, error) {
	r := &Result{History: history, Best: best.epoch, Settings: t.s}
	for i, w := range t.net.weights {
		copy(w.data, best.data[i])
		r.Trained += len(w.data)
	}
	var err error
	r.Model, r.Weight, r.Bias, err = t.net.writeBack(t.p.Model)
	return r, err
}

// step trains on one batch and returns the loss and the gradient's norm before clipping.
func (t *trainer) step(ctx context.Context, batch []int, step int, rate float64) (loss, norm float64, err error) {
	feeds, err := t.feeds(batch)
	if err != nil {
		return 0, 0, err
	}
	if feeds[autodiff.TargetInput], err = t.p.Targets(batch); err != nil {
		return 0, 0, fmt.Errorf("tune: %w", err)
	}
	if t.s.Dropout > 0 {
		feeds[dropoutMask] = t.mask(len(batch), step)
	}
	if into, ok := t.backward.(onnx.IntoRunner); ok {
		err = into.RunInto(ctx, taken(t.net.backward, feeds), t.results)
	} else {
		err = t.runCopying(ctx, feeds)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("tune: step %d: %w", step, err)
	}
	loss = float64(t.loss[0])
	norm = optim.Clip(t.grads, t.s.Clip)
	if v := loss + norm; math.IsNaN(v) || math.IsInf(v, 0) {
		return loss, norm, &DivergedError{Step: step, Loss: loss}
	}
	return loss, norm, t.optimizer.Step(t.params, t.grads, rate)
}

// runCopying serves runtimes that cannot write into the caller's memory.
func (t *trainer) runCopying(ctx context.Context, feeds onnx.Feeds) error {
	out, err := t.backward.Run(ctx, taken(t.net.backward, feeds))
	if err != nil {
		return err
	}
	for i, o := range out {
		got, err := onnx.View[float32](o)
		if err != nil {
			return err
		}
		if i == 0 {
			copy(t.loss, got)
		} else {
			copy(t.grads[i-1], got)
		}
	}
	return nil
}

// feeds are a batch's inputs: the backbone's, or what the frozen layers made of them, and the weights.
func (t *trainer) feeds(batch []int) (onnx.Feeds, error) {
	feeds, err := t.p.Examples.Feeds(batch)
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	if t.frozen != nil {
		tokens := 0
		for _, row := range batch {
			if t.frozen.lengths != nil {
				tokens = max(tokens, t.frozen.lengths[row])
			}
		}
		if feeds[t.net.boundary], err = t.frozen.batch(t.net.boundary, batch, tokens); err != nil {
			return nil, err
		}
	}
	for _, w := range t.net.weights {
		feeds[w.tensor.Name] = w.tensor
	}
	return feeds, nil
}

// mask draws which features are dropped: 0, or 1/(1−p), from the seed and the step alone.
func (t *trainer) mask(rows, step int) *onnx.Tensor {
	r := rand.New(rand.NewPCG(t.s.Seed^0x9e3779b97f4a7c15, uint64(step)))
	cols := t.p.Weight.Cols
	data, kept := make([]float32, rows*cols), float32(1/(1-t.s.Dropout))
	for i := range data {
		if r.Float64() >= t.s.Dropout {
			data[i] = kept
		}
	}
	return onnx.NewTensor(dropoutMask, data, int64(rows), int64(cols))
}

// score judges the validation examples with the weights as they are.
func (t *trainer) score(ctx context.Context) (float64, error) {
	place := map[int]int{}
	for i, row := range t.p.Validation {
		place[row] = i
	}
	logits := heads.NewMatrix(len(t.p.Validation), len(t.p.Bias))
	for _, batch := range t.batches.sorted(t.p.Validation) {
		feeds, err := t.feeds(batch)
		if err != nil {
			return 0, err
		}
		out, err := t.forward.Run(ctx, taken(t.net.forward, feeds))
		if err != nil {
			return 0, fmt.Errorf("tune: validation: %w", err)
		}
		data, err := onnx.View[float32](out[0])
		if err != nil {
			return 0, fmt.Errorf("tune: validation: %w", err)
		}
		for i, row := range batch {
			copy(logits.Row(place[row]), data[i*logits.Cols:(i+1)*logits.Cols])
		}
	}
	return t.p.Score(logits), nil
}
