package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// hubServer stands in for a model hub: small files come from it, large ones
// from a second host it redirects to.
type hubServer struct {
	hub, store *httptest.Server
	files      map[string][]byte // by path after /resolve/main/

	mu     sync.Mutex
	cut    int               // the store breaks its next answers after this many bytes, until 0
	cuts   int               // how many answers it still breaks
	etags  map[string]string // what to say instead of the truth
	ranges []string          // the Range headers the store saw
	gets   int
	noSize bool
	plain  bool // the store ignores Range
}

const largeFile = 100 << 10 // files from here on are in the store

func newHubServer(t *testing.T, files map[string][]byte) *hubServer {
	s := &hubServer{files: files, etags: map[string]string{}}
	s.hub, s.store = httptest.NewServer(http.HandlerFunc(s.serveHub)), httptest.NewServer(http.HandlerFunc(s.serveStore))
	t.Cleanup(s.hub.Close)
	t.Cleanup(s.store.Close)
	return s
}

func (s *hubServer) serveHub(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ok := strings.CutPrefix(r.URL.Path, "/owner/model/resolve/main/")
	data, there := s.files[name]
	if !ok || !there {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodGet {
		s.gets++
	}
	sum := sha256.Sum256(data)
	tag := hex.EncodeToString(sum[:])
	if said := s.etags[name]; said != "" {
		tag = said
	}
	w.Header().Set("X-Repo-Commit", "0123abc")
	if len(data) < largeFile {
		w.Header().Set("Etag", `"`+tag+`"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Write(data)
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+tag+`"`)
	if !s.noSize {
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
	}
	http.Redirect(w, r, s.store.URL+"/"+name, http.StatusFound)
}

func (s *hubServer) serveStore(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := s.files[strings.TrimPrefix(r.URL.Path, "/")]
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	var from int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil && !s.plain {
		if from >= len(data) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
		data = data[from:]
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.WriteHeader(http.StatusPartialContent)
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	}
	if s.cuts > 0 && s.cut < len(data) {
		s.cuts--
		w.Write(data[:s.cut])
		panic(http.ErrAbortHandler)
	}
	w.Write(data)
}

func testCard() Card {
	return Card{
		Name: "model", Repo: "owner/model", Task: Image, License: "MIT",
		Files: []File{
			{Path: "config.json"},
			{Path: "missing.json", Optional: true},
			{Path: "onnx/model.onnx", As: "model.onnx"},
		},
		Written: map[string]string{"preprocessor_config.json": "{}"},
	}
}

func testFiles() map[string][]byte {
	big := make([]byte, 1<<20)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(big)
	return map[string][]byte{"config.json": []byte(`{"model_type":"resnet"}`), "onnx/model.onnx": big}
}

// wantPulled checks that the folder holds exactly what the card promises.
func wantPulled(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	want := map[string][]byte{"config.json": files["config.json"], "model.onnx": files["onnx/model.onnx"], "preprocessor_config.json": []byte("{}"), sourceFile: nil}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, ok := want[e.Name()]
		if !ok {
			t.Errorf("%s was left in the folder", e.Name())
		}
		delete(want, e.Name())
		if got, err := os.ReadFile(filepath.Join(dir, e.Name())); err != nil || data != nil && !bytes.Equal(got, data) {
			t.Errorf("%s is not what the hub has (%v)", e.Name(), err)
		}
	}
	for name := range maps.Keys(want) {
		t.Errorf("%s is missing", name)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), ".partial", "model")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the partial folder is still there: %v", err)
	}
}

func TestPull(t *testing.T) {
	s := newHubServer(t, testFiles())
	heard := map[string]int64{}
	hub := Hub{Base: s.hub.URL, Dir: t.TempDir(), Progress: func(file string, done, total int64) {
		if done < heard[file] || done > total {
			t.Errorf("progress of %s: %d after %d, of %d", file, done, heard[file], total)
		}
		heard[file] = done
	}}
	dir, err := hub.Pull(context.Background(), testCard())
	if err != nil {
		t.Fatal(err)
	}
	wantPulled(t, dir, s.files)
	if heard["model.onnx"] != 1<<20 || heard["config.json"] == 0 {
		t.Errorf("progress ended at %v", heard)
	}
	data, err := os.ReadFile(filepath.Join(dir, sourceFile))
	if err != nil || !strings.Contains(string(data), `"revision": "0123abc"`) || !strings.Contains(string(data), "sha256:") {
		t.Errorf("%s: %s, %v", sourceFile, data, err)
	}
	s.hub.Close()
	if again, err := hub.Pull(context.Background(), testCard()); err != nil || again != dir {
		t.Errorf("a second pull needed the hub: %v", err)
	}
}

func TestPullGoesOnAfterCutConnections(t *testing.T) {
	for _, c := range []struct {
		name   string
		server func(*hubServer)
	}{
		{"with ranges", func(*hubServer) {}},
		{"size unknown", func(s *hubServer) { s.noSize = true }},
		{"a server without ranges", func(s *hubServer) { s.plain = true; s.cuts = 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newHubServer(t, testFiles())
			s.cut, s.cuts = 300<<10, 3
			c.server(s)
			hub := Hub{Base: s.hub.URL, Dir: t.TempDir()}
			dir, err := hub.Pull(context.Background(), testCard())
			if err != nil {
				t.Fatal(err)
			}
			wantPulled(t, dir, s.files)
			if len(s.ranges) < 3 || s.ranges[1] == "" {
				t.Errorf("the store saw the ranges %q", s.ranges)
			}
		})
	}
}

func TestPullUsesWhatAnEarlierOneLeft(t *testing.T) {
	s := newHubServer(t, testFiles())
	s.cut, s.cuts = 256<<10, 1
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	hub := Hub{Base: s.hub.URL, Dir: dir, Progress: func(file string, done, _ int64) {
		if file == "model.onnx" && done >= 200<<10 {
			cancel()
		}
	}}
	if _, err := hub.Pull(ctx, testCard()); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled pull: %v", err)
	}
	if _, ok := hub.Pulled(testCard()); ok {
		t.Fatal("a cancelled pull left a finished folder")
	}
	s.cuts, s.ranges, s.gets, hub.Progress = 0, nil, 0, nil
	got, err := hub.Pull(context.Background(), testCard())
	if err != nil {
		t.Fatal(err)
	}
	wantPulled(t, got, s.files)
	if len(s.ranges) != 1 || s.ranges[0] == "" || s.gets != 1 {
		t.Errorf("the second pull asked for %d files, ranges %q; want the rest of one", s.gets, s.ranges)
	}
}

func TestPullStartsOverWhenTheHubHasNewContent(t *testing.T) {
	s := newHubServer(t, testFiles())
	s.cut, s.cuts = 256<<10, attempts+5
	hub := Hub{Base: s.hub.URL, Dir: t.TempDir()}
	s.plain = true // no progress beyond the cut
	if _, err := hub.Pull(context.Background(), testCard()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("a connection that always breaks: %v", err)
	}
	s.plain, s.cuts = false, 0
	s.files["onnx/model.onnx"] = bytes.Repeat([]byte("new"), 1<<19)
	dir, err := hub.Pull(context.Background(), testCard())
	if err != nil {
		t.Fatal(err)
	}
	wantPulled(t, dir, s.files)
}

func TestPullChecksDigests(t *testing.T) {
	wrong := strings.Repeat("ab", 32)
	for _, c := range []struct {
		name   string
		change func(*hubServer, *Card)
		ok     bool
	}{
		{"the hub's digest is another", func(s *hubServer, _ *Card) { s.etags["onnx/model.onnx"] = wrong }, false},
		{"the card's digest is another", func(_ *hubServer, c *Card) { c.Files[2].SHA256 = wrong }, false},
		{"git's digest is another", func(s *hubServer, _ *Card) { s.etags["config.json"] = strings.Repeat("ab", 20) }, false},
		// as git hash-object says of testFiles' config.json
		{"git's digest is right", func(s *hubServer, _ *Card) { s.etags["config.json"] = "1abf9e19fd9119a3c55ca0ac64214c44a7e4094c" }, true},
		{"a tag that is no digest", func(s *hubServer, _ *Card) { s.etags["config.json"] = "5f-1a2b" }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, card := newHubServer(t, testFiles()), testCard()
			c.change(s, &card)
			hub := Hub{Base: s.hub.URL, Dir: t.TempDir()}
			_, err := hub.Pull(context.Background(), card)
			var digest *DigestError
			if c.ok && err != nil || !c.ok && !errors.As(err, &digest) {
				t.Fatalf("pull: %v", err)
			}
			if _, there := hub.Pulled(card); there != c.ok {
				t.Errorf("pulled: %v", there)
			}
		})
	}
}

func TestPullErrors(t *testing.T) {
	s := newHubServer(t, testFiles())
	hub := Hub{Base: s.hub.URL, Dir: t.TempDir()}
	card := testCard()
	card.Files = append(card.Files, File{Path: "gone.json"})
	var status *StatusError
	if _, err := hub.Pull(context.Background(), card); !errors.As(err, &status) || status.Status != 404 || !strings.Contains(err.Error(), "gone.json") {
		t.Errorf("a missing file: %v", err)
	}
	hub.Offline = true
	if _, err := hub.Pull(context.Background(), testCard()); !errors.Is(err, ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	card = testCard()
	card.Files[0].As = "../config.json"
	hub.Offline = false
	if _, err := hub.Pull(context.Background(), card); err == nil {
		t.Error("a file outside the folder was fetched")
	}
	s.hub.Close()
	if _, err := (Hub{Base: s.hub.URL, Dir: t.TempDir()}).Pull(context.Background(), testCard()); err == nil {
		t.Error("no error without a hub")
	}
}

func TestPullsAtOnce(t *testing.T) {
	s := newHubServer(t, testFiles())
	hub := Hub{Base: s.hub.URL, Dir: t.TempDir()}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, err := hub.Pull(context.Background(), testCard()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if s.gets != 2 {
		t.Errorf("the hub was asked for %d files, want 2", s.gets)
	}
	wantPulled(t, filepath.Join(hub.Dir, "model"), s.files)
}
