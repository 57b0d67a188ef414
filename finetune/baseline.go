package finetune

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/onnx-graft/graft/finetune/baseline"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"golang.org/x/sync/errgroup"
)

// A Baseline is what answers that need no backbone come to on held-out rows.
type Baseline struct {
	Name    string             `json:"name"` // "majority class", "bag of words", "colour histogram", …
	Rows    int                `json:"rows"` // of the held-out rows; not all of them where that would take long
	Metrics map[string]float64 `json:"metrics"`
}

// A Termer is a [Preprocessor] that tells the words of an input without a model, for a bag of words to learn from.
type Termer[T any] interface {
	Terms(x T) []string
}

// A Colourer is a [Preprocessor] that tells the shares of colours in an input without a model: rows of one length.
type Colourer[T any] interface {
	Colours(x T) ([]float32, error)
}

// How many rows baselines learn from and are judged on at most.
const (
	wordedRows   = 20_000
	colouredRows = 2_000
)

// baselines judges plain ways of answering on the held-out rows.
func (w *workshop[T]) baselines(ctx context.Context) (list []Baseline, err error) {
	err = w.eachBaseline(ctx, func(name string, rows []int, answers heads.Matrix) error {
		list, err = w.judged(list, name, rows, answers)
		return err
	})
	return list, err
}

// constants name the answer that is always the same.
var constants = map[Problem]string{MultiLabel: "every label's share", Regression: "mean"}

// eachBaseline calls f with the answers of each baseline for the named rows of test.
func (w *workshop[T]) eachBaseline(ctx context.Context, f func(name string, rows []int, answers heads.Matrix) error) error {
	all := allIndices(w.test.x.Rows)
	name := cmp.Or(constants[w.goal.problem()], "majority class")
	if err := f(name, all, baseline.Constant(w.train.y, len(all))); err != nil || w.train.rows != nil {
		return err
	}
	seed := w.settings.Probe.Seed
	switch p := w.given.Preprocessor.(type) {
	case Termer[T]:
		learn, ask := someOf(w.train.x.Rows, wordedRows, seed), someOf(len(all), wordedRows, seed)
		terms := func(e dataset.Example[T]) []string { return termsOf(p, e, w.data.Pairs) }
		answers, err := baseline.Words(ctx, examplesAt(w.data.Train, learn), w.train.y.Subset(learn), examplesAt(w.data.Test, ask), terms)
		if err != nil {
			return fmt.Errorf("finetune: %w", err)
		}
		return f("bag of words", ask, answers)
	case Colourer[T]:
		learn, ask := someOf(w.train.x.Rows, colouredRows, seed), someOf(len(all), colouredRows, seed)
		x, err := w.colours(ctx, p, dataset.Inputs(slices.Concat(examplesAt(w.data.Train, learn), examplesAt(w.data.Test, ask))))
		if err != nil {
			return err
		}
		cut := len(learn) * x.Cols
		answers, err := baseline.Rows(ctx, heads.Matrix{Rows: len(learn), Cols: x.Cols, Data: x.Data[:cut]}, w.train.y.Subset(learn),
			heads.Matrix{Rows: len(ask), Cols: x.Cols, Data: x.Data[cut:]})
		if err != nil {
			return fmt.Errorf("finetune: %w", err)
		}
		return f("colour histogram", ask, answers)
	}
	return nil
}

// judged appends a baseline's judgement on the named rows of test.
func (w *workshop[T]) judged(list []Baseline, name string, rows []int, answers heads.Matrix) ([]Baseline, error) {
	of, places := truths(w.data.Test), w.test.rows
	if places == nil {
		some := make([]truth, len(rows))
		for i, r := range rows {
			some[i] = of[r]
		}
		of = some
	}
	report, err := w.goal.report(of, w.data.Labels, places, answers)
	if err != nil {
		return nil, fmt.Errorf("finetune: %s: %w", name, err)
	}
	return append(list, Baseline{Name: name, Rows: len(rows), Metrics: report.Metrics}), nil
}

// someOf returns at most limit of n rows, ascending, drawn by seed.
func someOf(n, limit int, seed uint64) []int {
	if n <= limit {
		return allIndices(n)
	}
	rows := rand.New(rand.NewPCG(seed, 0x736f6d65)).Perm(n)[:limit]
	slices.Sort(rows)
	return rows
}

func examplesAt[T any](examples []dataset.Example[T], rows []int) []dataset.Example[T] {
	out := make([]dataset.Example[T], len(rows))
	for i, r := range rows {
		out[i] = examples[r]
	}
	return out
}

// termsOf returns the words of an example; of a pair, which of them are in both texts and which in one, and how large the
// part is that they share.
func termsOf[T any](p Termer[T], e dataset.Example[T], pairs bool) []string {
	first := p.Terms(e.Input)
	if !pairs {
		return first
	}
	second := map[string]bool{}
	for _, t := range p.Terms(e.Second) {
		second[t] = true
	}
	var terms []string
	shared := 0
	for _, t := range first {
		if second[t] {
			shared++
			delete(second, t)
			terms = append(terms, "both "+t)
		} else {
			terms = append(terms, "one "+t)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(second)) {
		terms = append(terms, "one "+t)
	}
	for tenth := range 10 * shared / max(1, len(terms)) {
		terms = append(terms, fmt.Sprint("tenth ", tenth))
	}
	return terms
}

// colours describes inputs by their colours, by way of the cache.
func (w *workshop[T]) colours(ctx context.Context, c Colourer[T], xs []T) (heads.Matrix, error) {
	s := w.settings.Extract
	s.Progress = warnings{w.settings.Progress}
	x, _, err := Extract(ctx, plainRuntime{}, &Backbone[T]{
		Name: "colour histogram", Model: identity(), Preprocessor: &colourFeeds[T]{Preprocessor: w.given.Preprocessor, colours: c},
	}, xs, s)
	return x, err
}

// warnings passes nothing on but warnings.
type warnings struct{ Progress }

func (warnings) Start(Stage, int) {}
func (warnings) Add(int)          {}

// colourFeeds is a Preprocessor whose tensor is the description itself.
type colourFeeds[T any] struct {
	Preprocessor[T]
	colours Colourer[T]
}

// Fingerprint implements Preprocessor.
func (f *colourFeeds[T]) Fingerprint() string { return "colours/1 of " + f.Preprocessor.Fingerprint() }

// Feeds implements Preprocessor.
func (f *colourFeeds[T]) Feeds(batch []T) (onnx.Feeds, error) {
	rows := make([][]float32, len(batch))
	var each errgroup.Group
	for i, x := range batch {
		each.Go(func() (err error) {
			rows[i], err = f.colours.Colours(x)
			return err
		})
	}
	if err := each.Wait(); err != nil {
		return nil, err
	}
	t := onnx.NewTensor(plainName, slices.Concat(rows...), int64(len(rows)), int64(len(rows[0])))
	return onnx.Feeds{plainName: t}, nil
}

// plainName is the tensor that a plainRuntime gives back.
const plainName = "plain"

// identity is the graph of a backbone that adds nothing.
func identity() *onnx.Model {
	return &onnx.Model{
		IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}},
		Graph: &onnx.Graph{
			Nodes:   []*onnx.Node{{OpType: "Identity", Inputs: []string{plainName}, Outputs: []string{plainName + "_rows"}}},
			Inputs:  []*onnx.Value{{Name: plainName, Type: onnx.Float32}},
			Outputs: []*onnx.Value{{Name: plainName + "_rows", Type: onnx.Float32}},
		},
	}
}

// plainRuntime runs [identity].
type plainRuntime struct{}

func (plainRuntime) NewSession(*onnx.Model) (onnx.Session, error) { return plainRuntime{}, nil }
func (plainRuntime) Close() error                                 { return nil }
func (plainRuntime) Run(_ context.Context, feeds onnx.Feeds, _ ...string) ([]*onnx.Tensor, error) {
	return []*onnx.Tensor{feeds[plainName]}, nil
}

// Headline is the metric a model's report is read by first: "eval_accuracy" of classes, "eval_f1" of entities,
// "eval_f1_micro" of several labels, "eval_spearmanr" of numbers.
func Headline(r metrics.Report) string {
	switch r.Task {
	case heads.MultiLabel:
		return "eval_f1_micro"
	case heads.Regression:
		return "eval_spearmanr"
	case metrics.TokenClassification:
		return "eval_f1"
	}
	return "eval_accuracy"
}
