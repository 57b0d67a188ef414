package main

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

type inspectResult struct {
	Inputs, Outputs []struct {
		Name, Type string
		Shape      []any
	}
	Opsets     map[string]int
	Ops        map[string]int
	Parameters int
	Features   []struct {
		Tensor string
		Dim    int
		Kind   string
	}
}

func TestInspect(t *testing.T) {
	var r inspectResult
	graft(t, "", "inspect", "mini-image", "--json").want(t, exitOK).decode(t, &r)
	if len(r.Inputs) != 1 || r.Inputs[0].Name != "pixel_values" || r.Inputs[0].Type != "float32" || len(r.Inputs[0].Shape) != 4 {
		t.Errorf("inputs %+v", r.Inputs)
	}
	if r.Opsets["ai.onnx"] != 17 || r.Ops["Conv"] == 0 || r.Parameters < 2_000_000 {
		t.Errorf("opsets %v, ops %v, parameters %d", r.Opsets, r.Ops, r.Parameters)
	}
	if len(r.Features) == 0 || r.Features[0].Dim != 256 {
		t.Errorf("features %+v", r.Features)
	}
	if text := graft(t, "", "inspect", "mini-image").want(t, exitOK).stdout; !strings.Contains(text, "pixel_values") {
		t.Errorf("no input in\n%s", text)
	}
}

func TestInspectFindsWhatAClassifierReads(t *testing.T) {
	for folder, want := range map[string]string{"squeezenet1_1": "/f.7/Concat_output_0", "mobilenetv1_0.25_128": "", "mobilenetv1_0.25_128/model_qdq.onnx": ""} {
		var r inspectResult
		graft(t, "", "inspect", onnxtest.Shared(t, "assets", "vision-models", folder), "--json").want(t, exitOK).decode(t, &r)
		if len(r.Features) == 0 || r.Features[0].Kind != "penultimate" || want != "" && r.Features[0].Tensor != want {
			t.Errorf("%s: features %+v", folder, r.Features)
		}
	}
}

func TestInspectBadModels(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.onnx")
	if err := os.WriteFile(junk, []byte("this is no model at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	graft(t, "", "inspect", junk).want(t, exitModel, "junk.onnx")
	graft(t, "", "inspect", dir).want(t, exitModel, "model.onnx")
	graft(t, "", "inspect", filepath.Join(dir, "absent.onnx")).want(t, exitModel, "absent.onnx", "graft models list")
	graft(t, "", "inspect", "mini-imag").want(t, exitModel, "graft models list")
}

func TestDoctor(t *testing.T) {
	var r struct {
		ONNXRuntime struct{ Version, Path, Source string }
		Providers   []string
		Cache       string
		Problems    []string
	}
	got := graft(t, "", "doctor", "--json")
	got.decode(t, &r)
	if r.Cache == "" || r.Providers == nil || r.Problems == nil || (got.code == exitOK) != (len(r.Problems) == 0) {
		t.Errorf("exit code %d, %+v", got.code, r)
	}
	graft(t, "", "doctor", "--json", "--onnxruntime", "/nowhere/lib.so").want(t, exitRuntime).decode(t, &r)
	if len(r.Problems) == 0 || !strings.Contains(r.Problems[0], "/nowhere/lib.so") || !strings.Contains(r.Problems[0], "to mend it") {
		t.Errorf("problems %q", r.Problems)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GRAFT_CACHE", filepath.Join(file, "below"))
	if out := graft(t, "", "doctor"); out.code == exitOK || !strings.Contains(out.stdout, "GRAFT_CACHE") {
		t.Errorf("a cache that cannot be: %+v", out)
	}
}

func TestTokenize(t *testing.T) {
	vocab := filepath.Join("..", "..", "models", "embedded", "text")
	lines := func(r result) []encodingJSON {
		var list []encodingJSON
		for line := range strings.Lines(r.stdout) {
			var e encodingJSON
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v in %q", err, line)
			}
			list = append(list, e)
		}
		return list
	}
	got := lines(graft(t, "a dog\n\nmore", "tokenize", "--tokenizer", vocab).want(t, exitOK))
	if len(got) != 3 || !slices.Equal(got[0].Tokens, []string{"[CLS]", "a", "dog", "[SEP]"}) || got[0].Offsets[2] != [2]int{2, 5} || len(got[1].IDs) != 2 {
		t.Errorf("tokens %+v", got)
	}
	got = lines(graft(t, `{"text":"a dog","pair":"a cat"}`, "tokenize", "--tokenizer", vocab, "--jsonl").want(t, exitOK))
	if len(got) != 1 || !slices.Equal(got[0].TokenTypeIDs, []int32{0, 0, 0, 0, 1, 1, 1}) {
		t.Errorf("pair %+v", got)
	}
	got = lines(graft(t, "a dog and a cat\n", "tokenize", "--tokenizer", filepath.Join(vocab, "vocab.txt"), "--no-special", "--max-length", "3").want(t, exitOK))
	if len(got) != 1 || !slices.Equal(got[0].Tokens, []string{"a", "dog", "and"}) {
		t.Errorf("cut %+v", got)
	}
	graft(t, "", "tokenize").want(t, exitUsage, "--tokenizer")
	graft(t, "x", "tokenize", "--tokenizer", t.TempDir()).want(t, exitModel, "tokenizer")
	graft(t, "{\"text\":\"a\"}\n{\"txt\":1}\n", "tokenize", "--tokenizer", vocab, "--jsonl").want(t, exitData, "line 2", "txt")
}

func TestPreprocess(t *testing.T) {
	dir := t.TempDir()
	if err := demo.DrawPictures(filepath.Join(dir, "pictures"), 3); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "x.npy")
	var r struct{ Shape []int }
	graft(t, "", "preprocess", "--json", "--png", "--out", out, filepath.Join(dir, "pictures", "test")).want(t, exitOK).decode(t, &r)
	if !slices.Equal(r.Shape, []int{100, 3, 64, 64}) {
		t.Errorf("shape %v", r.Shape)
	}
	data, err := os.ReadFile(out)
	if err != nil || !bytes.HasPrefix(data, []byte("\x93NUMPY")) || len(data) != 128+4*100*3*64*64 {
		t.Errorf("x.npy: %d bytes, %v", len(data), err)
	}
	f, err := os.Open(filepath.Join(dir, "x.99.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if view, _, err := image.Decode(f); err != nil || view.Bounds().Dx() != 64 {
		t.Errorf("the last view: %v", err)
	}
	note := filepath.Join(dir, "note.png")
	if err := os.WriteFile(note, []byte("a text, not a picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	graft(t, "", "preprocess", "--out", filepath.Join(dir, "y.npy"), note).want(t, exitData, "note.png")
	if _, err := os.Stat(filepath.Join(dir, "y.npy")); err == nil {
		t.Error("y.npy was left behind")
	}
	graft(t, "", "preprocess", "--out", out, filepath.Join(dir, "nowhere.png")).want(t, exitData, "nowhere.png")
	graft(t, "", "preprocess", "--out", out).want(t, exitUsage, "picture")
	graft(t, "", "preprocess", note).want(t, exitUsage, "--out")
}
