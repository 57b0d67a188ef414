package finetune

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

func extract(t *testing.T, rt *fakeRuntime, b *Backbone[string], xs []string, s ExtractSettings) (heads.Matrix, ExtractStats) {
	t.Helper()
	m, stats, err := Extract(context.Background(), rt, b, xs, s)
	if err != nil {
		t.Fatal(err)
	}
	return m, stats
}

func TestExtractPutsRowsInDataOrderWhateverTheSettings(t *testing.T) {
	xs := sentences(500)
	want := heads.NewMatrix(len(xs), 16)
	for i, x := range xs { // one by one
		one, _ := extract(t, &fakeRuntime{cols: 16}, fakeBackbone("b", 16), []string{x}, ExtractSettings{Workers: 1})
		copy(want.Row(i), one.Row(0))
	}
	for name, c := range map[string]struct {
		rt *fakeRuntime
		b  *Backbone[string]
		s  ExtractSettings
	}{
		"defaults":             {&fakeRuntime{cols: 16}, fakeBackbone("b", 16), ExtractSettings{}},
		"into the caller's":    {&fakeRuntime{cols: 16, into: true}, fakeBackbone("b", 16), ExtractSettings{}},
		"D unknown":            {&fakeRuntime{cols: 16, into: true}, fakeBackbone("b", 0), ExtractSettings{}},
		"one worker, small":    {&fakeRuntime{cols: 16}, fakeBackbone("b", 16), ExtractSettings{Workers: 1, Tokens: 10}},
		"many workers":         {&fakeRuntime{cols: 16, into: true}, fakeBackbone("b", 16), ExtractSettings{Workers: 13, Tokens: 64}},
		"through a cold cache": {&fakeRuntime{cols: 16, into: true}, fakeBackbone("b", 16), ExtractSettings{Cache: &Cache{Dir: t.TempDir()}}},
	} {
		progress := &recorder{}
		c.s.Progress = progress
		got, stats := extract(t, c.rt, c.b, xs, c.s)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other rows", name)
		}
		if stats.Rows != len(xs) || progress.steps != len(xs) || !between(int(c.rt.rows.Load()), stats.Computed, stats.Computed+stats.Batches) {
			t.Errorf("%s: %+v, %d steps, %d rows run", name, stats, progress.steps, c.rt.rows.Load())
		}
	}
}

// between allows for lone inputs, which run beside themselves.
func between(n, low, high int) bool { return low <= n && n <= high }

func TestBatchesHoldOneSizeWithinTheBudget(t *testing.T) {
	rt := &fakeRuntime{cols: 4}
	xs := sentences(500)
	extract(t, rt, fakeBackbone("b", 4), xs, ExtractSettings{Tokens: 40})
	rows := 0
	for _, shape := range rt.shapes {
		if shape[0] == 1 {
			t.Error("an input ran alone")
		}
		if shape[0]*shape[1] > 40 {
			t.Errorf("a batch of %d×%d tokens", shape[0], shape[1])
		}
		rows += int(shape[0])
	}
	if !between(rows, len(xs), len(xs)+9) || len(rt.shapes) > 80 {
		t.Errorf("%d rows in %d batches", rows, len(rt.shapes))
	}
	sizes := make([]int, len(xs))
	for i, x := range xs {
		sizes[i] = fakeWords{}.Size(x)
	}
	var seen []int
	for _, batch := range planBatches(allIndices(len(xs)), sizes, 8, 40) {
		for _, i := range batch {
			if sizes[i] != sizes[batch[0]] {
				t.Fatal("a batch of two sizes")
			}
		}
		seen = append(seen, batch...)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, allIndices(len(xs))) {
		t.Error("the plan does not name every input once")
	}
	if plan := planBatches([]int{0, 1}, []int{5000, 5000}, 8, 1024); len(plan) != 2 {
		t.Error("inputs above the budget go one by one")
	}
	if plan := planBatches(allIndices(10), nil, 4, 0); len(plan) != 3 || len(plan[2]) != 2 {
		t.Errorf("without sizes: %v", plan)
	}
}

func TestExtractNamesTheFailingRow(t *testing.T) {
	xs := sentences(100)
	xs[57] = "w1 broken w2"
	name := func(i int) string { return fmt.Sprintf("train.tsv:%d", i+2) }
	b := fakeBackbone("b", 4)
	b.Preprocessor = fakeWords{bad: "broken"}
	_, _, err := Extract(context.Background(), &fakeRuntime{cols: 4}, b, xs, ExtractSettings{Name: name})
	if err == nil || !strings.Contains(err.Error(), "train.tsv:59: cannot read this") {
		t.Errorf("preprocessing: %v", err)
	}
	h := fnv.New32a()
	h.Write([]byte("broken"))
	_, _, err = Extract(context.Background(), &fakeRuntime{cols: 4, poison: int64(h.Sum32())}, fakeBackbone("b", 4), xs, ExtractSettings{Name: name})
	if err == nil || !strings.Contains(err.Error(), "train.tsv:59") || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("not finite: %v", err)
	}
	fault := errors.New("out of luck")
	_, _, err = Extract(context.Background(), &fakeRuntime{cols: 4, err: fault}, fakeBackbone("b", 4), xs, ExtractSettings{Name: name})
	if !errors.Is(err, fault) || !strings.Contains(err.Error(), "train.tsv:") {
		t.Errorf("running: %v", err)
	}
}

func TestExtractStopsWhenCancelledAndKeepsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cache := &Cache{Dir: t.TempDir()}
	xs := sentences(500)
	hold := make(chan struct{})
	rt := &fakeRuntime{cols: 4, hold: hold}
	done := make(chan error)
	go func() {
		_, _, err := Extract(ctx, rt, fakeBackbone("b", 4), xs, ExtractSettings{Cache: cache, Tokens: 20})
		done <- err
	}()
	for range 20 { // runs that go through
		hold <- struct{}{}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	_, stats := extract(t, &fakeRuntime{cols: 4}, fakeBackbone("b", 4), xs, ExtractSettings{Cache: cache, Tokens: 20})
	if stats.Cached == 0 || stats.Cached == len(xs) {
		t.Errorf("after a cancelled run %d rows are cached", stats.Cached)
	}
}

func TestExtractOfNothing(t *testing.T) {
	m, _ := extract(t, &fakeRuntime{cols: 4}, fakeBackbone("b", 4), nil, ExtractSettings{Cache: &Cache{Dir: t.TempDir()}})
	if m.Rows != 0 || m.Cols != 4 {
		t.Errorf("%d×%d", m.Rows, m.Cols)
	}
}

func TestGraphsThatMixRowsRunOneByOne(t *testing.T) {
	b := fakeBackbone("b", 4)
	b.Model.Graph.Nodes[0].OpType = "DynamicQuantizeLinear"
	rt := &fakeRuntime{cols: 4}
	extract(t, rt, b, sentences(20), ExtractSettings{})
	for _, shape := range rt.shapes {
		if shape[0] != 1 {
			t.Fatalf("a batch of %d", shape[0])
		}
	}
}
