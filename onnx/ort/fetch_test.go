package ort

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onnx-graft/graft/onnx/storage"
)

// moduleDir asks go where a module lies.
func moduleDir(module string) (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" {
		err = errors.New("not downloaded")
	}
	return dir, err
}

// noProgram stands for a machine without package clients.
func noProgram(context.Context, string, string, ...string) (string, error) {
	return "", exec.ErrNotFound
}

const tarLibrary = "onnxruntime-x/lib/libonnxruntime.so." + Version

// tgz packs files, in the order given, as the release archives are.
func tgz(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(files[i+1], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			io.WriteString(w, files[i+1])
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wheel packs files as pip's packages are.
func wheel(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// server serves files by name and counts requests.
func server(t *testing.T, files map[string][]byte) (*httptest.Server, *atomic.Int64) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		data, ok := files[filepath.Base(r.URL.Path)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s, &requests
}

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// archiveSource is a row of the table for the test's archive.
func archiveSource(digest string) source {
	return source{buildCPU, "linux", "amd64", viaArchive, "ort.tgz", "", archiveLinux, digest}
}

func TestFetchArchive(t *testing.T) {
	lib := elfHeader(elf.EM_X86_64)
	pack := tgz(t,
		"onnxruntime-x/lib/libonnxruntime.so", "-> libonnxruntime.so."+Version,
		"onnxruntime-x/include/onnxruntime_c_api.h", "/* */",
		"onnxruntime-x/lib/libonnxruntime_providers_shared.so", "shared",
		tarLibrary, string(lib),
		"../../../etc/libonnxruntime_providers_evil.so", "evil",
	)
	s, requests := server(t, map[string][]byte{"ort.tgz": pack})
	f := testFinder(t, nil)
	f.base, f.sources = s.URL+"/", []source{archiveSource(sha(pack))}
	got, err := f.obtain(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := f.folder()
	want := Library{filepath.Join(dir, "libonnxruntime.so."+Version), Version, FromCache, "release archive ort.tgz"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	wantFiles(t, dir, manifestName, "libonnxruntime.so."+Version, "libonnxruntime_providers_shared.so")
	wantFiles(t, filepath.Dir(dir), filepath.Base(dir))

	f.looked = nil
	if got, err = f.obtain(context.Background()); err != nil || got != want || requests.Load() != 1 {
		t.Errorf("second time: %+v, %v after %d requests, want the same from the cache", got, err, requests.Load())
	}
	// A cached library that was cut short, or has a flipped bit, is fetched again, whole.
	for i, damaged := range [][]byte{lib[:40], flipped(lib)} {
		put(t, damaged, want.Path)
		f.looked = nil
		if got, err = f.obtain(context.Background()); err != nil || got != want || requests.Load() != int64(2+i) {
			t.Errorf("after damage: %+v, %v after %d requests, want it fetched again", got, err, requests.Load())
		}
	}
}

// flipped returns data with one bit changed.
func flipped(data []byte) []byte {
	data = bytes.Clone(data)
	data[len(data)-1] ^= 1
	return data
}

// wantFiles lists a folder.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

// TestFetchFallsThrough lets every source fail in its own way until the last.
func TestFetchFallsThrough(t *testing.T) {
	lib := string(elfHeader(elf.EM_X86_64))
	s, _ := server(t, map[string][]byte{
		"junk.tgz":    []byte("junk"),
		"cut.tgz":     tgz(t, tarLibrary, lib)[:60],
		"empty.tgz":   tgz(t, "onnxruntime-x/README", ""),
		"foreign.tgz": tgz(t, tarLibrary, string(elfHeader(elf.EM_AARCH64))),
		"digest.tgz":  tgz(t, tarLibrary, lib),
		"text.tgz":    tgz(t, tarLibrary, "<html>sign in to this network</html>"),
	})
	f := testFinder(t, nil)
	f.base, f.sources = s.URL+"/", nil
	for _, name := range []string{"missing.tgz", "junk.tgz", "cut.tgz", "empty.tgz", "foreign.tgz", "digest.tgz", "text.tgz"} {
		row := archiveSource("")
		row.name = name
		if name == "digest.tgz" {
			row.sha256 = strings.Repeat("0", 64)
		}
		f.sources = append(f.sources, row)
	}
	f.sources = append(f.sources,
		source{buildCPU, "linux", "amd64", viaPip, "onnxruntime", "manylinux", wheelLinux, sha([]byte(lib))},
		source{buildCPU, "linux", "amd64", viaNpm, "onnxruntime-node", "", nodeLinuxX64, sha([]byte(lib))})
	_, err := f.obtain(context.Background())
	wantFault(t, err, Missing, "404", "junk.tgz", "unexpected EOF", "does not hold", "linux/arm64", "SHA-256", "text.tgz", "pip is not installed", "npm is not installed", "curl")
	dir, _ := f.folder()
	wantFiles(t, filepath.Dir(dir))

	f.looked = nil
	f.clients.run = func(_ context.Context, dir, program string, args ...string) (string, error) {
		if program != "npm" {
			return "", exec.ErrNotFound
		}
		put(t, tgz(t, "package/package.json", "{}", nodeLinuxX64, lib, nodeLinuxARM, "other"), dir, "onnxruntime-node.tgz")
		return "", nil
	}
	got, err := f.obtain(context.Background())
	if err != nil || got.Package != "npm package onnxruntime-node "+Version {
		t.Errorf("npm: %+v, %v", got, err)
	}
}

// TestFetchPip plays a pip whose Python is too new for any wheel, until it is told to look for another Python's.
func TestFetchPip(t *testing.T) {
	lib := string(elfHeader(elf.EM_X86_64))
	f := testFinder(t, nil)
	f.sources = []source{{buildCPU, "linux", "amd64", viaPip, "onnxruntime", "manylinux_2_28_x86_64", wheelLinux, sha([]byte(lib))}}
	var calls []string
	f.clients.run = func(_ context.Context, dir, program string, args ...string) (string, error) {
		line := program + " " + strings.Join(args, " ")
		calls = append(calls, line)
		switch {
		case program != "python":
			return "", exec.ErrNotFound
		case strings.HasSuffix(line, "--version"), strings.HasSuffix(line, "debug"):
			return "pip 99", nil
		case !strings.Contains(line, "--platform manylinux_2_28_x86_64 --python-version "+wheelPython):
			return "ERROR: No matching distribution found", errors.New("exit status 1")
		}
		put(t, wheel(t, "onnxruntime/__init__.py", "", wheelLinux, lib), dir, "onnxruntime.whl")
		return "", nil
	}
	got, err := f.obtain(context.Background())
	if err != nil || got.Version != Version || got.Package != "pip package onnxruntime "+Version {
		t.Fatalf("got %+v, %v after\n%s", got, err, strings.Join(calls, "\n"))
	}
	for _, want := range []string{"--no-deps", "--only-binary :all:", "onnxruntime==" + Version} {
		if !strings.Contains(calls[len(calls)-1], want) {
			t.Errorf("pip was called without %q: %s", want, calls[len(calls)-1])
		}
	}
}

func TestFetchForbidden(t *testing.T) {
	s, requests := server(t, nil)
	for _, c := range []struct {
		env     map[string]string
		offline bool
	}{{map[string]string{OfflineEnv: "1"}, false}, {nil, true}} {
		f := testFinder(t, c.env)
		f.settings.Offline = c.offline
		f.base, f.sources = s.URL+"/", []source{archiveSource("")}
		_, err := f.obtain(context.Background())
		wantFault(t, err, Missing, OfflineEnv)
	}
	if requests.Load() != 0 {
		t.Errorf("%d requests although offline", requests.Load())
	}
}

func TestFetchStops(t *testing.T) {
	block := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-block
	}))
	defer s.Close()
	defer close(block)
	f := testFinder(t, nil)
	f.base, f.sources = s.URL+"/", []source{archiveSource("")}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := f.obtain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	dir, _ := f.folder()
	wantFiles(t, filepath.Dir(dir))
}

// TestUnreachable expects a host that does not answer to be given up soon.
func TestUnreachable(t *testing.T) {
	f := testFinder(t, nil)
	f.base, f.sources = "http://127.0.0.1:1/", []source{archiveSource("")}
	start := time.Now()
	_, err := f.obtain(context.Background())
	wantFault(t, err, Missing, "127.0.0.1:1")
	if d := time.Since(start); d > 2*connectTimeout {
		t.Errorf("took %v", d)
	}
}

func TestCacheNotWritable(t *testing.T) {
	f := testFinder(t, nil)
	file := put(t, nil, t.TempDir(), "file")
	f.settings.CacheDir = filepath.Join(file, "ort")
	_, err := f.fetch(context.Background())
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), storage.CacheEnv) {
		t.Errorf("got %v, want an error naming %s and %s", err, file, storage.CacheEnv)
	}
}

// TestFetchRace lets processes fetch the same library at once: one does, all get it.
func TestFetchRace(t *testing.T) {
	cache := os.Getenv("ORT_RACE_CACHE")
	lib := elfHeader(elf.EM_X86_64)
	if cache != "" {
		f := testFinder(t, nil)
		f.settings.CacheDir = cache
		f.base, f.sources = os.Getenv("ORT_RACE_URL"), []source{archiveSource("")}
		got, err := f.obtain(context.Background())
		fmt.Println("got", got.Version, err)
		return
	}
	pack := tgz(t, tarLibrary, string(lib))
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		time.Sleep(300 * time.Millisecond) // long enough for the others to come
		w.Write(pack)
	}))
	defer s.Close()
	cache = t.TempDir()
	var running []*exec.Cmd
	var outputs []*bytes.Buffer
	for range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFetchRace$")
		cmd.Env = append(os.Environ(), "ORT_RACE_CACHE="+cache, "ORT_RACE_URL="+s.URL+"/")
		out := new(bytes.Buffer)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running, outputs = append(running, cmd), append(outputs, out)
	}
	for i, cmd := range running {
		if err := cmd.Wait(); err != nil || !strings.Contains(outputs[i].String(), "got "+Version+" <nil>") {
			t.Errorf("process %d: %v\n%s", i, err, outputs[i])
		}
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d downloads, want 1", n)
	}
	wantFiles(t, cache, Version+"-linux-amd64-cpu")
}

func TestExtractLimits(t *testing.T) {
	for _, name := range []string{"../up", "a/b", "/abs", "", ".."} {
		if err := keepFile(t.TempDir(), name, strings.NewReader("x")); err == nil {
			t.Errorf("a member was written as %q", name)
		}
	}
	path := filepath.Join(t.TempDir(), "big")
	if _, err := writeFile(path, strings.NewReader("12345"), 4); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("5 bytes with a limit of 4: %v", err)
	}
}
