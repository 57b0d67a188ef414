package tune

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// A MemoryError says that training would take more memory than there is, and what to lower.
type MemoryError struct {
	Need, Have int64 // bytes, estimated and free
	Batch      int   // rows a batch, as set
	Fits       int   // rows a batch that would fit; 0 where one row does not
	Tokens     int   // of the longest example; 1 where there are none
	Weights    int64 // bytes of weights, gradients and the optimizer's state, which fewer layers or adapters lower
}

func (e *MemoryError) Error() string {
	advice := "unfreeze fewer layers (top:1), or train adapters (LoRA)"
	if e.Fits > 0 {
		advice = fmt.Sprintf("a batch size of %d (and accumulation) would fit; or %s", e.Fits, advice)
	}
	if e.Tokens > 1 {
		advice += fmt.Sprintf("; or cut texts, of which the longest has %d tokens", e.Tokens)
	}
	return fmt.Sprintf("tune: training in batches of %d takes about %s, of which weights, gradients and optimizer %s, and %s are free: %s",
		e.Batch, bytesText(e.Need), bytesText(e.Weights), bytesText(e.Have), advice)
}

func bytesText(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%d MB", n>>20)
}

// stateCopies is how many numbers a trained one takes: itself, its gradient, the optimizer's two means, the best so far, and
// what ONNX Runtime holds of weights and gradients while it runs.
const stateCopies = 6

// A footprint is what training takes, by the size of a batch.
type footprint struct {
	weights int64                // bytes whatever the batch
	batch   func(rows int) int64 // bytes of a batch of the longest examples
	tokens  int
}

// measureFootprint estimates what runs of the gradient graph take. small and large are the batches of examples, so many a row,
// that shapes was measured on.
func (n *network) measureFootprint(forward *onnx.Model, shapes *autodiff.Shapes, small, large onnx.Feeds, perRow int) {
	a, b := extentOf(small), extentOf(large)
	n.needs = footprint{tokens: int(b.Tokens), batch: func(rows int) int64 {
		return autodiff.Footprint(forward, n.backward, shapes, a, b, autodiff.Extent{Rows: int64(rows * perRow), Tokens: b.Tokens})
	}}
	for _, w := range n.weights {
		n.needs.weights += 4 * stateCopies * int64(len(w.data))
	}
	for _, t := range n.backward.Graph.Initializers { // ONNX Runtime's own copy of what stays frozen, and its packed form
		n.needs.weights += 2 * int64(len(t.Data))
	}
}

// extentOf reads rows and tokens from a batch: token ids are N×L.
func extentOf(feeds onnx.Feeds) autodiff.Extent {
	e := autodiff.Extent{Rows: int64(rowsOf(feeds)), Tokens: 1}
	for _, t := range feeds {
		if len(t.Shape) == 2 && t.Type == onnx.Int64 {
			e.Tokens = t.Shape[1]
		}
	}
	return e
}

// check compares the estimate with the memory there is: that given, or what the system has free where it is 0. A negative
// figure, or a system that does not tell, is no check.
func (f footprint) check(batch int, have int64) error {
	if have == 0 {
		have = freeMemory()
	}
	need := f.weights + f.batch(batch)
	if have <= 0 || need <= have {
		return nil
	}
	e := &MemoryError{Need: need, Have: have, Batch: batch, Tokens: f.tokens, Weights: f.weights}
	for rows := batch / 2; rows > 0 && e.Fits == 0; rows /= 2 {
		if f.weights+f.batch(rows) <= have {
			e.Fits = rows
		}
	}
	return e
}
