package finetune

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// tokens is the form of inputs with many answers: each word has a row, that of its first token (Devlin et al. 2018). The
// backbone's output is N×L×D. Words that no token stands for have none.
type tokens[T any] struct{}

func (tokens[T]) rows(pre Preprocessor[T], examples []dataset.Example[T]) ([]place, error) {
	worded, ok := pre.(Worded[T])
	if !ok {
		return nil, fmt.Errorf("finetune: the backbone's inputs have no words to be tagged: token classification takes a text backbone")
	}
	first := make([][]int, len(examples))
	err := eachParallel(context.Background(), len(examples), 64, func(i int) (err error) {
		words := make([][2]int, len(examples[i].Words))
		for j, w := range examples[i].Words {
			words[j] = [2]int{w.Start, w.End}
		}
		if first[i], err = worded.FirstTokens(examples[i].Input, words); err != nil {
			return fmt.Errorf("finetune: %s: %w", examples[i].ID, err)
		}
		return nil
	})
	rows := []place{}
	for i, e := range examples {
		for j, token := range first[i] {
			if token >= 0 {
				rows = append(rows, place{i, j, token, [2]int{e.Words[j].Start, e.Words[j].End}})
			}
		}
	}
	return rows, err
}

func (tokens[T]) inputs(examples []dataset.Example[T]) []T { return dataset.Inputs(examples) }

func (f tokens[T]) features(ctx context.Context, rt onnx.Runtime, b *Backbone[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, ExtractStats, error) {
	out := b.Model.Graph.Outputs
	if len(out) != 1 || len(out[0].Shape) != 3 || !out[0].Shape[2].Known {
		return heads.Matrix{}, ExtractStats{}, fmt.Errorf("finetune: backbone %s must have one output, N×L×D, with a row for each token (pooling %q)", b.Name, onnx.PoolTokens)
	}
	if s.Cache != nil && s.digest == "" {
		var err error
		if s.digest, err = modelDigest(b.Model); err != nil {
			return heads.Matrix{}, ExtractStats{}, err
		}
	}
	orQuiet(s.Progress).Start(Extracting, len(examples))
	e := extraction[T]{rt: rt, name: b.Name, model: b.Model, output: out[0].Name, cols: int(out[0].Shape[2].Size), pre: b.Preprocessor}
	defer e.close()
	return f.run(ctx, &e, examples, s)
}

func (f tokens[T]) answers(ctx context.Context, e extraction[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, error) {
	m, _, err := f.run(ctx, &e, examples, s)
	return m, err
}

func (tokens[T]) join(m *onnx.Model, head heads.Head, cols int) (*onnx.Builder, *onnx.Value, error) {
	if len(m.Graph.Outputs) != 1 || len(m.Graph.Outputs[0].Shape) != 3 {
		return nil, nil, fmt.Errorf("the backbone has not one output N×L×D")
	}
	shape := slices.Clone(m.Graph.Outputs[0].Shape[:2])
	features, err := onlyOutput(m)
	if err != nil {
		return nil, nil, err
	}
	b := onnx.NewBuilder(m)
	logits, err := heads.EmitTokens(b, head, b.Value(features), cols)
	if err != nil {
		return nil, nil, err
	}
	one, err := head.Predict(heads.NewMatrix(1, cols))
	if err != nil {
		return nil, nil, err
	}
	logits.Type, logits.Shape = onnx.Float32, append(shape, onnx.Known(int64(one.Cols)))
	return b, logits, nil
}

// A tokenRun computes the rows of words of a model's output N×L×D.
type tokenRun[T any] struct {
	*extraction[T]
	examples []dataset.Example[T]
	rows     []place
	keys     []contentKey // of each row: the content of its input, and its token
	want     *wanted      // nil: there is no cache
	store    *rowStore
}

func (f tokens[T]) run(ctx context.Context, e *extraction[T], examples []dataset.Example[T], s ExtractSettings) (m heads.Matrix, stats ExtractStats, err error) {
	e.xs = dataset.Inputs(examples)
	if e.settings, err = s.withDefaults(); err != nil {
		return m, stats, err
	}
	r := tokenRun[T]{extraction: e, examples: examples}
	if r.rows, err = f.rows(e.pre, examples); err != nil {
		return m, stats, err
	}
	e.out = heads.NewMatrix(len(r.rows), e.cols)
	e.stats.Rows = len(examples)
	wanted := allIndices(len(examples))
	if e.settings.Cache != nil {
		if wanted, err = r.fromCache(ctx); err != nil {
			return m, e.stats, err
		}
		defer r.store.close()
	}
	e.stats.Cached, e.stats.Computed = len(examples)-len(wanted), len(wanted)
	e.settings.Progress.Add(e.stats.Cached)
	if len(wanted) > 0 {
		err = r.compute(ctx, wanted)
	}
	return e.out, e.stats, err
}

// fromCache fills in the rows the cache has, and returns the examples of others.
func (r *tokenRun[T]) fromCache(ctx context.Context) ([]int, error) {
	contents := make([][]byte, len(r.xs))
	err := eachParallel(ctx, len(r.xs), 64, func(i int) (err error) {
		if contents[i], err = r.pre.Content(r.xs[i]); err != nil {
			return fmt.Errorf("finetune: %s: %w", r.settings.Name(i), err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.keys = make([]contentKey, len(r.rows))
	for i, at := range r.rows {
		token := binary.BigEndian.AppendUint32([]byte("token"), uint32(at.token))
		r.keys[i] = keyOf(slices.Concat(token, contents[at.example]))
	}
	r.want = newWanted(r.keys)
	r.store = r.settings.Cache.open(cacheAbout{
		Model: r.name, ModelDigest: r.settings.digest, Output: r.output, Preprocessing: r.pre.Fingerprint(),
		Runtime: r.settings.RuntimeID, Type: "float32",
	}, r.settings.Progress.Warn)
	if r.store.cols() == r.cols {
		if err := r.store.read(ctx, r.want, r.out); err != nil {
			r.store.close()
			return nil, err
		}
	}
	var missing []int
	for i, at := range r.rows {
		if (!r.want.found[r.want.firstOf[i]] || at.example < r.live) && (len(missing) == 0 || missing[len(missing)-1] != at.example) {
			missing = append(missing, at.example)
		}
	}
	return missing, nil
}

// compute runs the named examples and fills in their rows.
func (r *tokenRun[T]) compute(ctx context.Context, indices []int) (err error) {
	plan, err := r.plan(ctx, indices)
	if err != nil {
		return err
	}
	r.stats.Batches = len(plan)
	if r.session == nil {
		if r.session, err = r.rt.NewSession(r.model); err != nil {
			return fmt.Errorf("finetune: %s: %w", r.name, err)
		}
	}
	runner := rowRunner[T]{pre: r.pre, name: r.settings.Name, alone: mixesRows(r.model)}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(r.settings.Workers)
	for _, batch := range plan {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error {
			feeds, err := runner.prepare(r.xs, batch)
			if err != nil {
				return err
			}
			out, err := r.session.Run(inner, feeds, r.output)
			if err == nil {
				err = r.keep(batch, out)
			}
			if err != nil {
				return fmt.Errorf("finetune: run %s and %d more: %w", r.settings.Name(batch[0]), len(batch)-1, err)
			}
			r.settings.Progress.Add(len(batch))
			return nil
		})
	}
	err = g.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("finetune: %w", ctx.Err())
	}
	return err
}

// keep takes the rows of a batch out of the model's answer.
func (r *tokenRun[T]) keep(batch []int, out []*onnx.Tensor) error {
	if len(out) != 1 || len(out[0].Shape) != 3 || out[0].Shape[0] < int64(len(batch)) || out[0].Shape[2] != int64(r.cols) {
		return fmt.Errorf("the output %s is not %d×L×%d", r.output, len(batch), r.cols)
	}
	data, err := onnx.View[float32](out[0])
	if err != nil {
		return err
	}
	length := int(out[0].Shape[1])
	for i, example := range batch {
		own := rowsOf(r.rows, example)
		for k := own.from; k < own.to; k++ {
			token := r.rows[k].token
			if token >= length {
				return fmt.Errorf("%s: the model gives %d tokens, the tokenizer at least %d", r.settings.Name(example), length, token+1)
			}
			row := data[(i*length+token)*r.cols:][:r.cols]
			for j, v := range row {
				if v-v != 0 {
					return fmt.Errorf("%s: the model's answer %d for token %d is %v, not a finite number", r.settings.Name(example), j, token, v)
				}
			}
			copy(r.out.Row(k), row)
			if r.want != nil && int(r.want.firstOf[k]) == k && !r.want.found[k] {
				r.store.add(r.keys[k], row)
			}
		}
	}
	return nil
}
