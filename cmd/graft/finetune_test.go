package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// workplace gives a test an empty folder, an empty cache, and a runtime that
// is not fetched anew.
func workplace(t *testing.T) string {
	t.Helper()
	t.Setenv(ort.LibraryEnv, orttest.Open(t).Path())
	t.Setenv("GRAFT_CACHE", t.TempDir())
	return t.TempDir()
}

// demoTexts writes the demo's texts below dir.
func demoTexts(t *testing.T, dir string) string {
	t.Helper()
	data := filepath.Join(dir, "texts")
	if err := demo.WriteTexts(data); err != nil {
		t.Fatal(err)
	}
	return data
}

// keys returns the keys of a JSON object, sorted.
func keys(t *testing.T, line string) []string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return slices.Sorted(maps.Keys(m))
}

func wantKeys(t *testing.T, line string, want ...string) {
	t.Helper()
	if got := keys(t, line); !slices.Equal(got, want) {
		t.Errorf("JSON has the fields %q, want %q", got, want)
	}
}

type finetuneResult struct {
	Task, Backbone, Feature, Head, Out string
	Labels                             []string
	Rows                               map[string]int
	Metrics                            map[string]float64
	Verify                             struct {
		MaxAbsDiff  float64 `json:"max_abs_diff"`
		ArgmaxEqual bool    `json:"argmax_equal"`
		Rows        int
	}
	Timings map[string]float64 `json:"timings_s"`
}

func TestDemo(t *testing.T) {
	dir := workplace(t)
	out := filepath.Join(dir, "demo")
	r := graft(t, "", "demo", "--out", out, "--json", "--quiet").want(t, exitOK)
	if r.stderr != "" {
		t.Errorf("--quiet wrote %q", r.stderr)
	}
	var both map[string]finetuneResult
	r.decode(t, &both)
	for _, name := range []string{"text", "image"} {
		b := both[name]
		if acc := b.Metrics["eval_accuracy"]; acc < 0.75 || acc > 0.99 {
			t.Errorf("%s: accuracy %.3f, want an honest demo: from 0.75 to 0.99", name, acc)
		}
		if b.Verify.MaxAbsDiff > 1e-4 || !b.Verify.ArgmaxEqual || b.Verify.Rows != 100 {
			t.Errorf("%s: verify %+v", name, b.Verify)
		}
		if b.Rows["test"] != 100 || len(b.Labels) != 4 || b.Task != name+"-classification" {
			t.Errorf("%s: %+v", name, b)
		}
		for _, file := range []string{"model.onnx", "config.json", "run.json", "README.md"} {
			if _, err := os.Stat(filepath.Join(b.Out, file)); err != nil {
				t.Error(err)
			}
		}
		var again struct {
			Rows    int
			Metrics map[string]float64
		}
		line := graft(t, "", "evaluate", "--model", b.Out, "--data", filepath.Join(out, "data", name), "--json", "-q").want(t, exitOK)
		wantKeys(t, line.stdout, "metrics", "rows")
		line.decode(t, &again)
		if again.Rows != 100 || math.Abs(again.Metrics["eval_accuracy"]-b.Metrics["eval_accuracy"]) > 1e-9 {
			t.Errorf("%s: evaluate says %+v, finetune said %v", name, again, b.Metrics)
		}
	}
	text := graft(t, "", "demo", "--out", out).want(t, exitOK, "extract:", "verify:").stdout
	for _, word := range []string{"accuracy", "proved", filepath.Join(out, "image", "model.onnx"), "graft predict"} {
		if !strings.Contains(text, word) {
			t.Errorf("the demo does not say %q:\n%s", word, text)
		}
	}
}

func TestFinetuneTwiceGivesTheSameBytes(t *testing.T) {
	dir := workplace(t)
	data := demoTexts(t, dir)
	out := filepath.Join(dir, "out")
	var first map[string][]byte
	for i, extra := range [][]string{{"--no-cache"}, {"--threads", "1"}, {}} { // no cache, cold, warm
		r := graft(t, "", append([]string{"finetune", "--data", data, "--out", out, "--json", "-q"}, extra...)...).want(t, exitOK)
		wantKeys(t, r.stdout, "backbone", "baselines", "feature", "head", "labels", "metrics", "out", "report", "rows", "task", "timings_s", "verify")
		files := map[string][]byte{}
		for _, name := range []string{"model.onnx", "run.json", "README.md", "config.json", "report/projection.png", "report/confusion.svg"} {
			b, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = b
		}
		if i == 0 {
			first = files
		}
		for name, b := range files {
			if !bytes.Equal(b, first[name]) {
				t.Errorf("run %d wrote another %s", i+1, name)
			}
		}
	}
}

func TestPredict(t *testing.T) {
	dir := workplace(t)
	model := filepath.Join(dir, "model")
	graft(t, "", "finetune", "--data", demoTexts(t, dir), "--out", model, "--C", "0.1", "-q", "--probabilities").want(t, exitOK)
	const where, zip = "My parcel should have been here on Tuesday.", "The zip broke after a week."
	folder := t.TempDir()
	texts := filepath.Join(folder, "texts.txt")
	if err := os.WriteFile(texts, []byte(where+"\r\n"+zip), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]result{
		"standard input": graft(t, where+"\n"+zip+"\n", "predict", "--model", model, "--json"),
		"a file":         graft(t, "", "predict", "--model", model, "--json", texts),
		"a folder":       graft(t, "", "predict", "--model", model, "--json", folder),
	} {
		lines := strings.Split(strings.TrimSpace(r.want(t, exitOK).stdout), "\n")
		if len(lines) != 2 {
			t.Fatalf("%s: %d answers\n%s", name, len(lines), r.stdout)
		}
		for i, want := range []struct{ input, label string }{{where, "delivery"}, {zip, "fault"}} {
			wantKeys(t, lines[i], "input", "label", "score", "scores")
			var p struct {
				Input, Label string
				Score        float64
				Scores       map[string]float64
			}
			if err := json.Unmarshal([]byte(lines[i]), &p); err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, s := range p.Scores {
				sum += s
			}
			if p.Input != want.input || p.Label != want.label || p.Score != p.Scores[p.Label] || math.Abs(sum-1) > 1e-6 || len(p.Scores) != 4 {
				t.Errorf("%s: answer %d is %+v", name, i, p)
			}
		}
	}
	if r := graft(t, "", "predict", "--model", model).want(t, exitOK); r.stdout != "" {
		t.Errorf("no input gave %q", r.stdout)
	}
	graft(t, "a text\n\n", "predict", "--model", model).want(t, exitData, "line 2", "empty")
	graft(t, "", "predict", "--model", model, filepath.Join(dir, "texts", "test.tsv")).want(t, exitData, "test.tsv", "graft evaluate")
	graft(t, "", "predict", "--model", model, filepath.Join(dir, "absent.txt")).want(t, exitData, "absent.txt")
	graft(t, "", "predict", "--model", filepath.Join(dir, "absent")).want(t, exitModel, "absent")
	graft(t, "", "predict").want(t, exitUsage, "--model")
	t.Run("answers before the input ends", func(t *testing.T) { answersAtOnce(t, model, where) })
}

// answersAtOnce checks that a line is answered while standard input is open.
func answersAtOnce(t *testing.T, model, line string) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan int)
	go func() {
		code := run(context.Background(), []string{"predict", "--model", model}, in, out, io.Discard)
		out.Close()
		done <- code
	}()
	reader := bufio.NewReader(answers)
	for i := range 3 {
		if _, err := fmt.Fprintln(feed, line); err != nil {
			t.Fatal(err)
		}
		if got, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(got, "delivery\t") {
			t.Fatalf("answer %d: %q, %v", i, got, err)
		}
	}
	feed.Close()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestPredictPictures(t *testing.T) {
	dir := workplace(t)
	pictures := filepath.Join(dir, "pictures")
	if err := demo.DrawPictures(pictures, 1); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(dir, "model")
	var r finetuneResult
	graft(t, "", "finetune", "--data", filepath.Join(pictures, "train"), "--test-fraction", "0.25", "--seed", "3", "--out", model, "--json", "-q").want(t, exitOK).decode(t, &r)
	if r.Rows["train"] != 180 || r.Rows["test"] != 60 {
		t.Errorf("rows %v", r.Rows)
	}
	augmented := filepath.Join(dir, "augmented")
	graft(t, "", "finetune", "--data", filepath.Join(pictures, "train"), "--test-fraction", "0.25", "--augment", "2", "--out", augmented, "--json", "-q").want(t, exitOK).decode(t, &r)
	if r.Rows["train"] != 180 || r.Metrics["eval_accuracy"] < 0.8 {
		t.Errorf("with views: rows %v, metrics %v", r.Rows, r.Metrics)
	}
	trees := graft(t, "", "predict", "--model", model, filepath.Join(pictures, "test", "tree")).want(t, exitOK).stdout
	if n := strings.Count(trees, "\n"); n != 25 || strings.Count(trees, "tree\t") < 15 {
		t.Errorf("%d answers\n%s", n, trees)
	}
	path := filepath.Join(pictures, "test", "tree", "tree-00.png")
	if one := graft(t, path+"\n", "predict", "--model", model).want(t, exitOK).stdout; one != trees[:strings.IndexByte(trees, '\n')+1] {
		t.Errorf("by standard input %q, by folder %q", one, trees[:60])
	}
	note := filepath.Join(dir, "note.png")
	if err := os.WriteFile(note, []byte("a text"), 0o644); err != nil {
		t.Fatal(err)
	}
	graft(t, "", "predict", "--model", model, path, note).want(t, exitData, "note.png")
	graft(t, "", "evaluate", "--model", model, "--data", demoTexts(t, dir)).want(t, exitData, "reads pictures", "holds texts")
}
