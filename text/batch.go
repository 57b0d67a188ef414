package text

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// An Input is a text, or a pair of texts where Pair is not nil.
type Input struct {
	Text string
	Pair *string
}

// EncodeBatch encodes many inputs on all cores. Padding to the longest looks at all of them.
func (t *Tokenizer) EncodeBatch(inputs []Input, o EncodeOptions) ([]*Encoding, error) {
	out := make([]*Encoding, len(inputs))
	err := parallel(len(inputs), func(i int) error {
		e, err := t.encode(inputs[i].Text, inputs[i].Pair, &o)
		out[i] = e
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.Padding != nil {
		o.Padding.apply(out)
	}
	return out, nil
}

// grain is how many texts a goroutine takes at once.
const grain = 16

// parallel calls f for 0 to n-1 on all cores and returns the error of the lowest number.
func parallel(n int, f func(i int) error) error {
	var next atomic.Int64
	var mu sync.Mutex
	failed, first := n, error(nil)
	work := func() {
		for {
			from := int(next.Add(grain)) - grain
			if from >= n {
				return
			}
			for i := from; i < min(from+grain, n); i++ {
				if err := f(i); err != nil {
					mu.Lock()
					if i < failed {
						failed, first = i, fmt.Errorf("text %d: %w", i, err)
					}
					mu.Unlock()
					return
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+grain-1)/grain) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return first
}

// batchIDs are the ids of a batch of texts. Their memory is pooled.
type batchIDs struct {
	t     *Tokenizer
	limit int
	rows  []*[]int64
}

var rowPool = sync.Pool{New: func() any { return new([]int64) }}

// encode fills the rows. release gives their memory back.
func (b *batchIDs) encode(batch []string) error {
	b.rows = make([]*[]int64, len(batch))
	err := parallel(len(batch), func(i int) error {
		row := rowPool.Get().(*[]int64)
		b.rows[i] = row
		var err error
		*row, err = b.t.AppendIDs((*row)[:0], batch[i], b.limit)
		return err
	})
	if err != nil {
		b.release()
	}
	return err
}

func (b *batchIDs) release() {
	for _, r := range b.rows {
		if r != nil {
			rowPool.Put(r)
		}
	}
	b.rows = nil
}

func (b *batchIDs) row(i int) []int64 { return *b.rows[i] }

// longest returns the length of the longest row, at least 1: a tensor without elements is of no use to a graph.
func (b *batchIDs) longest() int {
	n := 1
	for i := range b.rows {
		n = max(n, len(b.row(i)))
	}
	return n
}

// count returns how many ids AppendIDs would append.
func (t *Tokenizer) count(text string, limit int) (int, error) {
	row := rowPool.Get().(*[]int64)
	defer rowPool.Put(row)
	ids, err := t.AppendIDs((*row)[:0], text, limit)
	*row = ids
	return len(ids), err
}
