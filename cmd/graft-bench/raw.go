package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/onnx-graft/graft/onnx"
)

// A rawBatch is ready for a session: its tensors, and the shape of what comes out.
type rawBatch struct {
	feeds onnx.Feeds
	rows  []int // which inputs they are
	shape []int64
	size  int // numbers that come out
}

// A rawLoop is ONNX Runtime and nothing else: batches prepared beforehand are run, each worker's results landing in memory
// it keeps.
type rawLoop struct {
	session onnx.Session
	output  string
	batches []rawBatch
	workers int
	about   string
}

func (r *rawLoop) close() { r.session.Close() }

// run runs every batch; see, where it is not nil, is shown what came of each and must not hold on to it.
func (r *rawLoop) run(ctx context.Context, see func(b rawBatch, out []float32)) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	biggest := slices.MaxFunc(r.batches, func(a, b rawBatch) int { return cmp.Compare(a.size, b.size) }).size
	for range r.workers {
		g.Go(func() error {
			buffer := make([]float32, biggest)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(r.batches) {
					return nil
				}
				b := r.batches[i]
				out := onnx.NewTensor(r.output, buffer[:b.size], b.shape...)
				if err := runInto(ctx, r.session, b.feeds, out); err != nil {
					return err
				}
				if see != nil {
					see(b, buffer[:b.size])
				}
			}
		})
	}
	return g.Wait()
}

// contestant is the loop as one.
func (r *rawLoop) contestant() contestant {
	return contestant{"raw ONNX Runtime, " + r.about, func(ctx context.Context) (timing, error) {
		return clock(func() error { return r.run(ctx, nil) })
	}}
}

// A way of cutting the work into batches.
type cutting struct {
	about   string
	batches []rawBatch
}

// fastestRaw tries every way of cutting the work with each number of callers, who share the threads, on a sixth of the
// batches, and returns the loop that was fastest.
func fastestRaw(ctx context.Context, b *bench, m *onnx.Model, output string, cuttings []cutting, callers ...int) (*rawLoop, error) {
	var best *rawLoop
	var least float64
	callers = slices.Compact(callers)
	for _, workers := range callers {
		session, err := b.rt.With(b.threads / workers).NewSession(m)
		if err != nil {
			return nil, err
		}
		chosen := false
		for _, c := range cuttings {
			l := &rawLoop{session: session, output: output, batches: everySixth(c.batches), workers: workers}
			l.about = fmt.Sprintf("%s, %d × %d threads", c.about, workers, b.threads/workers)
			seconds, err := secondRun(ctx, l)
			if err != nil {
				return nil, errors.Join(err, session.Close())
			}
			b.say("  trial: %-45s %8.3f s", l.about, seconds)
			if best == nil || seconds < least {
				if best != nil && best.session != session {
					best.close()
				}
				least, chosen, best = seconds, true, l
				best.batches = c.batches
			}
		}
		if !chosen {
			session.Close()
		}
	}
	best.about += fmt.Sprintf(", the best of %d ways", len(cuttings)*len(callers))
	return best, nil
}

// secondRun runs a loop twice and returns the seconds of the second run.
func secondRun(ctx context.Context, l *rawLoop) (float64, error) {
	if _, err := l.contestant().run(ctx); err != nil {
		return 0, err
	}
	t, err := l.contestant().run(ctx)
	return t.Wall, err
}

func everySixth(batches []rawBatch) []rawBatch {
	var out []rawBatch
	for i := 0; i < len(batches); i += 6 {
		out = append(out, batches[i])
	}
	return out
}
