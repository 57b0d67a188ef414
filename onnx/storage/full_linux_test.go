package storage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFullDisk writes to a file system of 64 KiB, in a process that may mount one: as root, or in a user namespace.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=64k none "$1" && STORAGE_FULL="$1" exec "$2" -test.run=TestFullDiskInside -test.v`
	out, err := exec.Command("unshare", "--mount", "--user", "--map-root-user", "sh", "-c", script, "sh", dir, os.Args[0]).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "FAIL") {
		out, err = exec.Command("unshare", "--mount", "sh", "-c", script, "sh", dir, os.Args[0]).CombinedOutput()
	}
	if err != nil && !strings.Contains(string(out), "FAIL") {
		t.Skipf("cannot mount a small file system here: %v\n%s", err, out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDiskInside") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFullDiskInside(t *testing.T) {
	dir := os.Getenv("STORAGE_FULL")
	if dir == "" {
		t.Skip("runs inside TestFullDisk")
	}
	path := filepath.Join(dir, "a")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, make([]byte, 1<<20))
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v, want no space left, naming %s", err, path)
	}
	wantContent(t, path, "old")
	wantNames(t, dir, "a")
}
