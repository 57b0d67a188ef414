package finetune

import (
	"context"
	"errors"
	"sort"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// A form is how examples become the rows that a head reads, and how a head is joined to a backbone that makes them. What
// it knows nothing of is what the rows should be mapped to: that is a [goal].
type form[T any] interface {
	// rows tells which part of which example each row stands for; nil: row i stands for example i.
	rows(pre Preprocessor[T], examples []dataset.Example[T]) ([]place, error)
	// inputs are what a backbone reads of examples, in their order.
	inputs(examples []dataset.Example[T]) []T
	// features computes the rows of examples.
	features(ctx context.Context, rt onnx.Runtime, b *Backbone[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, ExtractStats, error)
	// answers computes, for the same rows, what a model gives that join made. e is told all but the inputs.
	answers(ctx context.Context, e extraction[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, error)
	// join appends a head fitted on N×cols features to a backbone's graph and returns its logits.
	join(m *onnx.Model, head heads.Head, cols int) (*onnx.Builder, *onnx.Value, error)
}

// A place is what a row of features stands for: a word of an example.
type place struct {
	example int
	word    int    // of the example's words
	token   int    // of the input: the word's first
	bytes   [2]int // of the input: where the word begins and ends
}

// exampleOf returns the example that row i stands for.
func exampleOf(rows []place, i int) int {
	if rows == nil {
		return i
	}
	return rows[i].example
}

// examplesOf returns the example that each row stands for.
func examplesOf(rows []place) []int {
	of := make([]int, len(rows))
	for i, r := range rows {
		of[i] = r.example
	}
	return of
}

// A span is rows from one up to but not including another.
type span struct{ from, to int }

// rowsOf returns the rows of an example; rows are in the order of examples.
func rowsOf(rows []place, example int) span {
	if rows == nil {
		return span{example, example + 1}
	}
	from := sort.Search(len(rows), func(i int) bool { return rows[i].example >= example })
	to := from
	for to < len(rows) && rows[to].example == example {
		to++
	}
	return span{from, to}
}

// part returns rows of a matrix, without a copy.
func part(m heads.Matrix, s span) heads.Matrix {
	return heads.Matrix{Rows: s.to - s.from, Cols: m.Cols, Data: m.Data[s.from*m.Cols : s.to*m.Cols]}
}

// formOf returns the form of a data set's examples.
func formOf[T any](target dataset.Target, inPairs bool) form[T] {
	switch {
	case target == dataset.Tags:
		return tokens[T]{}
	case inPairs:
		return pairs[T]{}
	}
	return single[T]{}
}

// single is the form of one input an example, which makes one row.
type single[T any] struct{}

func (single[T]) rows(Preprocessor[T], []dataset.Example[T]) ([]place, error) { return nil, nil }

func (single[T]) inputs(examples []dataset.Example[T]) []T { return dataset.Inputs(examples) }

func (single[T]) features(ctx context.Context, rt onnx.Runtime, b *Backbone[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, ExtractStats, error) {
	return Extract(ctx, rt, b, dataset.Inputs(examples), s)
}

func (single[T]) answers(ctx context.Context, e extraction[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, error) {
	e.xs = dataset.Inputs(examples)
	m, _, err := e.run(ctx, s)
	return m, err
}

func (single[T]) join(m *onnx.Model, head heads.Head, cols int) (*onnx.Builder, *onnx.Value, error) {
	features, err := onlyOutput(m)
	if err != nil {
		return nil, nil, err
	}
	b := onnx.NewBuilder(m)
	logits, err := head.Emit(b, b.Value(features))
	return b, logits, errors.Join(err, b.Err())
}
