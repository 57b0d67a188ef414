package onnx_test

import (
	"bytes"
	"io"
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

// Models of every opset and with elements of every type are read, checked and written.
func TestEveryOpsetAndType(t *testing.T) {
	for opset := int64(7); opset <= 23; opset++ {
		m := &onnx.Model{IRVersion: 3, Opsets: []onnx.Opset{{Version: opset}}, Graph: &onnx.Graph{
			Inputs:  []*onnx.Value{{Name: "x", Type: onnx.Float32, Shape: onnx.Shape{onnx.Param("N"), onnx.Known(3)}}},
			Outputs: []*onnx.Value{{Name: "y", Type: onnx.Float16, Shape: onnx.Shape{}}},
			Nodes: []*onnx.Node{{OpType: "Cast", Inputs: []string{"x"}, Outputs: []string{"y"},
				Attributes: []*onnx.Attribute{onnx.IntAttr("to", int64(onnx.Float16))}}},
		}}
		for d := onnx.Float32; d <= onnx.Int2; d++ {
			w := &onnx.Tensor{Name: d.String(), Type: d, Shape: []int64{3, 3}, Data: make([]byte, (9*d.Bits()+7)/8)}
			if d == onnx.String {
				w.Data, w.Strs = nil, make([][]byte, 9)
				for i := range w.Strs {
					w.Strs[i] = []byte{byte(i)}
				}
			}
			m.Graph.Initializers = append(m.Graph.Initializers, w)
		}
		data, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		got, err := onnx.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := onnx.Check(got); err != nil {
			t.Error(err)
		}
		if !onnx.Same(m, got) {
			t.Errorf("opset %d: the model read differs from the one written", opset)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	path := onnxtest.Shared(b, "assets", "text-models", "minilm-l6", "onnx", "model.onnx")
	b.ReportAllocs()
	for b.Loop() {
		m, err := onnx.Load(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	m := mustLoad(b, onnxtest.Shared(b, "assets", "text-models", "minilm-l6", "onnx", "model.onnx"))
	b.ReportAllocs()
	for b.Loop() {
		if err := onnx.Check(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteTo(b *testing.B) {
	m := mustLoad(b, onnxtest.Shared(b, "assets", "text-models", "minilm-l6", "onnx", "model.onnx"))
	b.ReportAllocs()
	for b.Loop() {
		n, err := m.WriteTo(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(n)
	}
}
