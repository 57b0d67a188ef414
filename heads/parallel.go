package heads

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// eachPart calls do(p) for p = 0 to parts-1 on as many goroutines as there are cores, and stops early with ctx's error.
// What the parts are must not depend on the number of cores, and what do writes must depend on p alone: then results do
// not depend on the number of cores either. worker numbers the goroutines, for scratch space.
func eachPart(ctx context.Context, parts int, do func(worker, part int)) error {
	workers := min(runtime.GOMAXPROCS(0), parts)
	if workers <= 1 {
		for p := range parts {
			if ctx.Err() != nil {
				break
			}
			do(0, p)
		}
		return ctx.Err()
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				p := int(next.Add(1)) - 1
				if p >= parts {
					return
				}
				do(w, p)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// A partition cuts n rows into parts of nearly equal size, always the same for the same n. Parts begin at multiples of
// lanes.
type partition struct{ n, parts int }

// partRows is about how many rows a part has at least, where making a part's result takes little.
const partRows = 256

// newPartition cuts n rows into at most limit parts.
func newPartition(n, limit int) partition { return newCoarse(n, limit, partRows) }

// newCoarse cuts n rows into at most limit parts of about rows or more.
func newCoarse(n, limit, rows int) partition {
	parts := 1
	for parts*2 <= limit && n/(parts*2) >= rows {
		parts *= 2
	}
	return partition{n: n, parts: parts}
}

// bounds returns the first row of part p and the row after its last.
func (s partition) bounds(p int) (lo, hi int) { return s.start(p), s.start(p + 1) }

func (s partition) start(p int) int {
	if p == s.parts {
		return s.n
	}
	return p * s.n / s.parts &^ (lanes - 1)
}
