package baseline

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/onnx-graft/graft/heads"
)

// What a bag of words may cost.
const (
	mostWords      = 50_000    // columns
	mostParameters = 4_000_000 // columns times outputs
)

// Words learns from the words of texts and the pairs of neighbours among them, weighed by how rare they are, and answers
// the texts of test: N×K logits, or values. It is a logistic regression, one a label where y holds several, ridge where it
// holds numbers, with scikit-learn's C = 10, which is near the best on short texts. Words and weights come from train alone.
func Words[T any](ctx context.Context, train []T, y heads.Targets, test []T, words func(T) []string) (heads.Matrix, error) {
	learned, err := documents(ctx, train, words)
	if err != nil {
		return heads.Matrix{}, err
	}
	asked, err := documents(ctx, test, words)
	if err != nil {
		return heads.Matrix{}, err
	}
	v := newVocabulary(learned, max(1, min(mostWords, mostParameters/max(1, y.Outputs()))))
	return learn(ctx, v.bag(learned), y, v.bag(asked))
}

// Rows does as [Words] for rows of shares, like those of a histogram: of each the square root is taken, and rows are scaled
// to length 1, so that rows are compared as Hellinger's distance compares them.
func Rows(ctx context.Context, train heads.Matrix, y heads.Targets, test heads.Matrix) (heads.Matrix, error) {
	return learn(ctx, rooted(train), y, rooted(test))
}

// blockRows is how many rows are worked on at a time. It decides in what order sums are made up, so it is the same on
// every machine.
const blockRows = 256

// eachBlock calls f for every block of n rows, on all cores, until ctx ends.
func eachBlock(ctx context.Context, n int, f func(lo, hi int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	work := func() {
		for ctx.Err() == nil {
			lo := int(next.Add(blockRows)) - blockRows
			if lo >= n {
				return
			}
			f(lo, min(lo+blockRows, n))
		}
	}
	for range min(runtime.GOMAXPROCS(0), (n+blockRows-1)/blockRows) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return ctx.Err()
}
