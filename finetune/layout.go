package finetune

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"golang.org/x/sync/errgroup"
)

// A layout is how work is spread over a machine's cores.
type layout struct {
	Workers int `json:"workers"` // batches run side by side
	Threads int `json:"threads"` // of the session, for each
	Batch   int `json:"batch"`   // inputs a batch, where all cost the same
	Tokens  int `json:"tokens"`  // tokens a batch, where they do not
}

// When layouts are measured, and what that may take.
const (
	layoutRows   = 500              // fewer inputs are not worth it
	layoutWork   = 20 * time.Second // nor is less work than that
	layoutBudget = 1500 * time.Millisecond
	layoutShare  = 50   // of long work, a fiftieth may go into measuring
	layoutGain   = 1.04 // another layout than the usual one must be so much faster: less is noise
)

// candidates are the layouts to choose from, the usual one first. What the caller has set stays.
func (s *ExtractSettings) candidates(sized bool) []layout {
	cores := cmp.Or(s.Cores, runtime.GOMAXPROCS(0))
	usual := layout{Workers: cores, Threads: 1, Batch: defaultBatch, Tokens: defaultTokens}
	all := []layout{usual}
	add := func(workers, threads, less int) { // with the usual batch times 2^less
		l := layout{Workers: workers, Threads: threads, Batch: defaultBatch, Tokens: defaultTokens}
		if sized {
			l.Tokens = int(float64(l.Tokens) * math.Pow(2, float64(less)))
		} else {
			l.Batch = int(float64(l.Batch) * math.Pow(2, float64(less)))
		}
		all = append(all, l)
	}
	if cores > 1 {
		add(1, cores, 0)
	}
	add(cores, 1, -1)
	add(cores, 1, 1)
	if cores >= 4 {
		add(cores/2, 2, 0)
	}
	if cores > 1 {
		add(1, cores, 1)
	}
	for i := range all {
		l := &all[i]
		l.Batch, l.Tokens = cmp.Or(s.given.Batch, l.Batch), cmp.Or(s.given.Tokens, l.Tokens)
		switch {
		case s.given.Threads != 0 && s.given.Workers == 0:
			l.Threads, l.Workers = s.given.Threads, max(1, cores/s.given.Threads)
		case s.given.Threads != 0 || s.given.Workers != 0:
			l.Workers, l.Threads = cmp.Or(s.given.Workers, l.Workers), cmp.Or(s.given.Threads, 1)
		}
	}
	var distinct []layout
	for _, l := range all {
		if !slices.Contains(distinct, l) {
			distinct = append(distinct, l)
		}
	}
	return distinct
}

// arrange chooses the layout for the named inputs, and makes the session. Where the work is long and the runtime can be asked
// for other numbers of threads, layouts are measured on some of the inputs; what was found is kept in the cache. The choice
// changes no row: rows do not depend on their company.
func (e *extraction[T]) arrange(ctx context.Context, indices []int) error {
	if e.session != nil {
		return nil
	}
	sizes, err := e.sizes(ctx, indices)
	if err != nil {
		return err
	}
	all := e.settings.candidates(sizes != nil)
	chosen := all[0]
	var path string
	if e.settings.Sessions != nil && !e.settings.Fixed && len(all) > 1 && len(indices) >= layoutRows && !mixesRows(e.model) {
		if path, err = e.layoutFile(indices, sizes, all); err != nil {
			return err
		}
		if path == "" || !recall(path, &chosen) || !slices.Contains(all, chosen) {
			return e.measure(ctx, all, indices, sizes, path)
		}
	}
	e.session, err = e.newSession(chosen)
	e.use(chosen)
	return err
}

// use makes a layout that of this extraction.
func (e *extraction[T]) use(l layout) {
	e.chosen = &l
	e.settings.Workers, e.settings.Batch, e.settings.Tokens = l.Workers, l.Batch, l.Tokens
}

func (e *extraction[T]) newSession(l layout) (onnx.Session, error) {
	rt := e.rt
	if e.settings.Sessions != nil {
		rt = e.settings.Sessions(l.Threads)
	}
	session, err := rt.NewSession(e.model)
	if err != nil {
		return nil, fmt.Errorf("finetune: %s: %w", e.name, err)
	}
	return session, nil
}

// layoutFile is where the choice for this model, machine and kind of input is kept; "" where there is no cache.
func (e *extraction[T]) layoutFile(indices, sizes []int, all []layout) (string, error) {
	c := e.settings.Cache
	if c == nil {
		return "", nil
	}
	mean := 0
	for _, i := range indices {
		if sizes != nil {
			mean += sizes[i]
		}
	}
	h := sha256.New()
	fmt.Fprintln(h, e.settings.digest, e.settings.RuntimeID, machine(), all, bits.Len(uint(mean/len(indices))), program())
	return filepath.Join(c.Dir, memoFolder, "layout-"+hex.EncodeToString(h.Sum(nil))[:keyLength]+".json"), nil
}

// machine tells one machine from another, as far as layouts go.
func machine() string {
	model := ""
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for lines := bufio.NewScanner(bytes.NewReader(info)); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
				model = name
				break
			}
		}
	}
	return fmt.Sprint(runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.GOMAXPROCS(0), model)
}

// measure tries layouts on a stretch of the inputs, the usual one first, and uses the fastest. It stops where its time is up.
// The session in use is the one that fits.
func (e *extraction[T]) measure(ctx context.Context, all []layout, indices, sizes []int, path string) (err error) {
	began := time.Now()
	sessions := map[int]onnx.Session{} // by threads
	best := all[0]
	defer func() {
		for threads, s := range sessions {
			if threads != best.Threads || err != nil {
				s.Close()
			}
		}
	}()
	stretch, share := e.stretch(indices, sizes, all[0])
	budget, usual, fastest := layoutBudget, time.Duration(0), time.Duration(0)
	for i, l := range all {
		if i > 0 && time.Since(began)+usual > budget {
			break
		}
		if sessions[l.Threads] == nil {
			if sessions[l.Threads], err = e.newSession(l); err != nil {
				return err
			}
		}
		took, err := e.try(ctx, sessions[l.Threads], l, stretch, sizes)
		if err != nil {
			return err
		}
		if i == 0 {
			usual, fastest = took, time.Duration(float64(took)/layoutGain)
			work := time.Duration(float64(took) / share)
			if work < layoutWork {
				path = "" // whatever the best is, it is no matter
				break
			}
			budget = max(budget, work/layoutShare)
		} else if took < fastest {
			best, fastest = l, took
		}
	}
	if path != "" {
		note(path, best)
	}
	e.session = sessions[best.Threads]
	e.use(best)
	return nil
}

// stretch returns inputs of the middle sizes, enough for two of the usual batches a worker, and which share of all work they
// are.
func (e *extraction[T]) stretch(indices, sizes []int, usual layout) ([]int, float64) {
	if sizes == nil {
		n := min(len(indices), 2*usual.Workers*usual.Batch)
		return indices[:n], float64(n) / float64(len(indices))
	}
	order := slices.Clone(indices)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	all, at := 0, len(order)/2
	for _, i := range order {
		all += sizes[i]
	}
	some, to := 0, at
	for ; to < len(order) && some < 2*usual.Workers*usual.Tokens; to++ {
		some += sizes[order[to]]
	}
	return order[at:to], float64(some) / float64(max(all, 1))
}

// try measures how long a layout takes for inputs whose tensors are ready.
func (e *extraction[T]) try(ctx context.Context, session onnx.Session, l layout, some, sizes []int) (time.Duration, error) {
	r := rowRunner[T]{
		session: session, output: e.output, cols: e.cols, pre: struct{ Preprocessor[T] }{e.pre}, // whose tensors are not recycled
		name: e.settings.Name, alone: mixesRows(e.model),
	}
	var all []preparedBatch
	for _, batch := range planBatches(some, sizes, l.Batch, l.Tokens) {
		feeds, err := r.prepare(e.xs, batch)
		if err != nil {
			return 0, err
		}
		all = append(all, preparedBatch{batch, feeds})
	}
	run := func(batches []preparedBatch) error {
		ready := make(chan preparedBatch, len(batches))
		for _, b := range batches {
			ready <- b
		}
		close(ready)
		g, inner := errgroup.WithContext(ctx)
		for range l.Workers {
			g.Go(func() error {
				return r.consume(inner, ready, func([]int, heads.Matrix) error { return nil })
			})
		}
		return g.Wait()
	}
	if err := run(all[:1]); err != nil { // a session's first run makes its memory
		return 0, err
	}
	began := time.Now()
	err := run(all)
	return time.Since(began), err
}
