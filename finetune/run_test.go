package finetune

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxgo"
)

func runToy(t *testing.T, out string, s Settings) *Result {
	t.Helper()
	s.Out = out
	r, err := Run(context.Background(), &onnxgo.Runtime{}, &onnxgo.Runtime{}, toyBackbone(t), toyData(300), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// files reads a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRunEndsInAProvedFolder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "new", "out")
	progress := &recorder{}
	r := runToy(t, out, Settings{Progress: progress, Versions: map[string]string{"graft": "test"}})
	if r.Metrics["eval_accuracy"] < 0.8 || !r.Verify.ArgmaxEqual || r.Verify.MaxAbsDiff > 1e-4 || r.Verify.Rows != 60 {
		t.Errorf("%v %+v", r.Metrics, r.Verify)
	}
	if want := []Stage{Extracting, Probing, Evaluating, Exporting, Verifying, Reporting}; !slices.Equal(progress.stages, want) {
		t.Errorf("stages %v", progress.stages)
	}
	got := slices.DeleteFunc(slices.Sorted(maps.Keys(files(t, out))), func(name string) bool { return strings.HasPrefix(name, "report") })
	if !slices.Equal(got, []string{"README.md", "config.json", "model.onnx", "run.json", "toy.txt"}) {
		t.Errorf("files %v", got)
	}
	var result map[string]any
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &result); err != nil {
		t.Fatal(err)
	}
	want := []string{"backbone", "baselines", "feature", "head", "labels", "metrics", "out", "report", "rows", "task", "timings_s", "verify"}
	if keys := slices.Sorted(maps.Keys(result)); !slices.Equal(keys, want) {
		t.Errorf("the result's fields are %v", keys)
	}
	for field, want := range map[string][]string{
		"rows": {"test", "train", "validation"}, "verify": {"argmax_equal", "max_abs_diff", "rows"},
		"timings_s": {"evaluate", "export", "extract", "probe", "report", "total", "verify"},
	} {
		if keys := slices.Sorted(maps.Keys(result[field].(map[string]any))); !slices.Equal(keys, want) {
			t.Errorf("%s has the fields %v", field, keys)
		}
	}
	var config struct {
		Architectures []string
		ModelType     string            `json:"model_type"`
		ID2Label      map[string]string `json:"id2label"`
		Label2ID      map[string]int    `json:"label2id"`
		Problem       string            `json:"problem_type"`
	}
	if err := json.Unmarshal([]byte(files(t, out)["config.json"]), &config); err != nil {
		t.Fatal(err)
	}
	if config.Architectures[0] != "BertForSequenceClassification" || config.ID2Label["2"] != "river" || config.Label2ID["metal"] != 1 ||
		config.Problem != "single_label_classification" || config.ModelType != "bert" {
		t.Errorf("config.json: %+v", config)
	}
}

func TestSameCommandSameBytes(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	var first map[string]string
	for name, s := range map[string]Settings{
		"no cache":         {},
		"cold":             {Extract: ExtractSettings{Cache: cache}},
		"warm":             {Extract: ExtractSettings{Cache: cache}},
		"other batches":    {Extract: ExtractSettings{Batch: 3, Workers: 1}},
		"no cache, again ": {},
	} {
		out := filepath.Join(t.TempDir(), "out")
		runToy(t, out, s)
		got := files(t, out)
		if first == nil {
			first = got
		}
		for file, content := range first {
			timed := file == "report.html" || strings.HasPrefix(file, "report/timings.") // they say how long it took
			if !timed && got[file] != content {
				t.Errorf("%s: %s differs", name, file)
			}
		}
	}
}

func TestProbabilitiesOnRequest(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	runToy(t, out, Settings{Probabilities: true})
	m, err := onnx.Load(filepath.Join(out, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if len(m.Graph.Outputs) != 2 || m.Graph.Outputs[0].Name != "logits" || m.Graph.Outputs[1].Name != "probabilities" {
		t.Errorf("outputs %v", m.Graph.Outputs)
	}
}

// What is wrong with the written files must be found, told by how much, and leave nothing.
func TestAFolderThatFailsItsProofLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	out := filepath.Join(parent, "out")
	runToy(t, out, Settings{})
	before := files(t, out)
	b := toyBackbone(t)
	b.Files["toy.txt"] = []byte("another salt")
	_, err := Run(context.Background(), &onnxgo.Runtime{}, nil, b, toyData(300), Settings{Out: out})
	var proof *VerifyError
	if !errors.As(err, &proof) || proof.MaxAbsDiff < 0.01 || proof.ArgmaxEqual || !strings.HasPrefix(proof.Row, "toy.csv:") {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "up to") {
		t.Errorf("%v does not say by how much", err)
	}
	if !maps.Equal(before, files(t, out)) {
		t.Error("the older folder has changed")
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestCancelAtEveryStageLeavesNothing(t *testing.T) {
	for _, stage := range []Stage{Extracting, Probing, Evaluating, Exporting, Verifying} {
		for _, older := range []bool{false, true} {
			parent := t.TempDir()
			out := filepath.Join(parent, "out")
			want := map[string]string{}
			if older {
				runToy(t, out, Settings{})
				want = files(t, out)
			}
			ctx, cancel := context.WithCancel(context.Background())
			progress := &recorder{on: func(s Stage) {
				if s == stage {
					cancel()
				}
			}}
			_, err := Run(ctx, &onnxgo.Runtime{}, &onnxgo.Runtime{}, toyBackbone(t), toyData(300), Settings{Out: out, Progress: progress})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", stage, err)
			}
			if older && !maps.Equal(want, files(t, out)) {
				t.Errorf("%s: the older folder has changed", stage)
			}
			if entries, _ := os.ReadDir(parent); len(entries) != min(1, len(want)) {
				t.Errorf("%s: left behind: %v", stage, entries)
			}
		}
	}
}

func TestExportDoesNotReplaceForeignFolders(t *testing.T) {
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "thesis.txt"), []byte("years of work"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Run(context.Background(), &onnxgo.Runtime{}, nil, toyBackbone(t), toyData(300), Settings{Out: out})
	if err == nil || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("got %v", err)
	}
	if files(t, out)["thesis.txt"] != "years of work" {
		t.Error("the folder has changed")
	}
}

// alike tells whether metrics are the same but for the rounding of logits.
func alike(a, b map[string]float64) bool {
	return maps.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-5 })
}

func TestClassifier(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	b, data := toyBackbone(t), toyData(300)
	r := runToy(t, out, Settings{})
	c, err := OpenClassifier(&onnxgo.Runtime{}, out, b.Reopen, ExtractSettings{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e, err := c.Evaluate(context.Background(), data.Test)
	if err != nil || e.Rows != 60 || !alike(e.Metrics, r.Metrics) {
		t.Errorf("evaluated: %v, %v, want %v", err, e.Metrics, r.Metrics)
	}
	numbered := slices.Clone(data.Test)
	for i := range numbered {
		numbered[i].Label = map[string]string{"fruit": "0", "metal": "1", "river": "2"}[numbered[i].Label]
	}
	if e, err := c.Evaluate(context.Background(), numbered); err != nil || !alike(e.Metrics, r.Metrics) {
		t.Errorf("labels by number: %v", err)
	}
	numbered[3].Label = "lake"
	if _, err := c.Evaluate(context.Background(), numbered); !errors.Is(err, dataset.ErrUnknownLabel) || !strings.Contains(err.Error(), numbered[3].ID) {
		t.Errorf("unknown label: %v", err)
	}
	xs := dataset.Inputs(data.Test)
	all, err := c.Predict(context.Background(), xs)
	if err != nil {
		t.Fatal(err)
	}
	right := 0.0
	for i, p := range all {
		sum := 0.0
		for _, score := range p.Scores {
			sum += score
		}
		if p.Input != xs[i] || p.Score != p.Scores[p.Label] || len(p.Scores) != 3 || math.Abs(sum-1) > 1e-9 {
			t.Fatalf("%+v", p)
		}
		if p.Label == data.Test[i].Label {
			right++
		}
	}
	if math.Abs(right/60-r.Metrics["eval_accuracy"]) > 1e-9 {
		t.Errorf("%g right predictions of 60, accuracy %g", right, r.Metrics["eval_accuracy"])
	}
	for _, window := range []int{0, 2, 5, 100} {
		var got []Prediction
		in := func(yield func(string, error) bool) {
			for _, x := range xs {
				if !yield(x, nil) {
					return
				}
			}
			yield("", os.ErrClosed)
		}
		var last error
		for p, err := range c.Stream(context.Background(), in, window) {
			if last = err; err == nil {
				got = append(got, p)
			}
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(all)
		if !bytes.Equal(a, b) || !errors.Is(last, os.ErrClosed) {
			t.Errorf("window %d: %d predictions, then %v", window, len(got), last)
		}
	}
}

func TestOpenClassifierRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	b := toyBackbone(t)
	runToy(t, out, Settings{})
	for name, c := range map[string]struct{ config, says string }{
		"no labels":      {`{"model_type": "bert"}`, "no id2label"},
		"a gap":          {`{"id2label": {"0": "a", "2": "b"}}`, "none for 1"},
		"not JSON":       {`{`, "config.json"},
		"another number": {`{"id2label": {"0": "a", "1": "b"}}`, "3 logits"},
	} {
		if err := os.WriteFile(filepath.Join(out, "config.json"), []byte(c.config), 0o666); err != nil {
			t.Fatal(err)
		}
		classifier, err := OpenClassifier(&onnxgo.Runtime{}, out, b.Reopen, ExtractSettings{})
		if err == nil {
			_, err = classifier.Predict(context.Background(), []string{"x"})
			classifier.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
