package ort

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/onnx-graft/graft/onnx/storage"
)

// TestFullCache fetches into a file system of 64 KiB, in a process that may mount one: as root, or in a user namespace.
func TestFullCache(t *testing.T) {
	if dir := os.Getenv("ORT_FULL_CACHE"); dir != "" {
		fillCache(t, dir)
		return
	}
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=64k none "$1" && ORT_FULL_CACHE="$1" exec "$2" -test.run='^TestFullCache$' -test.v`
	for _, how := range [][]string{{"--mount", "--user", "--map-root-user"}, {"--mount"}} {
		out, err := exec.Command("unshare", append(how, "sh", "-c", script, "sh", dir, os.Args[0])...).CombinedOutput()
		switch {
		case err == nil && strings.Contains(string(out), "--- PASS"):
			return
		case strings.Contains(string(out), "--- FAIL"):
			t.Fatalf("%s", out)
		}
		t.Logf("%v: %v %s", how, err, out)
	}
	t.Skip("cannot mount a small file system here")
}

func fillCache(t *testing.T, dir string) {
	lib := append(elfHeader(elf.EM_X86_64), make([]byte, 1<<20)...)
	s, requests := server(t, map[string][]byte{"ort.tgz": tgz(t, tarLibrary, string(lib))})
	f := testFinder(t, nil)
	f.settings.CacheDir = filepath.Join(dir, "ort")
	f.base, f.sources = s.URL+"/", []source{archiveSource(""), archiveSource("")}
	_, err := f.obtain(context.Background())
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), f.settings.CacheDir) || !strings.Contains(err.Error(), storage.CacheEnv) {
		t.Errorf("got %v, want no space left, naming %s and %s", err, f.settings.CacheDir, storage.CacheEnv)
	}
	if requests.Load() != 1 {
		t.Errorf("%d sources were tried, want 1", requests.Load())
	}
	wantFiles(t, f.settings.CacheDir)
}
