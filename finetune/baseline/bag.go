package baseline

import (
	"cmp"
	"context"
	"hash/fnv"
	"math"
	"slices"
)

// A bag is a sparse N×V matrix: the entries of row i are at start[i] to start[i+1].
type bag struct {
	rows, cols int
	start      []int
	col        []int32 // ascending within a row
	val        []float32
}

// vocabulary maps what occurs in training texts to columns, and columns to their weight.
type vocabulary struct {
	column map[uint64]int32
	weight []float32 // smoothed inverse document frequency: ln((1+N)/(1+n)) + 1
}

// rarest is the number of training texts a word or pair must occur in; what occurs once cannot be learned from much.
const rarest = 2

// newVocabulary takes what is in at least two of the documents (in any, where nothing is in two), the most frequent first
// where that is more than limit.
func newVocabulary(documents [][]uint64, limit int) *vocabulary {
	count := map[uint64]int{}
	for _, d := range documents {
		for _, key := range d {
			count[key]++
		}
	}
	type entry struct {
		key uint64
		n   int
	}
	var kept []entry
	for _, least := range []int{rarest, 1} {
		for key, n := range count {
			if n >= least {
				kept = append(kept, entry{key, n})
			}
		}
		if len(kept) > 0 {
			break
		}
	}
	slices.SortFunc(kept, func(a, b entry) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.key, b.key)) })
	kept = kept[:min(len(kept), limit)]
	v := &vocabulary{column: make(map[uint64]int32, len(kept)), weight: make([]float32, len(kept))}
	for j, e := range kept {
		v.column[e.key] = int32(j)
		v.weight[j] = float32(math.Log(float64(1+len(documents))/float64(1+e.n)) + 1)
	}
	return v
}

// bag weighs documents: each entry its inverse document frequency, each row of length 1. A document says of each key once
// that it is there: in short texts how often says no more.
func (v *vocabulary) bag(documents [][]uint64) *bag {
	b := &bag{rows: len(documents), cols: len(v.weight), start: make([]int, 1, len(documents)+1)}
	for _, d := range documents {
		from := len(b.col)
		for _, key := range d {
			if j, ok := v.column[key]; ok {
				b.col = append(b.col, j)
			}
		}
		row := b.col[from:]
		slices.Sort(row)
		var square float64
		for _, j := range row {
			square += float64(v.weight[j]) * float64(v.weight[j])
		}
		for _, j := range row {
			b.val = append(b.val, float32(float64(v.weight[j])/math.Sqrt(square)))
		}
		b.start = append(b.start, len(b.col))
	}
	return b
}

// transposed returns the V×N matrix.
func (b *bag) transposed() *bag {
	t := &bag{rows: b.cols, cols: b.rows, start: make([]int, b.cols+1), col: make([]int32, len(b.col)), val: make([]float32, len(b.col))}
	for _, j := range b.col {
		t.start[j+1]++
	}
	for j := range b.cols {
		t.start[j+1] += t.start[j]
	}
	at := slices.Clone(t.start)
	for i := range b.rows {
		for e := b.start[i]; e < b.start[i+1]; e++ {
			j := b.col[e]
			t.col[at[j]], t.val[at[j]] = int32(i), b.val[e]
			at[j]++
		}
	}
	return t
}

// keysOf returns the digests of the distinct words of a text and of its distinct pairs of neighbours, ascending.
func keysOf(words []string) []uint64 {
	keys := make([]uint64, 0, 2*len(words))
	for i, w := range words {
		keys = append(keys, key(w))
		if i > 0 {
			keys = append(keys, key(words[i-1], w))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func key(words ...string) uint64 {
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// documents splits texts side by side.
func documents[T any](ctx context.Context, texts []T, words func(T) []string) ([][]uint64, error) {
	out := make([][]uint64, len(texts))
	err := eachBlock(ctx, len(texts), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out[i] = keysOf(words(texts[i]))
		}
	})
	return out, err
}
