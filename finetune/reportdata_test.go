package finetune_test

import (
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/report"
	"github.com/onnx-graft/graft/finetune/report/reporttest"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/vision"
)

// timed tells whether a file of a folder tells times, which no two runs share.
func timed(name string) bool {
	return name == report.PageFile || path.Dir(name) == report.FolderName && strings.HasPrefix(path.Base(name), "timings.")
}

// reportedRuns are folders of runs of every task, by name.
func reportedRuns(t *testing.T) map[string]string {
	t.Helper()
	rt, ctx, out := runtimes(t), t.Context(), map[string]string{}
	texts, pictures := t.TempDir(), t.TempDir()
	if err := demo.WriteTexts(texts); err != nil {
		t.Fatal(err)
	}
	if err := demo.DrawPictures(pictures, 1); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]dataset.Split[string]{
		"text":       must[dataset.Split[string]](t)(dataset.Read(ctx, texts, dataset.Settings{})),
		"regression": taskData(t, "d.tsv", pairTable(t, false)),
		"labels":     taskData(t, "d.jsonl", labelLines(t)),
		"ner":        taskData(t, "d.conll", namesAndPlaces()),
	} {
		out[name] = filepath.Join(t.TempDir(), "out")
		s := finetune.Settings{Out: out[name], Report: finetune.ReportSettings{Command: "graft finetune --data 'a <b>'"}}
		must[*finetune.Result](t)(finetune.Run(ctx, rt, &onnxgo.Runtime{}, taskBackbone(t, data.Target), data, s))
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, pictures, dataset.Settings{}))
	b := imageBackbone(t, must[*vision.Backbone](t)(vision.OpenFS(embedded.Image(), vision.Settings{})))
	out["image"] = filepath.Join(t.TempDir(), "out")
	// One class is called by a wrong name in the held-out rows, so that there are mistakes to show.
	for i := range data.Test[:3] {
		data.Test[i].Label = data.Labels[(slices.Index(data.Labels, data.Test[i].Label)+1)%len(data.Labels)]
	}
	must[*finetune.Result](t)(finetune.Run(ctx, rt, &onnxgo.Runtime{}, b, dataset.Map(data, picture), finetune.Settings{Out: out["image"]}))
	return out
}

// TestReportOfEveryTask: the folder of each run has a page that a browser shows with every figure of its task, and the
// numbers in report.json are the run's.
func TestReportOfEveryTask(t *testing.T) {
	want := map[string][]string{
		"text":       {"baselines", "confusion", "precision-recall", "reliability", "c-path", "projection", "timings"},
		"image":      {"baselines", "confusion", "precision-recall", "reliability", "c-path", "projection", "timings"},
		"regression": {"baselines", "scatter", "residuals", "c-path", "projection", "timings"},
		"labels":     {"baselines", "precision-recall", "c-path", "projection", "timings"},
		"ner":        {"baselines", "entities", "c-path", "projection", "timings"},
	}
	pages := map[string]reporttest.Page{}
	for name, dir := range reportedRuns(t) {
		p := reporttest.Page{HTML: must[[]byte](t)(os.ReadFile(filepath.Join(dir, report.PageFile)))}
		for _, svg := range must[[]string](t)(filepath.Glob(filepath.Join(dir, report.FolderName, "*.svg"))) {
			id := strings.TrimSuffix(filepath.Base(svg), ".svg")
			p.Figures = append(p.Figures, id)
			if _, err := os.Stat(strings.TrimSuffix(svg, ".svg") + ".png"); err != nil {
				t.Error(err)
			}
		}
		for _, id := range want[name] {
			if !slices.Contains(p.Figures, id) {
				t.Errorf("%s: no figure %s among %v", name, id, p.Figures)
			}
		}
		pages[name] = p
		var d report.Data
		if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(filepath.Join(dir, report.FolderName, report.DataFile))), &d); err != nil {
			t.Fatal(err)
		}
		var record finetune.Record
		if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(filepath.Join(dir, "run.json"))), &record); err != nil {
			t.Fatal(err)
		}
		for _, m := range d.Metrics {
			if v, ok := record.Metrics[m.Key]; !ok || v != m.Value {
				t.Errorf("%s: %s is %v in the report, %v in the record", name, m.Key, m.Value, v)
			}
		}
		if len(d.Metrics) < 3 || d.Rows.Test != record.Data.Test.Rows {
			t.Errorf("%s: %+v", name, d)
		}
		if to := os.Getenv("GRAFT_SCREENSHOTS"); to != "" {
			if err := os.CopyFS(filepath.Join(to, "run-"+name), os.DirFS(dir)); err != nil {
				t.Log(err)
			}
		}
		switch name {
		case "image":
			if len(d.Mistakes) < 3 || len(d.Mistakes[0].Picture) == 0 {
				t.Errorf("%d mistakes, the first with %d bytes of picture", len(d.Mistakes), len(d.Mistakes[0].Picture))
			}
		case "regression":
			if len(d.Values) != 1 || len(d.Values[0].Truth) != d.Rows.Test || !strings.Contains(d.Mistakes[0].Text, "\n") {
				t.Errorf("%d values, mistakes %+v", len(d.Values), d.Mistakes)
			}
		case "ner":
			if len(d.Sentences) == 0 || len(d.Sentences[0].Words) == 0 {
				t.Errorf("sentences %+v", d.Sentences)
			}
		}
	}
	reporttest.Look(t, pages)
}

// TestReportOff: a run that is told so writes no report.
func TestReportOff(t *testing.T) {
	data := taskData(t, "d.tsv", pairTable(t, true))
	out := filepath.Join(t.TempDir(), "out")
	s := finetune.Settings{Out: out, Report: finetune.ReportSettings{Off: true}}
	must[*finetune.Result](t)(finetune.Run(context.Background(), runtimes(t), &onnxgo.Runtime{}, taskBackbone(t, data.Target), data, s))
	for name := range readAll(t, os.DirFS(out)) {
		if strings.HasPrefix(name, "report") {
			t.Errorf("there is %s", name)
		}
	}
}
