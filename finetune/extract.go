package finetune

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// ExtractSettings say how features are computed. The zero value uses all cores and no cache.
type ExtractSettings struct {
	Batch   int // inputs a batch where they all cost the same, pictures; 0: 8, or what is measured
	Tokens  int // tokens a batch where they do not, texts; 0: 512, or what is measured
	Workers int // batches prepared and batches run at a time; 0: one a core, for a session of one thread, or what is measured
	Threads int // of the session Sessions is asked for; 0: 1, or what is measured
	Cores   int // to be used in all; 0: GOMAXPROCS
	// Sessions returns a runtime whose sessions have that many threads. With it, what is 0 above is measured where the work
	// is long; nil: everything runs in the runtime that is given, and nothing is measured.
	Sessions func(threads int) onnx.Runtime
	Fixed    bool // nothing is measured: what is 0 above takes its usual value
	// Cache keeps rows between runs; nil: none.
	Cache *Cache
	// Store is the precision rows are kept in, with a cache or without: features computed now and features read later
	// are the same. "": [Float32].
	Store Precision
	// Memory is how many bytes of features [Run] keeps in memory. More lie in a file in the cache's folder, removed in the
	// end, of which the system keeps in memory what is looked at. 0: 1 GiB.
	Memory int64
	// RuntimeID identifies the runtime as far as its answers differ in the last bits, like "onnxruntime 1.30.0 cpu". It is
	// part of the cache's key.
	RuntimeID string
	// Name names input i in errors; nil: "row i".
	Name     func(i int) string
	Progress Progress
	Total    int // inputs that [ExtractStream] will be given, or about so many, for Progress alone; 0: not known

	digest    string         // of the model, where the caller knows it
	continued bool           // the stage has begun
	into      []float32      // room for the result; nil: it is made
	given     layout         // as the caller said
	shared    *sharedSession // of several extractions, whose owner closes it; nil: an extraction makes and closes its own
}

// A sharedSession is a session that the first who needs it makes.
type sharedSession struct {
	onnx.Session
	layout *layout
}

func (s *sharedSession) close() {
	if s.Session != nil {
		s.Session.Close()
	}
}

// A Precision is the type of the numbers that rows are kept in.
type Precision string

const (
	Float32 Precision = "float32" // as they are computed
	Float16 Precision = "float16" // half the room; each number is off by at most 1/2048 of itself
)

// Precisions lists them.
var Precisions = []Precision{Float32, Float16}

func (s ExtractSettings) withDefaults() (ExtractSettings, error) {
	if min(s.Batch, s.Tokens, s.Workers, s.Threads, s.Cores) < 0 {
		return s, fmt.Errorf("finetune: batch %d, tokens %d, workers %d, threads %d, cores %d: want numbers of 0 or more", s.Batch, s.Tokens, s.Workers, s.Threads, s.Cores)
	}
	s.given = layout{Workers: s.Workers, Threads: s.Threads, Batch: s.Batch, Tokens: s.Tokens}
	usual := s.candidates(true)[0]
	s.Batch, s.Tokens, s.Workers = usual.Batch, usual.Tokens, usual.Workers
	if s.Store = cmp.Or(s.Store, Float32); !slices.Contains(Precisions, s.Store) {
		return s, fmt.Errorf("finetune: rows cannot be kept in %q; there are %q", s.Store, Precisions)
	}
	s.Progress = orQuiet(s.Progress)
	if s.Name == nil {
		s.Name = func(i int) string { return "row " + strconv.Itoa(i) }
	}
	return s, nil
}

// ExtractStats tell where rows came from.
type ExtractStats struct {
	Rows     int // asked for
	Cached   int // found in the cache
	Computed int // run through the backbone; fewer than the rest where contents repeat
	Batches  int // that were run
	// Loss is how far half precision took the computed rows from what the backbone gave: the root of their mean squared
	// difference over that of their mean square. 0 with [Float32], and where nothing was computed.
	Loss float64
}

// Extract computes the features of inputs: row i of the N×D result is xs[i]'s. Rows do not depend on the order of xs,
// nor on what else is in it, nor on the number of workers: a batch holds inputs of one size only.
//
// With a cache, a content is computed once; whatever goes wrong with the cache is a warning and no more. When ctx ends,
// what has been computed is in the cache.
func Extract[T any](ctx context.Context, rt onnx.Runtime, b *Backbone[T], xs []T, s ExtractSettings) (heads.Matrix, ExtractStats, error) {
	output, cols, err := b.output()
	if err != nil {
		return heads.Matrix{}, ExtractStats{}, err
	}
	if s.Cache != nil && s.digest == "" {
		if s.digest, err = modelDigest(b.Model); err != nil {
			return heads.Matrix{}, ExtractStats{}, err
		}
	}
	e := extraction[T]{rt: rt, name: b.Name, model: b.Model, output: output, cols: cols, pre: b.Preprocessor, xs: xs, out: heads.Matrix{Data: s.into}}
	if s.shared != nil {
		e.session, e.chosen = s.shared.Session, s.shared.layout
		defer func() { s.shared.Session, s.shared.layout = e.session, e.chosen }()
	} else {
		defer e.close()
	}
	if !s.continued {
		orQuiet(s.Progress).Start(Extracting, len(xs))
	}
	return e.run(ctx, s)
}

// An extraction computes an N×D output of a model for inputs, by way of the cache.
type extraction[T any] struct {
	rt      onnx.Runtime
	name    string // of the model, for the cache's listing
	model   *onnx.Model
	output  string
	cols    int // 0: not known before the first batch
	pre     Preprocessor[T]
	xs      []T
	session onnx.Session // to run in; nil: one is made when it is needed
	live    int          // this many of the inputs are run whatever the cache has

	settings ExtractSettings
	chosen   *layout // nil: there has been no need
	lengths  []int   // sizes of the inputs, where they have been asked for
	out      heads.Matrix
	stats    ExtractStats
}

func (e *extraction[T]) run(ctx context.Context, s ExtractSettings) (heads.Matrix, ExtractStats, error) {
	var err error
	if e.settings, err = s.withDefaults(); err != nil {
		return heads.Matrix{}, e.stats, err
	}
	if e.lengths = nil; e.chosen != nil {
		e.use(*e.chosen)
	}
	e.stats.Rows = len(e.xs)
	if len(e.xs) == 0 {
		return heads.Matrix{Cols: e.cols}, e.stats, nil
	}
	if e.settings.Cache == nil {
		err = e.compute(ctx, allIndices(len(e.xs)), nil, nil)
	} else {
		err = e.throughCache(ctx)
	}
	if err != nil {
		return heads.Matrix{}, e.stats, err
	}
	return e.out, e.stats, nil
}

// close frees the session that was made.
func (e *extraction[T]) close() {
	if e.session != nil {
		e.session.Close()
	}
}

// throughCache fills in the rows the cache has, computes the others and stores them.
func (e *extraction[T]) throughCache(ctx context.Context) error {
	contents, err := contentsOf(ctx, e.pre, e.xs, e.settings.Name)
	if err != nil {
		return err
	}
	store := e.settings.Cache.open(cacheAbout{
		Model: e.name, ModelDigest: e.settings.digest, Output: e.output, Preprocessing: e.pre.Fingerprint(),
		Runtime: e.settings.RuntimeID, Type: string(e.settings.Store),
	}, e.settings.Progress.Warn)
	defer store.close()
	want := newWanted(contents)
	if cols := store.cols(); cols > 0 && (e.cols == 0 || e.cols == cols) {
		e.allot(cols)
		if err := store.read(ctx, want, e.out); err != nil {
			return err
		}
		e.stats.Cached = want.foundRows()
		e.settings.Progress.Add(e.stats.Cached)
	}
	missing := want.missing(e.live)
	if len(missing) == 0 {
		return nil
	}
	return e.compute(ctx, missing, want, store)
}

// contentsOf returns the keys of inputs' contents.
func contentsOf[T any](ctx context.Context, pre Preprocessor[T], xs []T, name func(i int) string) ([]contentKey, error) {
	contents := make([]contentKey, len(xs))
	err := eachParallel(ctx, len(xs), 64, func(i int) error {
		content, err := pre.Content(xs[i])
		if err != nil {
			return fmt.Errorf("finetune: %s: %w", name(i), err)
		}
		contents[i] = keyOf(content)
		return nil
	})
	return contents, err
}

// compute runs the named inputs and fills in their rows, and those of inputs with the same content.
func (e *extraction[T]) compute(ctx context.Context, indices []int, want *wanted, store *rowStore) error {
	if err := e.arrange(ctx, indices); err != nil {
		return err
	}
	plan, err := e.plan(ctx, indices)
	if err != nil {
		return err
	}
	r := rowRunner[T]{session: e.session, output: e.output, cols: e.cols, pre: e.pre, workers: e.settings.Workers, name: e.settings.Name, alone: mixesRows(e.model)}
	e.stats.Computed, e.stats.Batches = len(indices), len(plan)
	var sizing sync.Mutex
	var loss halfLoss
	defer func() { e.stats.Loss = loss.relative() }()
	return r.run(ctx, e.xs, plan, func(batch []int, rows heads.Matrix) error {
		sizing.Lock()
		if e.cols == 0 {
			e.cols = rows.Cols
		}
		cols := e.cols
		e.allot(cols)
		sizing.Unlock()
		if rows.Cols != cols {
			return fmt.Errorf("finetune: %s: the row has %d columns, others have %d", e.settings.Name(batch[0]), rows.Cols, cols)
		}
		if e.settings.Store == Float16 {
			if i, err := loss.round(rows, len(batch)); err != nil {
				return fmt.Errorf("finetune: %s: %w", e.settings.Name(batch[i]), err)
			}
		}
		done := 0
		for i, at := range batch {
			same := []int{at}
			if want != nil {
				same = want.rowsLike(at)
				if !want.found[at] {
					store.add(want.contents[at], rows.Row(i))
				}
			}
			for _, j := range same {
				copy(e.out.Row(j), rows.Row(i))
			}
			done += len(same)
		}
		e.settings.Progress.Add(done)
		return nil
	})
}

// allot makes the result's memory once D is known, of what an earlier window left where that is enough.
func (e *extraction[T]) allot(cols int) {
	n := len(e.xs)
	switch {
	case e.out.Rows == n && e.out.Cols == cols:
	case cap(e.out.Data) >= n*cols:
		e.out = heads.Matrix{Rows: n, Cols: cols, Data: e.out.Data[:n*cols]}
	default:
		e.out = heads.NewMatrix(n, cols)
	}
	e.cols = cols
}

// plan divides the named inputs into batches.
func (e *extraction[T]) plan(ctx context.Context, indices []int) ([][]int, error) {
	s := e.settings
	if mixesRows(e.model) {
		return planBatches(indices, nil, 1, 0), nil
	}
	sizes, err := e.sizes(ctx, indices)
	return planBatches(indices, sizes, s.Batch, s.Tokens), err
}

// sizes returns the sizes of the named inputs, at their places among all; nil where all are alike.
func (e *extraction[T]) sizes(ctx context.Context, indices []int) ([]int, error) {
	sizer, ok := e.pre.(Sizer[T])
	if !ok || e.lengths != nil {
		return e.lengths, nil
	}
	sizes := make([]int, len(e.xs))
	err := eachParallel(ctx, len(indices), 64, func(i int) error {
		sizes[indices[i]] = sizer.Size(e.xs[indices[i]])
		return nil
	})
	e.lengths = sizes
	return sizes, err
}

func allIndices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
