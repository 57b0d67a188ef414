package finetune

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// pairSuffix ends the names of the graph's inputs for the second of two texts: input_ids_b beside input_ids.
const pairSuffix = "_b"

// pairs is the form of two inputs an example: its row is made of the rows u and v of both, [u, v, |u−v|, u·v]. An input
// that occurs in several examples, or on both sides, is run once.
type pairs[T any] struct{}

func (pairs[T]) rows(Preprocessor[T], []dataset.Example[T]) ([]place, error) { return nil, nil }

func (pairs[T]) inputs(examples []dataset.Example[T]) []T {
	both := make([]T, 0, 2*len(examples))
	for _, e := range examples {
		both = append(both, e.Input, e.Second)
	}
	return both
}

func (pairs[T]) features(ctx context.Context, rt onnx.Runtime, b *Backbone[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, ExtractStats, error) {
	var distinct []T
	var first []int // the example that each of distinct is first of
	at := map[contentKey]int{}
	sides := [2][]int{make([]int, len(examples)), make([]int, len(examples))}
	for i, e := range examples {
		for side, x := range []T{e.Input, e.Second} {
			content, err := b.Preprocessor.Content(x)
			if err != nil {
				return heads.Matrix{}, ExtractStats{}, fmt.Errorf("finetune: %s: %w", e.ID, err)
			}
			key := keyOf(content)
			k, ok := at[key]
			if !ok {
				k = len(distinct)
				at[key], distinct, first = k, append(distinct, x), append(first, i)
			}
			sides[side][i] = k
		}
	}
	s.Name = func(i int) string { return examples[first[i]].ID }
	x, stats, err := Extract(ctx, rt, b, distinct, s)
	if err != nil {
		return x, stats, err
	}
	rows, err := heads.Pairs(x.Subset(sides[0]), x.Subset(sides[1]))
	return rows, stats, err
}

func (pairs[T]) answers(ctx context.Context, e extraction[T], examples []dataset.Example[T], s ExtractSettings) (heads.Matrix, error) {
	both := extraction[twoInputs[T]]{
		name: e.name, session: e.session, model: e.model, output: e.output, cols: e.cols, live: e.live, pre: pairFeeds[T]{e.pre},
	}
	for _, x := range examples {
		both.xs = append(both.xs, twoInputs[T]{x.Input, x.Second})
	}
	s.Tokens = cmp.Or(s.Tokens, defaultTokens) * sizeUnit
	m, _, err := both.run(ctx, s)
	return m, err
}

func (pairs[T]) join(m *onnx.Model, head heads.Head, cols int) (*onnx.Builder, *onnx.Value, error) {
	if err := onnx.Twin(m, pairSuffix); err != nil {
		return nil, nil, err
	}
	if len(m.Graph.Outputs) != 2 {
		return nil, nil, fmt.Errorf("the backbone gives %d outputs for two inputs, want one each", len(m.Graph.Outputs))
	}
	u, v := m.Graph.Outputs[0].Name, m.Graph.Outputs[1].Name
	m.Graph.Outputs = nil
	b := onnx.NewBuilder(m)
	features := heads.EmitPairs(b.Scope("pair"), b.Value(u), b.Value(v))
	logits, err := head.Emit(b, features)
	return b, logits, errors.Join(err, b.Err())
}

// readsPairs tells whether a graph has inputs for two texts.
func readsPairs(m *onnx.Model) bool {
	first := map[string]bool{}
	for _, v := range m.Inputs() {
		first[v.Name] = true
	}
	return slices.ContainsFunc(m.Inputs(), func(v *onnx.Value) bool {
		return strings.HasSuffix(v.Name, pairSuffix) && first[strings.TrimSuffix(v.Name, pairSuffix)]
	})
}

// firstInputs returns the model as preprocessing sees it that knows of one text only. It shares all with m.
func firstInputs(m *onnx.Model) *onnx.Model {
	if !readsPairs(m) {
		return m
	}
	view, graph := *m, *m.Graph
	graph.Inputs = slices.DeleteFunc(slices.Clone(graph.Inputs), func(v *onnx.Value) bool { return strings.HasSuffix(v.Name, pairSuffix) })
	view.Graph = &graph
	return &view
}

// twoInputs are both inputs of an example.
type twoInputs[T any] struct{ first, second T }

// pairFeeds is a Preprocessor of two inputs, each prepared as one.
type pairFeeds[T any] struct{ one Preprocessor[T] }

func (p pairFeeds[T]) Feeds(batch []twoInputs[T]) (onnx.Feeds, error) {
	var sides [2][]T
	for _, x := range batch {
		sides[0], sides[1] = append(sides[0], x.first), append(sides[1], x.second)
	}
	feeds, err := p.one.Feeds(sides[0])
	if err != nil {
		return nil, err
	}
	second, err := p.one.Feeds(sides[1])
	if err != nil {
		return nil, err
	}
	feeds = maps.Clone(feeds)
	for name, t := range second {
		feeds[name+pairSuffix] = t
	}
	return feeds, nil
}

func (p pairFeeds[T]) Content(x twoInputs[T]) ([]byte, error) {
	first, err := p.one.Content(x.first)
	if err != nil {
		return nil, err
	}
	second, err := p.one.Content(x.second)
	if err != nil {
		return nil, err
	}
	return slices.Concat(binary.AppendUvarint(nil, uint64(len(first))), first, second), nil
}

func (p pairFeeds[T]) Fingerprint() string { return "pairs of " + p.one.Fingerprint() }

// sizeUnit is what one token counts in the sizes of pairs.
const sizeUnit = 1 << 20

// Size implements [Sizer], in units of 1/sizeUnit token: pairs of one size have first inputs of one size and second inputs
// of one size, so nothing is padded.
func (p pairFeeds[T]) Size(x twoInputs[T]) int {
	sizer, ok := p.one.(Sizer[T])
	if !ok {
		return sizeUnit
	}
	first := sizer.Size(x.first)
	return (first+sizer.Size(x.second))*sizeUnit + first
}
