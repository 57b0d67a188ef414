package finetune

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"golang.org/x/sync/errgroup"
)

// A rowRunner computes one row of a model's output for each input: it prepares batches and runs them side by side.
// No more than three batches per worker exist at a time.
type rowRunner[T any] struct {
	session onnx.Session
	output  string // the graph's output, N×D
	cols    int    // D; 0: the first batch tells
	pre     Preprocessor[T]
	workers int
	name    func(i int) string // of an input, in errors
	// alone runs a batch of one as it is. Otherwise the input runs beside itself: a runtime may take other kernels for a
	// single row, whose answers differ in the last bit, and a row's features should not depend on its company.
	alone bool
}

// A preparedBatch is a batch ready to run: the indices of its inputs, and their tensors.
type preparedBatch struct {
	batch []int
	feeds onnx.Feeds
}

// run computes the rows of every batch of the plan and gives them to keep, which is called by several goroutines at once
// and must not hold on to the rows.
func (r *rowRunner[T]) run(ctx context.Context, xs []T, plan [][]int, keep func(batch []int, rows heads.Matrix) error) error {
	g, inner := errgroup.WithContext(ctx)
	ready := make(chan preparedBatch, r.workers)
	var next atomic.Int64
	var preparing sync.WaitGroup
	for range r.workers {
		preparing.Add(1)
		g.Go(func() error {
			defer preparing.Done()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(plan) {
					return nil
				}
				feeds, err := r.prepare(xs, plan[i])
				if err != nil {
					return err
				}
				select {
				case ready <- preparedBatch{plan[i], feeds}:
				case <-inner.Done():
					return inner.Err()
				}
			}
		})
	}
	g.Go(func() error {
		preparing.Wait()
		close(ready)
		return nil
	})
	for range r.workers {
		g.Go(func() error { return r.consume(inner, ready, keep) })
	}
	err := g.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("finetune: %w", ctx.Err())
	}
	return err
}

// prepare makes a batch's tensors. An error names the input it comes from.
func (r *rowRunner[T]) prepare(xs []T, batch []int) (onnx.Feeds, error) {
	inputs := make([]T, len(batch), len(batch)+1)
	for i, j := range batch {
		inputs[i] = xs[j]
	}
	if len(batch) == 1 && !r.alone {
		inputs = append(inputs, inputs[0])
	}
	feeds, err := r.pre.Feeds(inputs)
	if err == nil {
		return feeds, nil
	}
	for i, j := range batch {
		if _, one := r.pre.Feeds(inputs[i : i+1]); one != nil {
			return nil, fmt.Errorf("finetune: %s: %w", r.name(j), one)
		}
	}
	return nil, fmt.Errorf("finetune: %s and %d more: %w", r.name(batch[0]), len(batch)-1, err)
}

// consume runs batches until there are no more.
func (r *rowRunner[T]) consume(ctx context.Context, ready <-chan preparedBatch, keep func([]int, heads.Matrix) error) error {
	recycler, _ := r.pre.(Recycler)
	var buffer []float32
	for {
		var p preparedBatch
		var ok bool
		select {
		case p, ok = <-ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !ok {
			return nil
		}
		rows, err := r.compute(ctx, p, &buffer)
		if err != nil {
			return err
		}
		if recycler != nil {
			recycler.Recycle(p.feeds)
		}
		for i := range p.batch {
			for j, v := range rows.Row(i) {
				if v-v != 0 {
					return fmt.Errorf("finetune: %s: the model's answer %d is %v, not a finite number", r.name(p.batch[i]), j, v)
				}
			}
		}
		if err := keep(p.batch, rows); err != nil {
			return err
		}
	}
}

// compute runs one batch, into the buffer where the session can and D is known.
func (r *rowRunner[T]) compute(ctx context.Context, p preparedBatch, buffer *[]float32) (heads.Matrix, error) {
	n := len(p.batch)
	if n == 1 && !r.alone {
		n = 2
	}
	wrong := func(err error) error {
		return fmt.Errorf("finetune: run %s and %d more: %w", r.name(p.batch[0]), len(p.batch)-1, err)
	}
	if into, ok := r.session.(onnx.IntoRunner); ok && r.cols > 0 {
		if cap(*buffer) < n*r.cols {
			*buffer = make([]float32, n*r.cols)
		}
		rows := heads.Matrix{Rows: n, Cols: r.cols, Data: (*buffer)[:n*r.cols]}
		out := onnx.NewTensor(r.output, rows.Data, int64(n), int64(r.cols))
		if err := into.RunInto(ctx, p.feeds, onnx.Feeds{r.output: out}); err != nil {
			return heads.Matrix{}, wrong(err)
		}
		return rows, nil
	}
	out, err := r.session.Run(ctx, p.feeds, r.output)
	if err != nil {
		return heads.Matrix{}, wrong(err)
	}
	if len(out) != 1 || len(out[0].Shape) != 2 || out[0].Shape[0] != int64(n) {
		return heads.Matrix{}, wrong(fmt.Errorf("the output %s is not %d×D", r.output, n))
	}
	data, err := onnx.View[float32](out[0])
	if err != nil {
		return heads.Matrix{}, wrong(err)
	}
	return heads.Matrix{Rows: n, Cols: int(out[0].Shape[1]), Data: data}, nil
}
