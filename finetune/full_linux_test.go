package finetune

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestFullDisk extracts with a cache on a file system of 1 MiB, in a process that may mount one: as root, or in a user
// namespace.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=1m none "$1" && FINETUNE_FULL="$1" exec "$2" -test.run=TestFullDiskInside -test.v`
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
	dir := os.Getenv("FINETUNE_FULL")
	if dir == "" {
		t.Skip("runs inside TestFullDisk")
	}
	xs := sentences(3000)
	want, _ := extract(t, &fakeRuntime{cols: 384}, fakeBackbone("b", 384), xs, ExtractSettings{})
	cache := &Cache{Dir: filepath.Join(dir, "features")}
	progress := &recorder{}
	got, stats := extract(t, &fakeRuntime{cols: 384}, fakeBackbone("b", 384), xs, ExtractSettings{Cache: cache, Progress: progress})
	if !reflect.DeepEqual(got, want) || stats.Computed != len(xs) {
		t.Errorf("%+v, same rows %v", stats, reflect.DeepEqual(got, want))
	}
	if len(progress.warnings) != 1 || !strings.Contains(progress.warnings[0], "no space left") {
		t.Errorf("warnings %q", progress.warnings)
	}
	again, stats := extract(t, &fakeRuntime{cols: 384}, fakeBackbone("b", 384), xs, ExtractSettings{Cache: cache, Progress: &recorder{}})
	if !reflect.DeepEqual(again, want) || stats.Cached == 0 {
		t.Errorf("what fitted is not used: %+v", stats)
	}
}
