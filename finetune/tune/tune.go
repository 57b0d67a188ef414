// Package tune trains a backbone's own weights on a stock inference runtime: the graph it makes returns the loss and the
// gradients of a batch, and the weights are updated in Go.
//
// Layers that stay frozen run once: what they make of each example is kept, and each epoch starts from there.
package tune

import (
	"context"
	"errors"

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
	Model   *onnx.Model  // one N×D float32 output, or N×L×D for Tokens; not changed
	Weight  heads.Matrix // K×D weights of the head: logits = features·Weightᵀ + Bias
	Bias    []float32    // K
	Loss    autodiff.Loss
	Targets func(rows []int) (*onnx.Tensor, error) // what Loss takes for some rows: as many as there are logits, of K numbers

	// Examples are rows, one each, unless Pairs or Tokens say otherwise.
	Examples Examples
	// Pairs says that row r is of the examples 2r and 2r+1: the head reads [heads.EmitPairs] of their features, so Weight is K×4D.
	Pairs bool
	// Tokens lists tokens of each example: the head reads the features of each of these, and gives logits for each.
	Tokens [][]int
	// View returns the examples as they look in their view number 1, 2, …: changed at random, of the same sizes, the same at
	// each call. Nil: training sees them as they are. Validation always does.
	View       func(view int) Examples
	Train      []int // rows to learn from
	Validation []int // rows to choose the best epoch by; empty keeps the last
	// Score judges the logits of the Validation rows, in that order: higher is better.
	Score func(logits heads.Matrix) float64

	Scratch string // folder for activations that are not kept; "" is the system's for temporary files
	// Kept is where activations of frozen layers stay for later runs on the same examples; nil: they go when the run ends.
	Kept *Kept
	// Identity names what the examples and targets are, for people: a checkpoint of a run with another identity is refused.
	Identity map[string]string
}

// A Stage is a part of a run.
type Stage string

const (
	Freezing Stage = "frozen layers" // every example goes once through the layers that stay
	Finding  Stage = "learning rate" // of the range test
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
	Changed  []*onnx.Tensor // the weights of Model that are new, by their names in it
	History  []Epoch
	Best     int         // the epoch whose weights these are; 0: those it began with
	Rates    []RatePoint // what the learning-rate finder saw; nil where it was not asked
	Settings Settings    // as they were used, defaults filled in
	Trained  int         // numbers that were trained
	Resumed  int         // the step a checkpoint let the run go on from; 0: it began anew
}

// Run trains: AdamW with decoupled decay on matrices, warm-up and linear decay of the rate, the head ten times as fast, the
// gradient clipped to norm 1, dropout of a tenth of the features. The weights of the epoch with the best validation score
// are returned, or those of the last. On a [DivergedError] the best weights so far are returned beside it, where there are
// validation examples to tell.
//
// The same problem, settings and number of threads give the same bytes, however often the run was killed and resumed.
func Run(ctx context.Context, rt onnx.Runtime, p *Problem, s Settings) (*Result, error) {
	if len(p.Train) == 0 {
		return nil, errors.New("tune: no training examples")
	}
	s = s.withDefaults(len(p.Train))
	if err := s.check(p); err != nil {
		return nil, err
	}
	t := &trainer{p: p, s: s, rt: rt, frozen: map[int]*activations{}}
	examples, rows := p.sizes()
	t.batches, t.singles = &batcher{batch: s.BatchSize, seed: s.Seed, sizes: rows}, &batcher{batch: s.BatchSize, seed: s.Seed, sizes: examples}
	l := &loop{trainer: t}
	if err := l.lookForCheckpoint(); err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	return l.run(ctx)
}
