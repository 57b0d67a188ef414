package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompareAndFewShot(t *testing.T) {
	dir := workplace(t)
	data := demoTexts(t, dir)
	r := graft(t, "", "compare", "--data", data, "--head", "logistic,centroid", "--C", "0.1", "--json", "-q").want(t, exitOK)
	wantKeys(t, r.stdout, "data", "lines", "metric", "paired", "rows")
	var c struct {
		Lines []struct {
			Backbone, Head string
			Score, Behind  float64
		}
	}
	r.decode(t, &c)
	if len(c.Lines) != 4 || c.Lines[0].Backbone == "" || c.Lines[0].Behind != 0 || c.Lines[3].Head != "majority class" {
		t.Errorf("%+v", c.Lines)
	}
	table := graft(t, "", "compare", "--data", data, "--C", "0.1", "--as", "csv", "-q").want(t, exitOK).stdout
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][3] != "accuracy" {
		t.Errorf("%v\n%s", err, table)
	}
	few := graft(t, "", "fewshot", "--data", data, "--data", data, "--shots", "2,4", "--repeats", "3", "--as", "markdown", "-q").want(t, exitOK).stdout
	if strings.Count(few, " ± ") != 8 || !strings.HasPrefix(few, "| data | classes | rows a class | centroid | logistic |\n|---|---|---|---|---|\n") {
		t.Error(few)
	}
	var results []struct {
		Lines []struct {
			Head   string
			Shots  int
			Scores []float64
		}
	}
	graft(t, "", "fewshot", "--data", data, "--repeats", "3", "--head", "ridge", "--json", "-q").want(t, exitOK).decode(t, &results)
	if len(results) != 1 || len(results[0].Lines) != 1 || results[0].Lines[0].Shots != 8 || len(results[0].Lines[0].Scores) != 3 {
		t.Errorf("%+v", results)
	}
	var words, prices strings.Builder
	for i := range 60 {
		fmt.Fprintf(&words, "%s\tB-per\nsaw\tO\n%d\tO\n\n", []string{"Ann", "Robert", "Maria"}[i%3], i)
		fmt.Fprintf(&prices, "%d\ta house with %d rooms in street %d\n", 200_000+50_000*(i%7)+i, 1+i%7, i)
	}
	for name, c := range map[string]struct{ content, metric, shown string }{
		"w.conll": {words.String(), "f1", "1.0000"}, "p.tsv": {"price\ttext\n" + prices.String(), "spearmanr", "e+"},
	} {
		table := graft(t, "", "compare", "--data", writeFile(t, dir, name, c.content), "-q").want(t, exitOK).stdout
		if !strings.Contains(table, c.metric) || !strings.Contains(table, c.shown) {
			t.Errorf("%s:\n%s", name, table)
		}
	}
	for _, bad := range [][]string{
		{"compare", "--data", data, "--as", "html"}, {"compare", "--data", data, "--head", "logistic,oracle"}, {"compare"},
		{"fewshot", "--data", data, "--shots", "0"}, {"fewshot", "--data", data, "--head", "oracle"}, {"fewshot"}, {"fewshot", "--data", data, "--C", "0"},
	} {
		graft(t, "", bad...).want(t, exitUsage)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	graft(t, "", "compare", "--data", filepath.Join(dir, "empty")).want(t, exitData)
}

func TestDecisionFlags(t *testing.T) {
	dir := workplace(t)
	data, out := demoTexts(t, dir), filepath.Join(dir, "out")
	r := graft(t, "", "finetune", "--data", data, "--out", out, "--C", "0.03", "--calibrate", "--abstain", "0.95", "--learning-curve", "--report=false").want(t, exitOK).stdout
	for _, word := range []string{"without it", "bag of words", "learning curve", "temperature", "abstains"} {
		if !strings.Contains(r, word) {
			t.Errorf("it does not say %q:\n%s", word, r)
		}
	}
	answer := graft(t, "Something or other\n", "predict", "--model", out, "--json").want(t, exitOK).stdout
	if !strings.Contains(answer, `"abstained":true`) || strings.Contains(answer, `"label"`) {
		t.Errorf("of an empty text it says %s", answer)
	}
	var e struct{ Metrics map[string]float64 }
	graft(t, "", "evaluate", "--model", out, "--data", data, "--json", "-q").want(t, exitOK).decode(t, &e)
	if c := e.Metrics["eval_coverage"]; c <= 0 || c >= 1 || e.Metrics["eval_answered_accuracy"] < e.Metrics["eval_accuracy"] {
		t.Errorf("%v", e.Metrics)
	}
	for _, bad := range [][]string{{"--threshold", "2"}, {"--threshold", "often"}, {"--abstain", "1"}} {
		graft(t, "", append([]string{"finetune", "--data", data, "--out", out}, bad...)...).want(t, exitUsage)
	}
}
