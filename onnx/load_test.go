package onnx_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// everyModel lists every ONNX file of the shared material.
func everyModel(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, root := range []string{onnxtest.Shared(t, "assets"), onnxtest.Shared(t, "minis")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".onnx") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 8 {
		t.Fatalf("only %d models found", len(files))
	}
	return files
}

// mustLoad loads a model and closes it at the test's end.
func mustLoad(t testing.TB, path string) *onnx.Model {
	t.Helper()
	m, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestLoadSaveLoad(t *testing.T) {
	for _, path := range everyModel(t) {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			first := mustLoad(t, path)
			original, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			saved := filepath.Join(t.TempDir(), "model.onnx")
			if err := first.Save(saved); err != nil {
				t.Fatal(err)
			}
			once, err := os.ReadFile(saved)
			if err != nil {
				t.Fatal(err)
			}
			second := mustLoad(t, saved)
			if !onnx.Same(first, second) {
				t.Error("the saved model differs from the one loaded")
			}
			twice, err := second.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(once, twice) {
				t.Error("saving again gives other bytes")
			}
			if !bytes.Equal(original, once) {
				t.Errorf("%d bytes became %d", len(original), len(once))
			}
		})
	}
}

func TestLoadCopiesNoWeights(t *testing.T) {
	path := onnxtest.Shared(t, "assets", "text-models", "minilm-l6", "onnx", "model.onnx")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := mustLoad(t, path)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes allocated, %d nodes, %d initializers", allocated, len(m.Graph.Nodes), len(m.Graph.Initializers))
	if allocated > 2<<20 {
		t.Errorf("loading allocated %d bytes", allocated)
	}
	var weights int
	for _, w := range m.Graph.Initializers {
		weights += len(w.Data)
	}
	if weights < 80<<20 {
		t.Errorf("only %d bytes of weights", weights)
	}
}
