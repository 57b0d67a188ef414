package finetune

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCacheComputesAContentOnce(t *testing.T) {
	cache := &Cache{Dir: filepath.Join(t.TempDir(), "made", "on", "demand")}
	xs := append(sentences(300), sentences(20)...)
	distinct := map[string]bool{}
	for _, x := range xs {
		distinct[x] = true
	}
	b := fakeBackbone("b", 8)
	cold, stats := extract(t, &fakeRuntime{cols: 8}, b, xs, ExtractSettings{Cache: cache})
	if stats.Cached != 0 || stats.Computed != len(distinct) || len(distinct) == len(xs) {
		t.Fatalf("cold: %+v, %d distinct", stats, len(distinct))
	}
	rt := &fakeRuntime{cols: 8}
	warm, stats := extract(t, rt, b, xs, ExtractSettings{Cache: cache})
	if stats.Cached != len(xs) || rt.sessions.Load() != 0 || !reflect.DeepEqual(cold, warm) {
		t.Errorf("warm: %+v, %d sessions", stats, rt.sessions.Load())
	}
	more := append([]string{"something new", "and new too"}, xs...)
	slices.Reverse(more)
	got, stats := extract(t, &fakeRuntime{cols: 8}, b, more, ExtractSettings{Cache: cache})
	if stats.Computed != 2 {
		t.Errorf("two rows added and all reordered: %+v", stats)
	}
	fresh, _ := extract(t, &fakeRuntime{cols: 8}, b, more, ExtractSettings{})
	if !reflect.DeepEqual(got, fresh) {
		t.Error("rows from the cache are not the rows computed")
	}
}

func TestCacheKeyHoldsAllThatMatters(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	xs := sentences(5)
	for name, c := range map[string]struct {
		b *Backbone[string]
		s ExtractSettings
	}{
		"first":               {fakeBackbone("b", 4), ExtractSettings{}},
		"other model":         {fakeBackbone("b2", 4), ExtractSettings{}},
		"other runtime":       {fakeBackbone("b", 4), ExtractSettings{RuntimeID: "cuda"}},
		"other preprocessing": {&Backbone[string]{Name: "b", Model: fakeBackbone("b", 4).Model, Preprocessor: fakeWords{print: "2"}}, ExtractSettings{}},
	} {
		c.s.Cache = cache
		if _, stats := extract(t, &fakeRuntime{cols: 4}, c.b, xs, c.s); stats.Cached != 0 {
			t.Errorf("%s: %d rows of another key", name, stats.Cached)
		}
		if _, stats := extract(t, &fakeRuntime{cols: 4}, c.b, xs, c.s); stats.Computed != 0 {
			t.Errorf("%s: not stored", name)
		}
	}
	list, err := cache.List()
	if err != nil || len(list) != 4 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	for _, e := range list {
		if e.Rows != 5 || e.Cols != 4 || e.Bytes != headerSize+5*(entrySize+16) || !strings.HasPrefix(e.Preprocessing, "fake words") || e.Damaged {
			t.Errorf("%+v", e)
		}
	}
}

func TestCacheWithALongDescription(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	for _, long := range []string{strings.Repeat("long ", 900), strings.Repeat("\x00", 5000)} {
		b := fakeBackbone("b", 4)
		b.Preprocessor = fakeWords{print: long}
		extract(t, &fakeRuntime{cols: 4}, b, sentences(5), ExtractSettings{Cache: cache, RuntimeID: long})
		progress := &recorder{}
		if _, stats := extract(t, &fakeRuntime{cols: 4}, b, sentences(5), ExtractSettings{Cache: cache, RuntimeID: long, Progress: progress}); stats.Cached != 5 || len(progress.warnings) > 0 {
			t.Errorf("%+v %q", stats, progress.warnings)
		}
	}
}

// Every byte of the cache is flipped in turn: the rows stay right, and where the flip touched one it is told of.
func TestCacheNoticesEveryFlippedByte(t *testing.T) {
	xs := sentences(4)
	b := fakeBackbone("b", 3)
	cache := &Cache{Dir: t.TempDir()}
	want, _ := extract(t, &fakeRuntime{cols: 3}, b, xs, ExtractSettings{Cache: cache})
	list, _ := cache.List()
	for _, name := range []string{indexName, rowsName} {
		path := filepath.Join(cache.Dir, list[0].Key, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := 1
		for i := 0; i < len(whole); i += step {
			if step = 1; i > 200 && i < headerSize-20 {
				step = 97 // zeros of the header
			}
			damaged := slices.Clone(whole)
			damaged[i] ^= 0x10
			restore(t, cache.Dir, list[0].Key, path, damaged)
			progress := &recorder{}
			got, stats := extract(t, &fakeRuntime{cols: 3}, b, xs, ExtractSettings{Cache: cache, Progress: progress})
			if !reflect.DeepEqual(got, want) || stats.Computed == 0 || len(progress.warnings) == 0 {
				t.Fatalf("%s, byte %d: same %v, %+v, %q", name, i, reflect.DeepEqual(got, want), stats, progress.warnings)
			}
			progress = &recorder{}
			if _, stats := extract(t, &fakeRuntime{cols: 3}, b, xs, ExtractSettings{Cache: cache, Progress: progress}); stats.Computed != 0 || len(progress.warnings) != 0 {
				t.Fatalf("%s, byte %d: not healed: %+v %q", name, i, stats, progress.warnings)
			}
		}
	}
}

// restore lays the cache anew, with one file changed. It keeps what it saw at first.
var pristine = map[string][]byte{}

func restore(t *testing.T, dir, key, changed string, content []byte) {
	t.Helper()
	for _, name := range []string{indexName, rowsName} {
		path := filepath.Join(dir, key, name)
		if pristine[path] == nil {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pristine[path] = data
		}
		data := pristine[path]
		if path == changed {
			data = content
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCacheCutAnywhere(t *testing.T) {
	xs := sentences(4)
	b := fakeBackbone("b", 3)
	cache := &Cache{Dir: t.TempDir()}
	want, _ := extract(t, &fakeRuntime{cols: 3}, b, xs, ExtractSettings{Cache: cache})
	list, _ := cache.List()
	for _, name := range []string{indexName, rowsName} {
		path := filepath.Join(cache.Dir, list[0].Key, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(whole); n++ {
			if n > 30 && n < headerSize-3 && name == indexName {
				continue
			}
			restore(t, cache.Dir, list[0].Key, path, whole[:n])
			got, stats := extract(t, &fakeRuntime{cols: 3}, b, xs, ExtractSettings{Cache: cache})
			if !reflect.DeepEqual(got, want) || stats.Computed == 0 {
				t.Fatalf("%s cut to %d: same %v, %+v", name, n, reflect.DeepEqual(got, want), stats)
			}
			if _, stats := extract(t, &fakeRuntime{cols: 3}, b, xs, ExtractSettings{Cache: cache}); stats.Computed != 0 {
				t.Fatalf("%s cut to %d: not healed: %+v", name, n, stats)
			}
		}
	}
}

func TestCacheBetweenManyWriters(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	all := sentences(800)
	want, _ := extract(t, &fakeRuntime{cols: 8}, fakeBackbone("b", 8), all, ExtractSettings{})
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			xs := all[w*100 : w*100+500]
			m, _, err := Extract(context.Background(), &fakeRuntime{cols: 8}, fakeBackbone("b", 8), xs, ExtractSettings{Cache: cache})
			if err != nil || !reflect.DeepEqual(m.Data, want.Data[w*100*8:(w*100+500)*8]) {
				t.Errorf("writer %d: other rows, %v", w, err)
			}
		}()
	}
	wait.Wait()
	got, stats := extract(t, &fakeRuntime{cols: 8}, fakeBackbone("b", 8), all, ExtractSettings{Cache: cache})
	if !reflect.DeepEqual(got, want) || stats.Computed != 0 {
		t.Errorf("afterwards: %+v", stats)
	}
}

// killedEnv tells this test binary to be the process that is killed.
const killedEnv = "FINETUNE_TEST_EXTRACT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedEnv); dir != "" {
		hold := make(chan struct{})
		go func() {
			for {
				time.Sleep(200 * time.Microsecond)
				hold <- struct{}{}
			}
		}()
		fmt.Println("started")
		_, _, err := Extract(context.Background(), &fakeRuntime{cols: 128, hold: hold}, fakeBackbone("b", 128), sentences(6000), ExtractSettings{Cache: &Cache{Dir: dir}, Tokens: 100})
		fmt.Println("ended", err)
		return
	}
	os.Exit(m.Run())
}

func TestCacheSurvivesKill(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	xs := sentences(6000)
	want, _ := extract(t, &fakeRuntime{cols: 128}, fakeBackbone("b", 128), xs, ExtractSettings{})
	rng := rand.New(rand.NewPCG(1, 2))
	kept := 0
	for range 12 {
		self := exec.Command(os.Args[0])
		self.Env = append(os.Environ(), killedEnv+"="+cache.Dir)
		out, err := self.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := self.Start(); err != nil {
			t.Fatal(err)
		}
		bufio.NewReader(out).ReadString('\n')
		for range 400 { // until it has stored something, and a little more
			if n := storedRows(t, cache); n > kept || n == len(xs) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Duration(rng.IntN(15000)) * time.Microsecond)
		self.Process.Kill()
		self.Wait()
		n := storedRows(t, cache)
		if n < kept {
			t.Errorf("%d rows, after %d", n, kept)
		}
		kept = n
	}
	progress := &recorder{}
	got, stats := extract(t, &fakeRuntime{cols: 128}, fakeBackbone("b", 128), xs, ExtractSettings{Cache: cache, Progress: progress})
	if !reflect.DeepEqual(got, want) || len(progress.warnings) > 0 {
		t.Errorf("after kills: same %v, warnings %q", reflect.DeepEqual(got, want), progress.warnings)
	}
	if stats.Cached == 0 {
		t.Errorf("nothing was kept: %+v", stats)
	}
	t.Logf("%d rows kept of %d", stats.Cached, stats.Rows)
}

func storedRows(t *testing.T, cache *Cache) int {
	t.Helper()
	list, err := cache.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		return 0
	}
	return list[0].Rows
}

func TestCachePruneAndClear(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	xs := sentences(50)
	for i := range 4 {
		extract(t, &fakeRuntime{cols: 8}, fakeBackbone(fmt.Sprint("model ", i), 8), xs, ExtractSettings{Cache: cache})
		list, _ := cache.List()
		old := time.Now().Add(time.Duration(i-10) * time.Hour)
		os.Chtimes(filepath.Join(cache.Dir, list[0].Key, indexName), old, old)
	}
	extract(t, &fakeRuntime{cols: 8}, fakeBackbone("model 0", 8), xs, ExtractSettings{Cache: cache}) // now the newest
	list, _ := cache.List()
	if len(list) != 4 || list[0].Model != "model 0" || list[3].Model != "model 1" {
		t.Fatalf("%+v", list)
	}
	freed, err := cache.Prune(2 * list[0].Bytes)
	if left, _ := cache.List(); err != nil || freed != 2*list[0].Bytes || len(left) != 2 || left[1].Model != "model 3" {
		t.Errorf("freed %d, %v", freed, err)
	}
	if _, err := cache.Clear(); err != nil {
		t.Error(err)
	}
	if left, _ := cache.List(); len(left) != 0 {
		t.Errorf("cleared, %d left", len(left))
	}
	limited := &Cache{Dir: t.TempDir(), Limit: list[0].Bytes + 1}
	for i := range 3 {
		extract(t, &fakeRuntime{cols: 8}, fakeBackbone(fmt.Sprint("model ", i), 8), xs, ExtractSettings{Cache: limited})
	}
	if left, _ := limited.List(); len(left) != 1 || left[0].Model != "model 2" {
		t.Errorf("above its limit: %+v", left)
	}
}

func TestUnusableCacheIsAWarning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	xs := sentences(30)
	want, _ := extract(t, &fakeRuntime{cols: 8}, fakeBackbone("b", 8), xs, ExtractSettings{})
	progress := &recorder{}
	got, _ := extract(t, &fakeRuntime{cols: 8}, fakeBackbone("b", 8), xs, ExtractSettings{Cache: &Cache{Dir: filepath.Join(file, "sub")}, Progress: progress})
	if !reflect.DeepEqual(got, want) || len(progress.warnings) != 1 || !strings.Contains(progress.warnings[0], file) {
		t.Errorf("warnings %q", progress.warnings)
	}
}

// The row files of a cache are filled without a copy between; this measures reading, not a fake's arithmetic.
func BenchmarkCacheRead(b *testing.B) {
	const n, cols = 100_000, 384
	cache := &Cache{Dir: b.TempDir()}
	xs := make([]string, n)
	for i := range xs {
		xs[i] = fmt.Sprintf("the text of row %d, about as long as a sentence of a data set is, seventy-seven", i)
	}
	about := cacheAbout{Model: "b", Type: "float32"}
	store := cache.open(about, func(s string) { b.Error(s) })
	row := make([]float32, cols)
	for i, x := range xs {
		row[i%cols] += float32(i)
		store.add(keyOf([]byte(x)), row)
	}
	store.close()
	for b.Loop() {
		e := extraction[string]{name: "b", pre: fakeWords{}, xs: xs, cols: cols}
		if err := e.readAll(cache, about); err != nil {
			b.Fatal(err)
		}
	}
}

func (e *extraction[T]) readAll(cache *Cache, about cacheAbout) error {
	contents := make([]contentKey, len(e.xs))
	if err := eachParallel(context.Background(), len(e.xs), 64, func(i int) error {
		content, err := e.pre.Content(e.xs[i])
		contents[i] = keyOf(content)
		return err
	}); err != nil {
		return err
	}
	store := cache.open(about, func(s string) {})
	defer store.close()
	want := newWanted(contents)
	e.allot(store.cols())
	if err := store.read(context.Background(), want, e.out); err != nil {
		return err
	}
	if n := want.foundRows(); n != len(e.xs) {
		return fmt.Errorf("%d rows found", n)
	}
	if bytes.Equal(rowBytes(e.out.Row(0)), rowBytes(e.out.Row(1))) {
		return fmt.Errorf("two rows are the same")
	}
	return nil
}
