package tune_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// TestFullDisk trains with checkpoints on a file system of 128 KiB, in a process that may mount one: as root, or in a user
// namespace.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=128k none "$1" && TUNE_FULL="$1" exec "$2" -test.run='TestFull(Disk|Cache)Inside' -test.v`
	out, err := exec.Command("unshare", "--mount", "--user", "--map-root-user", "sh", "-c", script, "sh", dir, os.Args[0]).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "FAIL") {
		out, err = exec.Command("unshare", "--mount", "sh", "-c", script, "sh", dir, os.Args[0]).CombinedOutput()
	}
	if err != nil && !strings.Contains(string(out), "FAIL") {
		t.Skipf("cannot mount a small file system here: %v\n%s", err, out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDiskInside") || !strings.Contains(string(out), "--- PASS: TestFullCacheInside") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The run stops with the reason and what is whole, and goes on from there once there is room.
func TestFullDiskInside(t *testing.T) {
	dir := os.Getenv("TUNE_FULL")
	if dir == "" {
		t.Skip("runs inside TestFullDisk")
	}
	s := long(filepath.Join(dir, "c"))
	want := weights(t, runLong(t, long("")))
	s.Checkpoints.Keep = 100
	_, err := trainLong(context.Background(), t, s)
	if err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "is whole") {
		t.Fatalf("error %v, want one of the full disk", err)
	}
	t.Log(err)
	s.Checkpoints.Keep = 1
	names, _ := filepath.Glob(filepath.Join(s.Checkpoints.Dir, "*"))
	for _, name := range names[:len(names)-1] {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
	r, err := trainLong(context.Background(), t, s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Resumed == 0 || !bytes.Equal(weights(t, r), want) {
		t.Errorf("resumed at step %d, other weights", r.Resumed)
	}
}

// Activations that a full cache has no room for go where temporary files do.
func TestFullCacheInside(t *testing.T) {
	dir := os.Getenv("TUNE_FULL")
	if dir == "" {
		t.Skip("runs inside TestFullDisk")
	}
	p := newSample(1500).problem(attention(t), 1400)
	p.Kept, p.Scratch = &tune.Kept{Dir: filepath.Join(dir, "kept")}, t.TempDir()
	if _, err := tune.Run(context.Background(), orttest.Open(t), p, tune.Settings{Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 1}); err != nil {
		t.Error(err)
	}
	if list, err := tune.ListKept(p.Kept.Dir); err != nil || len(list) > 0 {
		t.Errorf("left in the full folder: %+v, %v", list, err)
	}
}
