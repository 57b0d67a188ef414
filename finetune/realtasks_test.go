package finetune_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// sentenceLabels writes tagged sentences as JSONL: each with the types of its entities as labels.
func sentenceLabels(t *testing.T, dir string, split dataset.Split[string]) {
	t.Helper()
	for name, rows := range map[string][]dataset.Example[string]{"train": split.Train, "validation": split.Validation, "test": split.Test} {
		var b strings.Builder
		for _, e := range rows {
			types := []string{}
			for _, w := range e.Words {
				if kind, ok := strings.CutPrefix(w.Tag, "B-"); ok && !slices.Contains(types, kind) {
					types = append(types, kind)
				}
			}
			line, err := json.Marshal(map[string]any{"text": e.Input, "labels": types})
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// The tasks on the first rows of real data, with the embedded backbone. The floors are a little under what was measured.
func TestTasksOnRealData(t *testing.T) {
	if testing.Short() {
		t.Skip("real data")
	}
	ctx, rt := context.Background(), runtimes(t)
	read := func(dir string) dataset.Split[string] {
		split := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
		split.Train, split.Validation, split.Test = split.Train[:min(700, len(split.Train))], nil, split.Test[:300]
		return split
	}
	wnut := onnxtest.Shared(t, "assets", "text-data", "wnut17")
	sets := t.TempDir()
	sentenceLabels(t, sets, must[dataset.Split[string]](t)(dataset.Read(ctx, wnut, dataset.Settings{})))
	for _, c := range []struct {
		name, dir, metric string
		target            dataset.Target
		least             float64
	}{
		{"similarity of pairs", onnxtest.Shared(t, "assets", "text-data", "stsb_en"), "eval_spearmanr", dataset.Values, 0.8},
		{"entities", wnut, "eval_accuracy", dataset.Tags, 0.9},
		{"types of entities in a sentence", sets, "eval_roc_auc", dataset.Labels, 0.55},
	} {
		data := read(c.dir)
		out := filepath.Join(t.TempDir(), "out")
		r, err := finetune.Run(ctx, rt, &onnxgo.Runtime{}, taskBackbone(t, c.target), data, finetune.Settings{Out: out, Report: finetune.ReportSettings{Off: true}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		t.Logf("%s: %s %.3f, %+v, %.1f s", c.name, c.metric, r.Metrics[c.metric], r.Verify, r.Timings["total"])
		if data.Target != c.target || r.Metrics[c.metric] < c.least || !r.Verify.ArgmaxEqual || r.Verify.MaxAbsDiff > 1e-4 {
			t.Errorf("%s: %q, %v, %+v", c.name, data.Target, r.Metrics, r.Verify)
		}
	}
}
