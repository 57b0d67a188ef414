package finetune

import (
	"fmt"
	"math"
	"sync"

	"github.com/onnx-graft/graft/finetune/rowfile"
	"github.com/onnx-graft/graft/heads"
)

// halfLoss measures what half precision takes away. Its methods may be called by several goroutines at once.
type halfLoss struct {
	mu                 sync.Mutex
	square, difference float64 // sums over all numbers
}

// round gives the first n rows the numbers that half precision has. A number too large for it is an error of the row
// whose index comes with it.
func (l *halfLoss) round(rows heads.Matrix, n int) (int, error) {
	var square, difference float64
	stored := make([]byte, 0, 2*rows.Cols)
	exact := make([]float32, rows.Cols)
	for i := range n {
		row := rows.Row(i)
		if !rowfile.FitsHalf(row) {
			return i, fmt.Errorf("its features are too large for half precision; keep them in %s", Float32)
		}
		copy(exact, row)
		rowfile.FromHalf(row, rowfile.AppendHalf(stored[:0], row))
		for j, v := range exact {
			d := float64(v) - float64(row[j])
			square += float64(v) * float64(v)
			difference += d * d
		}
	}
	l.mu.Lock()
	l.square += square
	l.difference += difference
	l.mu.Unlock()
	return 0, nil
}

// relative is [ExtractStats.Loss].
func (l *halfLoss) relative() float64 {
	if l.square == 0 {
		return 0
	}
	return math.Sqrt(l.difference / l.square)
}

// add takes up what another extraction came to.
func (s *ExtractStats) add(more ExtractStats) {
	if all := s.Computed + more.Computed; all > 0 { // as rows go; their lengths are alike
		s.Loss = (s.Loss*float64(s.Computed) + more.Loss*float64(more.Computed)) / float64(all)
	}
	s.Rows += more.Rows
	s.Cached += more.Cached
	s.Computed += more.Computed
	s.Batches += more.Batches
}

// exact is s with rows as they are computed.
func (s ExtractSettings) exact() ExtractSettings {
	s.Store = Float32
	return s
}
