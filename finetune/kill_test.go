package finetune

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/text"
)

// victimDir is the environment variable that makes a test the process that is killed, and names its cache.
const victimDir = "FINETUNE_TEST_VICTIM"

// realBackbone is the embedded text backbone, and the runtime to run it in.
func realBackbone(t testing.TB) (*ort.Runtime, *Backbone[string]) {
	t.Helper()
	b, err := text.OpenFS(embedded.Text(), text.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return orttest.Open(t).With(1), &Backbone[string]{Name: "mini", Model: b.Model, Feature: b.Feature.Tensor, Preprocessor: b}
}

const victimRows = 1500

// A teller writes a line for each batch.
type teller struct{ quiet }

func (teller) Add(int) { fmt.Println("a batch") }

func TestExtractVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		t.Skip("runs inside TestExtractKilledAnywhere")
	}
	rt, b := realBackbone(t)
	_, _, err := Extract(context.Background(), rt, b, sentences(victimRows), ExtractSettings{Cache: &Cache{Dir: dir}, Tokens: 150, Progress: teller{}})
	fmt.Println("ended", err)
}

// Real extractions are killed at 50 moments. What is in the cache afterwards is whole and right, and a run that goes on computes
// what is missing and no more.
func TestExtractKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	rt, b := realBackbone(t)
	xs := sentences(victimRows)
	want, _, err := Extract(context.Background(), rt, b, xs, ExtractSettings{})
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]bool{}
	for _, x := range xs {
		contents[x] = true
	}
	distinct := len(contents)
	cache := &Cache{Dir: filepath.Join(t.TempDir(), "cache")}
	digest, err := modelDigest(b.Model)
	if err != nil {
		t.Fatal(err)
	}
	about := cacheAbout{
		Model: b.Name, ModelDigest: digest, Output: b.Model.Graph.Outputs[0].Name, Preprocessing: b.Preprocessor.Fingerprint(), Type: string(Float32),
	}
	rng := rand.New(rand.NewPCG(5, 6))
	kept, reruns := 0, 0
	for kill := range 50 {
		killOnce(t, cache.Dir, 1+rng.IntN(120), time.Duration(rng.IntN(3000))*time.Microsecond)
		n := rightRows(t, cache, about, xs, want)
		if n < kept {
			t.Fatalf("kill %d: %d rows, after %d", kill, n, kept)
		}
		if kept = n; kill%10 != 9 && n < distinct {
			continue
		}
		progress := &recorder{}
		got, stats, err := Extract(context.Background(), rt, b, xs, ExtractSettings{Cache: cache, Progress: progress})
		if err != nil || !reflect.DeepEqual(got, want) || len(progress.warnings) > 0 || stats.Computed != distinct-kept {
			t.Fatalf("kill %d: %d rows were kept of %d; run again: %+v, same rows %v, warnings %q, %v", kill, kept, distinct, stats, reflect.DeepEqual(got, want), progress.warnings, err)
		}
		t.Logf("after kill %d: %d rows of %d were there", kill, kept, distinct)
		if _, err := cache.Clear(); err != nil {
			t.Fatal(err)
		}
		kept = 0
		reruns++
	}
	if reruns < 5 {
		t.Errorf("%d reruns", reruns)
	}
}

// killOnce starts an extraction in a process of its own and kills it some batches and a moment after it has begun.
func killOnce(t *testing.T, dir string, batches int, after time.Duration) {
	t.Helper()
	self := exec.Command(os.Args[0], "-test.run=^TestExtractVictim$")
	self.Env = append(os.Environ(), victimDir+"="+dir, ort.LibraryEnv+"="+orttest.Open(t).Path())
	out, err := self.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for range batches {
		if _, err := lines.ReadString('\n'); err != nil {
			break // it is done
		}
	}
	time.Sleep(after)
	self.Process.Kill()
	self.Wait()
}

// rightRows counts the contents a cache has rows of, all of which must be as wanted.
func rightRows(t *testing.T, cache *Cache, about cacheAbout, xs []string, want heads.Matrix) int {
	t.Helper()
	contents := make([]contentKey, len(xs))
	for i, x := range xs {
		contents[i] = keyOf([]byte(x))
	}
	store := cache.open(about, func(s string) { t.Error(s) })
	defer store.close()
	if store.cols() == 0 {
		return 0
	}
	got, rows := heads.NewMatrix(len(xs), store.cols()), newWanted(contents)
	if err := store.read(context.Background(), rows, got); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, first := range rows.firstOf {
		if !rows.found[first] {
			continue
		}
		if !reflect.DeepEqual(got.Row(i), want.Row(i)) {
			t.Fatalf("row %d is wrong", i)
		}
		if int(first) == i {
			n++
		}
	}
	return n
}

// Any byte of a real cache that flips is noticed, told of, and mended by computing the row again and no other.
func TestRealCacheFlippedAnywhere(t *testing.T) {
	rt, b := realBackbone(t)
	xs := sentences(120)
	cache := &Cache{Dir: t.TempDir()}
	run := func() (heads.Matrix, ExtractStats, *recorder) {
		progress := &recorder{}
		m, stats, err := Extract(context.Background(), rt, b, xs, ExtractSettings{Cache: cache, Progress: progress})
		if err != nil {
			t.Fatal(err)
		}
		return m, stats, progress
	}
	want, all, _ := run()
	list, err := cache.List()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	rng := rand.New(rand.NewPCG(8, 9))
	for round := range 60 {
		name := []string{rowsName, indexName}[round%2]
		path := filepath.Join(cache.Dir, list[0].Key, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at, computed := rng.IntN(len(data)), 1
		if name == indexName && round > 8 {
			at = headerSize + rng.IntN(len(data)-headerSize)
		}
		if name == indexName && at < headerSize {
			computed = all.Computed
		}
		data[at] ^= 1 << rng.IntN(8)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		got, stats, progress := run()
		if !reflect.DeepEqual(got, want) || stats.Computed != computed || len(progress.warnings) != 1 {
			t.Fatalf("byte %d of %s: same rows %v, %+v, warnings %q", at, name, reflect.DeepEqual(got, want), stats, progress.warnings)
		}
	}
}
