package finetune

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// flatRuntime answers every row with its first token, at no cost.
type flatRuntime struct{ cols int }

func (r flatRuntime) NewSession(*onnx.Model) (onnx.Session, error) { return r, nil }
func (r flatRuntime) Close() error                                 { return nil }

func (r flatRuntime) Run(ctx context.Context, feeds onnx.Feeds, outputs ...string) ([]*onnx.Tensor, error) {
	n := feeds["input_ids"].Shape[0]
	out := onnx.NewTensor("features", make([]float32, n*int64(r.cols)), n, int64(r.cols))
	return []*onnx.Tensor{out}, r.RunInto(ctx, feeds, onnx.Feeds{"features": out})
}

func (r flatRuntime) RunInto(ctx context.Context, feeds, outputs onnx.Feeds) error {
	in := feeds["input_ids"]
	ids, err := onnx.View[int64](in)
	if err != nil {
		return err
	}
	rows, err := onnx.View[float32](outputs["features"])
	if err != nil {
		return err
	}
	for i := range int(in.Shape[0]) {
		rows[i*r.cols] = float32(ids[i*int(in.Shape[1])] % 65536)
	}
	return nil
}

func texts(n int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("word%d%s", i, strings.Repeat(" and", i%7)), nil) {
				return
			}
		}
	}
}

func TestStreamIsExtractInBoundedMemory(t *testing.T) {
	const n, cols = 150_000, 384 // 230 MB of features
	var first []float32
	var peak uint64
	stats, err := ExtractStream(context.Background(), flatRuntime{cols}, fakeBackbone("b", cols), texts(n), ExtractSettings{}, func(rows heads.Matrix) error {
		for i := range rows.Rows {
			first = append(first, rows.Row(i)[0])
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
		return nil
	})
	if err != nil || stats.Rows != n || len(first) != n {
		t.Fatalf("%+v, %d rows, %v", stats, len(first), err)
	}
	if peak > 150<<20 {
		t.Errorf("%d MB in use for %d MB of features", peak>>20, n*cols*4>>20)
	}
	var some []string
	for x := range texts(100) {
		some = append(some, x)
	}
	want, _, err := Extract(context.Background(), flatRuntime{cols}, fakeBackbone("b", cols), some, ExtractSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range some {
		if want.Row(i)[0] != first[i] {
			t.Fatalf("row %d: %g, want %g", i, first[i], want.Row(i)[0])
		}
	}
}

func TestStreamThroughTheCache(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	const n = 40_000
	var all [2][]float32
	for round := range all {
		stats, err := ExtractStream(context.Background(), flatRuntime{4}, fakeBackbone("b", 4), texts(n), ExtractSettings{Cache: cache}, func(rows heads.Matrix) error {
			all[round] = append(all[round], rows.Data...)
			return nil
		})
		if err != nil || stats.Rows != n || (stats.Cached == n) != (round == 1) || (stats.Computed == n) != (round == 0) {
			t.Errorf("round %d: %+v, %v", round, stats, err)
		}
	}
	if !slices.Equal(all[0], all[1]) {
		t.Error("rows from the cache differ")
	}
}

func TestStreamStopsAtAnError(t *testing.T) {
	fault := errors.New("the source has dried up")
	in := func(yield func(string, error) bool) { _ = yield("a b", nil) && yield("", fault) }
	if _, err := ExtractStream(context.Background(), flatRuntime{4}, fakeBackbone("b", 4), in, ExtractSettings{}, func(heads.Matrix) error { return nil }); !errors.Is(err, fault) {
		t.Errorf("of an input: %v", err)
	}
	if _, err := ExtractStream(context.Background(), flatRuntime{4}, fakeBackbone("b", 4), texts(3), ExtractSettings{}, func(heads.Matrix) error { return fault }); !errors.Is(err, fault) {
		t.Errorf("of keep: %v", err)
	}
	b := fakeBackbone("b", 4)
	b.Preprocessor = fakeWords{bad: "word33000"}
	_, err := ExtractStream(context.Background(), flatRuntime{4}, b, texts(40_000), ExtractSettings{}, func(heads.Matrix) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "row 33000") {
		t.Errorf("in the second window: %v", err)
	}
}
