package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/models/demo"
)

// writeFile writes a file below dir and returns its path.
func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Numbers of pictures are learned from a table beside them.
func TestNumbersOfPictures(t *testing.T) {
	dir := workplace(t)
	data, model := filepath.Join(dir, "pictures"), filepath.Join(dir, "model")
	if err := demo.DrawPictures(data, 1); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("file_name,size\n")
	classes, err := os.ReadDir(filepath.Join(data, "test"))
	if err != nil {
		t.Fatal(err)
	}
	for k, class := range classes {
		pictures, err := os.ReadDir(filepath.Join(data, "test", class.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range pictures {
			fmt.Fprintf(&table, "test/%s/%s,%.3f\n", class.Name(), p.Name(), float64(k)+float64(i)/100)
		}
	}
	writeFile(t, data, "metadata.csv", table.String())
	r := graft(t, "", "finetune", "--data", data, "--out", model).want(t, exitOK)
	if !strings.Contains(r.stdout, "Spearman") || !strings.Contains(r.stdout, "numbers: size") {
		t.Errorf("%s", r.stdout)
	}
	var p struct{ Value float64 }
	picture := filepath.Join(data, "test", classes[0].Name())
	line, _, _ := strings.Cut(graft(t, "", "predict", "--model", model, "--json", picture).want(t, exitOK).stdout, "\n")
	if err := json.Unmarshal([]byte(line), &p); err != nil || p.Value < -1 || p.Value > 2 {
		t.Errorf("a picture of size 0 to 1: %s", line)
	}
}

// Each task goes from a file through finetune, predict and evaluate.
func TestTasks(t *testing.T) {
	dir := workplace(t)
	var conll, scores, sets strings.Builder
	scores.WriteString("score,sentence1,sentence2\n")
	sets.WriteString("text,label\n")
	names := []string{"Ann", "Robert", "Maria", "Peter", "Sarah", "James"}
	colours := []string{"red", "green", "blue"}
	for i := range 90 {
		fmt.Fprintf(&conll, "%s\tB-per\nwent\tO\nto\tO\nbed\tO\nat\tO\n%d\tO\n\nnothing\tO\nhappened\tO\n%d\tO\n\n", names[i%6], i, i)
		c, d := colours[i%3], colours[i/3%3]
		score := 0.5
		if c == d {
			score = 4.5
		}
		fmt.Fprintf(&scores, "%.3f,the %s car number %d,my %s car number %d\n", score+float64(i)/300, c, i, d, i)
		fmt.Fprintf(&sets, "a %s car and a %s bike number %d,%s|%s\n", c, d, i, c, d)
	}
	for _, c := range []struct {
		name, file, content string
		args                []string
		json                []string // fields of finetune --json beside the usual
		input               string
		says                string
		fields              []string
		metric              string
		shown               string
	}{
		{"tokens", "d.conll", conll.String(), nil, nil, "Élan, Maria went to bed\n", "per 6:11 Maria", []string{"entities", "input"}, "eval_f1", "entity F1"},
		{"scores", "d.csv", scores.String(), nil, []string{"problem_type"}, "the red car\tmy red car\n", "the red car\tmy red car", []string{"input", "second", "value"}, "eval_spearmanr", "Spearman"},
		{"sets", "e.csv", sets.String(), []string{"--label-separator", "|"}, []string{"problem_type"}, "a red car and a blue bike number 7\n", "blue, red\ta red", []string{"input", "labels", "scores"}, "eval_f1_micro", "F1, micro"},
	} {
		data, model := writeFile(t, dir, c.file, c.content), filepath.Join(dir, "model-"+c.name)
		r := graft(t, "", append([]string{"finetune", "--data", data, "--out", model}, c.args...)...).want(t, exitOK)
		if !strings.Contains(r.stdout, c.shown) || !strings.Contains(r.stdout, "proved") {
			t.Errorf("%s: finetune says\n%s", c.name, r.stdout)
		}
		if got := graft(t, c.input, "predict", "--model", model).want(t, exitOK).stdout; !strings.Contains(got, c.says) {
			t.Errorf("%s: predict says %q, want %q", c.name, got, c.says)
		}
		wantKeys(t, graft(t, c.input, "predict", "--model", model, "--json").want(t, exitOK).stdout, c.fields...)
		var e struct{ Metrics map[string]float64 }
		line := graft(t, "", append([]string{"evaluate", "--model", model, "--data", data, "--json", "-q"}, c.args...)...).want(t, exitOK).stdout
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Metrics[c.metric] < 0.5 {
			t.Errorf("%s: evaluate says %s", c.name, line)
		}
		if got := graft(t, "", append([]string{"evaluate", "--model", model, "--data", data}, c.args...)...).want(t, exitOK).stdout; !strings.Contains(got, c.shown) {
			t.Errorf("%s: evaluate says\n%s", c.name, got)
		}
	}
	tokens, pairs := filepath.Join(dir, "model-tokens"), filepath.Join(dir, "model-scores")
	graft(t, "one text\n", "predict", "--model", pairs).want(t, exitData, "one text", "tab")
	graft(t, "", "evaluate", "--model", pairs, "--data", filepath.Join(dir, "e.csv")).want(t, exitData, "label")
	graft(t, "", "evaluate", "--model", tokens, "--data", filepath.Join(dir, "d.csv")).want(t, exitData, "CoNLL")
	single := writeFile(t, dir, "single.csv", "score,text\n1.5,x\n")
	graft(t, "", "evaluate", "--model", pairs, "--data", single).want(t, exitData, "reads pairs", "--text-pair")
	graft(t, "", "finetune", "--data", single, "--out", "o", "--task", "ranking").want(t, exitUsage, "--task", "token-classification")
	graft(t, "", "finetune", "--data", single, "--out", "o", "--task", "token-classification").want(t, exitData, "CoNLL", "a label a row")
	bad := writeFile(t, dir, "bad.conll", "Ann\tB-per\nwent\tO\nBob\tI-per\n")
	graft(t, "", "finetune", "--data", bad, "--out", "o").want(t, exitData, "bad.conll:3", "B-per")
	graft(t, "", "finetune", "--data", filepath.Join(dir, "d.conll"), "--out", "o", "--pooling", "cls").want(t, exitUsage, "--pooling")
}
