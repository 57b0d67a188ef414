package finetune

import (
	"context"
	"iter"
	"strconv"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// streamWindow is how many inputs ExtractStream holds at a time.
const streamWindow = 1 << 15

// ExtractStream is [Extract] for more inputs than memory holds: it computes the features of inputs as they come, a window
// of 32,768 at a time, and gives them to keep in order. keep must not hold on to the rows, whose memory is used again;
// its error ends the work, as one that comes with an input does. The rows are the same, bit for bit, as Extract's.
func ExtractStream[T any](ctx context.Context, rt onnx.Runtime, b *Backbone[T], in iter.Seq2[T, error], s ExtractSettings, keep func(rows heads.Matrix) error) (ExtractStats, error) {
	var total ExtractStats
	output, cols, err := b.output()
	if err != nil {
		return total, err
	}
	if s.Cache != nil && s.digest == "" {
		if s.digest, err = modelDigest(b.Model); err != nil {
			return total, err
		}
	}
	name := s.Name
	if name == nil {
		name = func(i int) string { return "row " + strconv.Itoa(i) }
	}
	s.Name = func(i int) string { return name(total.Rows + i) }
	e := extraction[T]{rt: rt, name: b.Name, model: b.Model, output: output, cols: cols, pre: b.Preprocessor}
	defer e.close()
	orQuiet(s.Progress).Start(Extracting, s.Total)
	window := func() error {
		e.stats = ExtractStats{}
		rows, stats, err := e.run(ctx, s)
		if err != nil {
			return err
		}
		total.add(stats)
		clear(e.xs) // lets go of the inputs
		e.xs = e.xs[:0]
		return keep(rows)
	}
	for x, err := range in {
		if err != nil {
			return total, err
		}
		if e.xs = append(e.xs, x); len(e.xs) == streamWindow {
			if err := window(); err != nil {
				return total, err
			}
		}
	}
	if len(e.xs) > 0 {
		err = window()
	}
	return total, err
}
