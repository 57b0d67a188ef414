package tune

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// newGradient is a gradient of zero.
func (w *weight) newGradient() optim.Gradient {
	g := optim.Gradient{Data: make([]float32, len(w.data))}
	if w.table {
		g.Width = int(w.tensor.Shape[1])
	}
	return g
}

// gradients computes loss and gradients of one batch; number is its place among all batches of the run.
func (t *trainer) gradients(ctx context.Context, batch []int, view, number int) error {
	feeds, err := t.feeds(ctx, batch, view)
	if err != nil {
		return err
	}
	if feeds[autodiff.TargetInput], err = t.p.Targets(batch); err != nil {
		return err
	}
	if t.s.Mixup > 0 {
		if err := t.mix(feeds, len(batch), number); err != nil {
			return err
		}
	}
	if t.s.Dropout > 0 {
		feeds[dropoutMask] = t.mask(t.p.answers(batch...), number)
	}
	results := maps.Clone(t.results)
	if err := runInto(ctx, t.backward, taken(t.net.backward, feeds), results); err != nil {
		return err
	}
	return t.takeRows(results)
}

// takeRows puts the gradients of looked-up rows into those of their tables; all others are in place.
func (t *trainer) takeRows(results onnx.Feeds) error {
	for i, w := range t.net.weights {
		if !w.table {
			continue
		}
		rows, err := onnx.View[float32](results[autodiff.RowsName(w.tensor.Name)])
		if err != nil {
			return err
		}
		indices, err := onnx.View[int64](results[autodiff.IndicesName(w.tensor.Name)])
		if err != nil {
			return err
		}
		if err := t.grads[i].SetRows(indices, rows); err != nil {
			return fmt.Errorf("weight %q: %w", w.tensor.Name, err)
		}
	}
	return nil
}

// runInto computes the outputs named by results into those tensors, and puts new ones where there is none.
func runInto(ctx context.Context, s onnx.Session, feeds, results onnx.Feeds) error {
	if into, ok := s.(onnx.IntoRunner); ok {
		return into.RunInto(ctx, feeds, results)
	}
	names := slices.Collect(maps.Keys(results))
	out, err := s.Run(ctx, feeds, names...)
	if err != nil {
		return err
	}
	for i, name := range names { // for runtimes that cannot write into the caller's memory
		if results[name] == nil {
			results[name] = out[i]
		} else {
			copy(results[name].Data, out[i].Data)
		}
	}
	return nil
}

// feeds are a batch's inputs: the backbone's, or what the frozen layers made of them, and the weights.
func (t *trainer) feeds(ctx context.Context, batch []int, view int) (onnx.Feeds, error) {
	examples := t.p.examplesOf(batch)
	feeds, err := t.examples(view).Feeds(examples)
	if err != nil {
		return nil, err
	}
	switch kept := t.frozen[view]; {
	case t.net.prefix == nil:
	case kept != nil:
		tokens := 0
		for _, example := range examples {
			if kept.Lengths != nil {
				tokens = max(tokens, kept.Lengths[example])
			}
		}
		if feeds[t.net.boundary], err = kept.batch(t.net.boundary, examples, tokens); err != nil {
			return nil, err
		}
	default:
		if t.prefix == nil {
			if t.prefix, err = t.rt.NewSession(t.net.prefix); err != nil {
				return nil, err
			}
		}
		out, err := t.prefix.Run(ctx, taken(t.net.prefix, feeds))
		if err != nil {
			return nil, err
		}
		feeds[t.net.boundary] = out[0]
	}
	if t.p.Tokens != nil {
		feedTokens(feeds, t.p.tokensOf(batch))
	}
	for _, w := range t.net.weights {
		feeds[w.tensor.Name] = w.tensor
	}
	return feeds, nil
}

// mask draws which features are dropped: 0, or 1/(1−p), from the seed and the batch's number alone.
func (t *trainer) mask(rows, number int) *onnx.Tensor {
	r := rand.New(rand.NewPCG(t.s.Seed^0x9e3779b97f4a7c15, uint64(number)))
	cols := t.p.Weight.Cols
	data, kept := make([]float32, rows*cols), float32(1/(1-t.s.Dropout))
	for i := range data {
		if r.Float64() >= t.s.Dropout {
			data[i] = kept
		}
	}
	return onnx.NewTensor(dropoutMask, data, int64(rows), int64(cols))
}
