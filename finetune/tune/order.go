package tune

import (
	"math/rand/v2"
	"slices"
)

// A batcher cuts an epoch's examples into batches of similar size.
type batcher struct {
	sizes []int // of every example
	batch int
	seed  uint64
}

// window is how many batches are sorted by size together: enough that little is padded, few enough that what meets in a batch
// is still left to chance.
const window = 16

// epoch returns the batches of one epoch in the order they are trained on: shuffled, sorted by size within windows, and
// the batches shuffled again. The same seed and epoch give the same batches.
func (b *batcher) epoch(rows []int, epoch int) [][]int {
	r := rand.New(rand.NewPCG(b.seed, uint64(epoch)))
	rows = slices.Clone(rows)
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for part := range slices.Chunk(rows, window*b.batch) {
		slices.SortStableFunc(part, func(i, j int) int { return b.sizes[i] - b.sizes[j] })
	}
	batches := slices.Collect(slices.Chunk(rows, b.batch))
	r.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	return batches
}

// sorted returns batches for evaluation: by size, longest first.
func (b *batcher) sorted(rows []int) [][]int {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(i, j int) int { return b.sizes[j] - b.sizes[i] })
	return slices.Collect(slices.Chunk(rows, b.batch))
}
