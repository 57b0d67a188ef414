package finetune

import (
	"bytes"
	"context"
	"errors"
	"hash"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/onnx-graft/graft/heads"
)

func TestRememberWhatTookLong(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	runs := 0
	ask := func(c *Cache, key string, takes time.Duration, fault error) ([]float64, error) {
		return remember(c, "test", func(h hash.Hash) { h.Write([]byte(key)) }, func() ([]float64, error) {
			runs++
			time.Sleep(takes)
			return []float64{float64(runs), 1. / 3}, fault
		})
	}
	for _, c := range []struct {
		what  string
		cache *Cache
		key   string
		takes time.Duration
		fault error
		again bool
	}{
		{"long", cache, "a", memoWorth, nil, true},
		{"another key", cache, "b", memoWorth, nil, true},
		{"short", cache, "c", 0, nil, false},
		{"failed", cache, "d", memoWorth, errors.New("no"), false},
		{"without a cache", nil, "a", memoWorth, nil, false},
	} {
		runs = 0
		first, _ := ask(c.cache, c.key, c.takes, c.fault)
		second, _ := ask(c.cache, c.key, c.takes, c.fault)
		if (runs == 1) != c.again || c.again && !reflect.DeepEqual(first, second) {
			t.Errorf("%s: %d runs, %v and %v", c.what, runs, first, second)
		}
	}
	files, err := filepath.Glob(filepath.Join(cache.Dir, memoFolder, "*.json"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole { // whatever byte flips, the answer is the one kept, or worked out again
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1
		if err := os.WriteFile(files[0], damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		var v []float64
		if recall(files[0], &v) && !reflect.DeepEqual(v, []float64{1, 1. / 3}) {
			t.Fatalf("byte %d: %v", i, v)
		}
	}
	if list, err := cache.List(); err != nil || len(list) != 0 {
		t.Errorf("listed as rows: %+v, %v", list, err)
	}
	if _, err := cache.Clear(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache.Dir, "*")); len(left) > 0 {
		t.Errorf("cleared, but %v is left", left)
	}
}

func TestAKeptHeadIsTheSameHead(t *testing.T) {
	x, classes := toyRows(400, 6, 3)
	r, err := Probe(context.Background(), x, classes, ProbeSettings{C: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kept.json")
	note(path, keepProbe(r))
	var kept *keptProbe
	if !recall(path, &kept) {
		t.Fatal("not kept")
	}
	got, ok := kept.result()
	if !ok || got.C != r.C || got.By != r.By || got.Kind != r.Kind {
		t.Fatalf("%+v", got)
	}
	want, err := r.Head.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := got.Head.Predict(x); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("other logits: %v", err)
	}
	if a, b := headBytes(t, r.Head, 6), headBytes(t, got.Head, 6); !bytes.Equal(a, b) {
		t.Error("other nodes")
	}
	if _, ok := (*keptProbe)(nil).result(); ok {
		t.Error("a result of nothing")
	}
	if keepProbe(ProbeResult{Head: &heads.KNN{}}) != nil {
		t.Error("neighbours are not linear")
	}
}

func headBytes(t *testing.T, h heads.Head, cols int) []byte {
	t.Helper()
	m, err := headGraph(h, cols, 17)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// toyRows are rows of k clouds.
func toyRows(n, d, k int) (heads.Matrix, heads.Targets) {
	x, y := heads.NewMatrix(n, d), heads.Targets{Class: make([]int, n), Classes: k}
	for i := range n {
		y.Class[i] = i % k
		for j := range d {
			x.Row(i)[j] = float32((i*31+j*17)%97)/97 + float32(i%k*(j%2))
		}
	}
	return x, y
}
