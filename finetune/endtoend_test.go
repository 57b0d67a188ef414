package finetune_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// textBackbone makes of an opened text model what Run takes.
func textBackbone(t testing.TB, b *text.Backbone) *finetune.Backbone[string] {
	return &finetune.Backbone[string]{
		Name: "mini text", Task: finetune.TextClassification, Model: b.Model, Feature: b.Feature.Tensor, Preprocessor: b.Preprocessor,
		Files: must[map[string][]byte](t)(b.Files()), Config: b.Config(), Reopen: reopenText,
	}
}

func reopenText(dir string, m *onnx.Model) (finetune.Preprocessor[string], error) {
	p, err := text.OpenPreprocessor(dir)
	if err != nil {
		return nil, err
	}
	return p, p.Bind(m)
}

func imageBackbone(t testing.TB, b *vision.Backbone) *finetune.Backbone[vision.Picture] {
	return &finetune.Backbone[vision.Picture]{
		Name: "mini image", Task: finetune.ImageClassification, Model: b.Model, Feature: b.Feature.Tensor, Preprocessor: b.Preprocessor,
		Files: must[map[string][]byte](t)(b.Files()), Config: b.Config(), Reopen: reopenImage,
	}
}

func reopenImage(dir string, m *onnx.Model) (finetune.Preprocessor[vision.Picture], error) {
	p, err := vision.OpenPreprocessor(dir)
	if err != nil {
		return nil, err
	}
	return p, p.Bind(m)
}

func picture(e dataset.Example[string]) vision.Picture { return vision.Picture{Path: e.Input} }

func miniText(t testing.TB) *text.Backbone {
	t.Helper()
	return must[*text.Backbone](t)(text.OpenFS(embedded.Text(), text.Settings{}))
}

func runtimes(t testing.TB) *ort.Runtime { return orttest.Open(t).With(1) }

func TestTextEndToEnd(t *testing.T) {
	rt, dir, ctx := runtimes(t), t.TempDir(), context.Background()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	cache := &finetune.Cache{Dir: t.TempDir()}
	var first map[string]string
	for _, state := range []string{"cold", "warm", "none"} {
		s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out")}
		if state != "none" {
			s.Extract.Cache = cache
		}
		r, err := finetune.Run(ctx, rt, &onnxgo.Runtime{}, textBackbone(t, miniText(t)), data, s)
		if err != nil {
			t.Fatal(err)
		}
		if r.Metrics["eval_accuracy"] < 0.8 || r.Verify.MaxAbsDiff > 1e-4 || !r.Verify.ArgmaxEqual || r.Verify.Rows != len(data.Test) {
			t.Errorf("cache %s: accuracy %g, %+v", state, r.Metrics["eval_accuracy"], r.Verify)
		}
		if wantComputed := state != "warm"; wantComputed != (r.Stats.Computed > 0) {
			t.Errorf("cache %s: %+v", state, r.Stats)
		}
		got := readAll(t, os.DirFS(s.Out))
		if first == nil {
			first = got
			t.Logf("accuracy %.3f, %+v, %v", r.Metrics["eval_accuracy"], r.Verify, r.Timings)
			useClassifier(t, rt, s.Out, data, r)
		}
		for name := range first {
			if got[name] != first[name] && !timed(name) {
				t.Errorf("cache %s: %s has other bytes", state, name)
			}
		}
	}
}

func useClassifier(t *testing.T, rt onnx.Runtime, dir string, data dataset.Split[string], r *finetune.Result) {
	t.Helper()
	c := must[*finetune.Classifier[string]](t)(finetune.OpenClassifier(rt, dir, reopenText, finetune.ExtractSettings{}))
	defer c.Close()
	e := must[finetune.Evaluation](t)(c.Evaluate(context.Background(), data.Test))
	if math.Abs(e.Metrics["eval_accuracy"]-r.Metrics["eval_accuracy"]) > 1e-9 || !slices.Equal(c.Labels, data.Labels) {
		t.Errorf("the exported folder's accuracy is %g, was %g", e.Metrics["eval_accuracy"], r.Metrics["eval_accuracy"])
	}
	p := must[[]finetune.Prediction](t)(c.Predict(context.Background(), []string{"my parcel has not arrived yet", "I want my money back"}))
	if p[0].Label != "delivery" || p[1].Label != "refund" {
		t.Errorf("%+v", p)
	}
}

func readAll(t *testing.T, dir fs.FS) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var data []byte
			data, err = fs.ReadFile(dir, path)
			out[path] = string(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImageEndToEnd(t *testing.T) {
	rt, dir, ctx := runtimes(t), t.TempDir(), context.Background()
	if err := demo.DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	b := imageBackbone(t, must[*vision.Backbone](t)(vision.OpenFS(embedded.Image(), vision.Settings{})))
	s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out"), Probabilities: true}
	r, err := finetune.Run(ctx, rt, &onnxgo.Runtime{}, b, dataset.Map(data, picture), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("accuracy %.3f, %+v, %v", r.Metrics["eval_accuracy"], r.Verify, r.Timings)
	if r.Metrics["eval_accuracy"] < 0.7 || r.Verify.MaxAbsDiff > 1e-4 || !r.Verify.ArgmaxEqual {
		t.Errorf("accuracy %g, %+v", r.Metrics["eval_accuracy"], r.Verify)
	}
}

func TestAPictureThatIsAText(t *testing.T) {
	dir := t.TempDir()
	if err := demo.DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	classes := must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(dir, "train")))
	bad := filepath.Join(dir, "train", classes[0].Name(), "zz.jpg")
	if err := os.WriteFile(bad, []byte("this is no picture\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(context.Background(), dir, dataset.Settings{}))
	b := imageBackbone(t, must[*vision.Backbone](t)(vision.OpenFS(embedded.Image(), vision.Settings{})))
	out := filepath.Join(t.TempDir(), "out")
	_, err := finetune.Run(context.Background(), runtimes(t), nil, b, dataset.Map(data, picture), finetune.Settings{Out: out})
	if err == nil || !strings.Contains(err.Error(), "zz.jpg") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a folder was left")
	}
}

// A row of features is a function of its content alone, to the last bit: not of its batch, the workers or the threads.
// A cache whose rows come from several runs rests on it.
func TestRowsDoNotDependOnTheirCompany(t *testing.T) {
	rt, ctx := orttest.Open(t), context.Background()
	dir := t.TempDir()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	xs := dataset.Inputs(must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{})).Test)
	backbones := map[string]*finetune.Backbone[string]{"mini": textBackbone(t, miniText(t))}
	if !testing.Short() {
		path := onnxtest.Shared(t, "assets", "text-models", "minilm-l6")
		backbones["minilm"] = textBackbone(t, must[*text.Backbone](t)(text.Open(path, text.Settings{})))
		xs = xs[:12]
	}
	for name, b := range backbones {
		var want heads.Matrix
		for _, s := range []finetune.ExtractSettings{{}, {Tokens: 1}, {Tokens: 100, Workers: 1}, {Tokens: 4096}} {
			for _, threads := range []int{1, 2} {
				got, _, err := finetune.Extract(ctx, rt.With(threads), b, xs, s)
				if err != nil {
					t.Fatal(err)
				}
				if want.Data == nil {
					want = got
				}
				if !slices.Equal(got.Data, want.Data) {
					t.Errorf("%s: %d tokens a batch, %d threads: other bits", name, s.Tokens, threads)
				}
			}
		}
	}
}

// A quantised backbone is cut, extended and proved like any other.
func TestQuantizedBackbone(t *testing.T) {
	path := onnxtest.Shared(t, "assets", "vision-models", "mobilenetv1_0.25_128", "model_qdq.onnx")
	dir := t.TempDir()
	if err := demo.DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(context.Background(), dir, dataset.Settings{}))
	b := imageBackbone(t, must[*vision.Backbone](t)(vision.Open(path, vision.Settings{})))
	r, err := finetune.Run(context.Background(), runtimes(t), nil, b, dataset.Map(data, picture), finetune.Settings{Out: filepath.Join(t.TempDir(), "out")})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("accuracy %.3f, %+v", r.Metrics["eval_accuracy"], r.Verify)
	if r.Verify.Rows != r.Rows.Test || r.Verify.MaxAbsDiff > 1e-4 || !r.Verify.ArgmaxEqual || r.Metrics["eval_accuracy"] < 0.7 {
		t.Errorf("accuracy %g, %+v", r.Metrics["eval_accuracy"], r.Verify)
	}
}
