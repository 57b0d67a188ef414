package finetune

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Default sizes of batches: on CPUs the throughput is flat from about here, and memory is not.
const (
	defaultBatch  = 8
	defaultTokens = 512
)

// planBatches divides inputs, given by their indices, into batches. Inputs of one size make a batch together, of at most
// tokens in all, the largest sizes first; nil sizes are all alike and make batches of batch in order. What is in a
// batch depends on nothing else.
func planBatches(indices []int, sizes []int, batch, tokens int) [][]int {
	if sizes == nil {
		return slices.Collect(slices.Chunk(indices, batch))
	}
	order := slices.Clone(indices)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	var plan [][]int
	for len(order) > 0 {
		size := sizes[order[0]]
		most, n := max(1, tokens/max(size, 1)), 1
		for n < len(order) && n < most && sizes[order[n]] == size {
			n++
		}
		plan = append(plan, order[:n:n])
		order = order[n:]
	}
	return plan
}

// eachParallel calls f(0) … f(n-1) on all cores, in runs of chunk, and stops at the first error.
func eachParallel(ctx context.Context, n, chunk int, f func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), (n+chunk-1)/chunk) {
		g.Go(func() error {
			for {
				lo := int(next.Add(int64(chunk))) - chunk
				if lo >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("finetune: %w", err)
				}
				for i := lo; i < min(lo+chunk, n); i++ {
					if err := f(i); err != nil {
						return err
					}
				}
			}
		})
	}
	return g.Wait()
}
