package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/finetune"
)

// Every kind of head goes all the way to a proved model, and run.json says which it is and how it was chosen.
func TestFinetuneWithEveryHead(t *testing.T) {
	dir := workplace(t)
	data := demoTexts(t, dir)
	for _, c := range []struct {
		kind, by string
		points   int // of the path, at least
		flags    []string
	}{
		{"logistic", finetune.ChosenByFolds, 6, []string{"--label-smoothing", "0.05"}},
		{"ridge", finetune.ChosenByFolds, 6, nil},
		{"svm", finetune.ChosenByCaller, 0, []string{"--C", "0.01", "--class-weight", "balanced"}},
		{"centroid", finetune.ChosenByCaller, 0, []string{"--metric", "cosine"}},
		{"knn", finetune.ChosenByCaller, 0, []string{"--neighbours", "7"}},
		{"mlp", finetune.ChosenByCaller, 0, []string{"--hidden", "32", "--head-dropout", "0.1"}},
		{"auto", finetune.ChosenByFolds, 20, nil},
	} {
		t.Run(c.kind, func(t *testing.T) {
			out := filepath.Join(dir, c.kind)
			args := append([]string{"finetune", "--data", data, "--out", out, "--json", "--quiet", "--head", c.kind}, c.flags...)
			var r finetuneResult
			graft(t, "", args...).want(t, exitOK).decode(t, &r)
			record, err := os.ReadFile(filepath.Join(out, "run.json"))
			if err != nil {
				t.Fatal(err)
			}
			var run struct{ Head finetune.RecordHead }
			if err := json.Unmarshal(record, &run); err != nil {
				t.Fatal(err)
			}
			h := run.Head
			if r.Head != h.Kind || c.kind != "auto" && h.Kind != c.kind || h.By != c.by || len(h.Path) < c.points {
				t.Errorf("%s: %+v", r.Head, h)
			}
			if c.kind == "auto" != (len(h.Heads) == 4) {
				t.Errorf("%d heads were compared", len(h.Heads))
			}
			if !r.Verify.ArgmaxEqual || r.Metrics["eval_accuracy"] < 0.5 {
				t.Errorf("proved %v, accuracy %v", r.Verify.ArgmaxEqual, r.Metrics["eval_accuracy"])
			}
			if c.kind != "auto" {
				return
			}
			first, err := os.ReadFile(filepath.Join(out, "model.onnx"))
			if err != nil {
				t.Fatal(err)
			}
			graft(t, "", args...).want(t, exitOK)
			again, err := os.ReadFile(filepath.Join(out, "model.onnx"))
			if err != nil || !bytes.Equal(first, again) {
				t.Errorf("a second run wrote another model (%v)", err)
			}
			if record2, err := os.ReadFile(filepath.Join(out, "run.json")); err != nil || !bytes.Equal(record, record2) {
				t.Errorf("a second run wrote another record (%v)", err)
			}
		})
	}
	graft(t, "", "finetune", "--data", data, "--out", filepath.Join(dir, "no"), "--head", "svm", "--label-smoothing", "0.1").want(t, exitUsage, "Smoothing")
}
