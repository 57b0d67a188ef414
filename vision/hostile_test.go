package vision

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// Every hostile file is refused cheaply, by an error of a type that says why and a text that names the file.
func TestHostile(t *testing.T) {
	dir := onnxtest.Shared(t, "golden", "images", "hostile")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, f := range files {
		p := newPreprocessor(Defaults(224, 224), &Settings{})
		path := filepath.Join(dir, f.Name())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := p.Feeds([]Picture{{Path: path}})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: not refused", f.Name())
			continue
		}
		var limit *LimitError
		var malformed *MalformedError
		if !errors.As(err, &limit) && !errors.As(err, &malformed) {
			t.Errorf("%s: %v is neither a LimitError nor a MalformedError", f.Name(), err)
		}
		if strings.HasPrefix(f.Name(), "bomb") != errors.As(err, &limit) {
			t.Errorf("%s: %v", f.Name(), err)
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name %s", err, path)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 || took > 50*time.Millisecond {
			t.Errorf("%s: refused after %v and %d bytes", f.Name(), took, used)
		}
	}
}
