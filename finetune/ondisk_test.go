package finetune_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/models/demo"
)

// A run whose features lie on disk makes the same model, and leaves nothing behind.
func TestFeaturesOnDisk(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	for _, store := range []finetune.Precision{finetune.Float32, finetune.Float16} {
		var first []byte
		for _, memory := range []int64{0, 1000} {
			cache := t.TempDir()
			s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out")}
			s.Extract.Cache, s.Extract.Memory, s.Extract.Store = &finetune.Cache{Dir: cache}, memory, store
			if _, err := finetune.Run(ctx, runtimes(t), nil, textBackbone(t, miniText(t)), data, s); err != nil {
				t.Fatal(err)
			}
			model, err := os.ReadFile(filepath.Join(s.Out, "model.onnx"))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = model
			}
			if !bytes.Equal(model, first) {
				t.Errorf("%s, %d bytes in memory: another model", store, memory)
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "*.tmp")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	}
}
