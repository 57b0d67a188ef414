package finetune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/text"
)

// demoRows are the demo's texts of one split and their labels.
func demoRows(t testing.TB) []dataset.Example[string] {
	t.Helper()
	dir := t.TempDir()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(context.Background(), dir, dataset.Settings{}))
	return data.Train
}

// taskData writes data for a task and reads it.
func taskData(t testing.TB, name, content string) dataset.Split[string] {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return must[dataset.Split[string]](t)(dataset.Read(context.Background(), path, dataset.Settings{Test: 0.3}))
}

// pairTable is pairs of texts whose score is about 4 where they say the same and 1 where not, or a class that says so.
func pairTable(t testing.TB, classes bool) string {
	rows, rng := demoRows(t), rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("label\tsentence1\tsentence2\n")
	for range 300 {
		u, v := rows[rng.IntN(len(rows))], rows[rng.IntN(len(rows))]
		score := 1.0
		if rng.IntN(2) == 0 {
			score, v = 4, u
			v.Input = "please note that " + strings.ToLower(u.Input)
		}
		label := fmt.Sprintf("%.3f", score+rng.Float64())
		if classes {
			label = map[float64]string{1: "other", 4: "same"}[score]
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\n", label, u.Input, v.Input)
	}
	return b.String()
}

// labelLines is texts of one to two parts, with the labels of all parts; some have none.
func labelLines(t testing.TB) string {
	rows, rng := demoRows(t), rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for range 300 {
		u, v := rows[rng.IntN(len(rows))], rows[rng.IntN(len(rows))]
		line := map[string]any{"text": u.Input + " " + v.Input, "labels": []string{u.Label, v.Label}}
		switch rng.IntN(6) {
		case 0:
			line = map[string]any{"text": u.Input, "labels": []string{u.Label}}
		case 1:
			line = map[string]any{"text": fmt.Sprintf("the number %d is a number", rng.IntN(1000)), "labels": []string{}}
		}
		data, _ := json.Marshal(line)
		b.Write(append(data, '\n'))
	}
	return b.String()
}

// namesAndPlaces is sentences in which people and places are tagged.
func namesAndPlaces() string {
	people := []string{"Ann Lee", "Robert", "Maria Garcia", "Tom", "Elizabeth Jones", "Peter Brown", "Sarah", "James Miller"}
	places := []string{"Paris", "New York", "Berlin", "London", "San Francisco", "Tokyo", "Rome", "Madrid"}
	frames := []string{"%p went to %l yesterday .", "I met %p in %l", "%p likes coffee", "the train to %l is late", "nothing happened today .", "%l is a city , said %p"}
	rng := rand.New(rand.NewPCG(5, 6))
	var b strings.Builder
	for i := range 240 {
		for _, word := range strings.Fields(frames[rng.IntN(len(frames))] + fmt.Sprintf(" no%d", i)) {
			list, kind := people, "per"
			switch word {
			case "%l":
				list, kind = places, "loc"
			case "%p":
			default:
				fmt.Fprintf(&b, "%s\tO\n", word)
				continue
			}
			for k, part := range strings.Fields(list[rng.IntN(len(list))]) {
				fmt.Fprintf(&b, "%s\t%s-%s\n", part, "BI"[min(k, 1):][:1], kind)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// taskBackbone is the embedded text model as a task needs it.
func taskBackbone(t testing.TB, target dataset.Target) *finetune.Backbone[string] {
	s, task := text.Settings{}, finetune.TextClassification
	if target == dataset.Tags {
		s.Pooling, task = onnx.PoolTokens, finetune.TokenClassification
	}
	b := textBackbone(t, must[*text.Backbone](t)(text.OpenFS(embedded.Text(), s)))
	b.Task = task
	return b
}

// Every task runs from rows to a proved folder, with the same bytes whatever the cache and the batches, and the folder
// opened again is judged alike.
func TestTasksEndToEnd(t *testing.T) {
	rt := runtimes(t)
	for _, c := range []struct {
		name, file, content string
		metric              string
		least               float64
		problem, config     string
		outputs             int
	}{
		{"regression of pairs", "d.tsv", pairTable(t, false), "eval_spearmanr", 0.6, "regression", `"0": "label"`, 1},
		{"classes of pairs", "d.tsv", pairTable(t, true), "eval_accuracy", 0.75, "single_label_classification", `"1": "same"`, 2},
		{"several labels", "d.jsonl", labelLines(t), "eval_f1_macro", 0.75, "multi_label_classification", `"1": "delivery"`, 2},
		{"tokens", "d.conll", namesAndPlaces(), "eval_f1", 0.85, "", `"1": "B-loc"`, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := taskData(t, c.file, c.content)
			cache := &finetune.Cache{Dir: t.TempDir()}
			var first map[string]string
			for state, extract := range map[string]finetune.ExtractSettings{
				"cold": {Cache: cache}, "warm": {Cache: cache}, "no cache, small batches": {Tokens: 30, Workers: 1},
			} {
				s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out"), Extract: extract, Probabilities: c.outputs > 1, Report: finetune.ReportSettings{Off: true}}
				r, err := finetune.Run(context.Background(), rt, &onnxgo.Runtime{}, taskBackbone(t, data.Target), data, s)
				if err != nil {
					t.Fatal(err)
				}
				if r.Metrics[c.metric] < c.least || r.Verify.MaxAbsDiff > 1e-4 || !r.Verify.ArgmaxEqual || r.Verify.Rows < len(data.Test) {
					t.Errorf("cache %s: %v, %+v", state, r.Metrics, r.Verify)
				}
				got := readAll(t, os.DirFS(s.Out))
				if first == nil {
					first = got
					t.Logf("%s %.3f, head %s, %+v", c.metric, r.Metrics[c.metric], r.Head, r.Verify)
					checkFolder(t, rt, s.Out, data, r, c.problem, c.config, c.outputs)
				}
				for name := range first {
					if got[name] != first[name] {
						t.Errorf("cache %s: %s has other bytes", state, name)
					}
				}
			}
		})
	}
}

func checkFolder(t *testing.T, rt onnx.Runtime, dir string, data dataset.Split[string], r *finetune.Result, problem, contains string, outputs int) {
	t.Helper()
	var config struct {
		Problem       string `json:"problem_type"`
		Architectures []string
	}
	raw := must[[]byte](t)(os.ReadFile(filepath.Join(dir, "config.json")))
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	if config.Problem != problem || !strings.Contains(string(raw), contains) {
		t.Errorf("config.json says %q, or lacks %s:\n%s", config.Problem, contains, raw)
	}
	architecture := []string{"BertForSequenceClassification"}
	if data.Target == dataset.Tags {
		architecture = []string{"BertForTokenClassification"}
	}
	if data.Pairs {
		architecture = nil
	}
	if strings.Contains(string(raw), `"pair_input_suffix": "_b"`) != data.Pairs {
		t.Errorf("config.json of pairs (%v):\n%s", data.Pairs, raw)
	}
	if !slices.Equal(config.Architectures, architecture) {
		t.Errorf("architectures %q, want %q", config.Architectures, architecture)
	}
	m := must[*onnx.Model](t)(onnx.Load(filepath.Join(dir, "model.onnx")))
	defer m.Close()
	if len(m.Graph.Outputs) != outputs {
		t.Errorf("%d outputs, want %d", len(m.Graph.Outputs), outputs)
	}
	info := must[os.FileInfo](t)(os.Stat(filepath.Join(dir, "model.onnx")))
	if info.Size() > 9<<20 { // of the backbone's 7.6 MB
		t.Errorf("model.onnx has %d bytes: weights are there twice", info.Size())
	}
	c := must[*finetune.Classifier[string]](t)(finetune.OpenClassifier(rt, dir, reopenText, finetune.ExtractSettings{}))
	defer c.Close()
	if c.Target != data.Target || c.Pairs != data.Pairs {
		t.Errorf("opened as %q, pairs %v", c.Target, c.Pairs)
	}
	e := must[finetune.Evaluation](t)(c.Evaluate(context.Background(), data.Test))
	for name, v := range r.Metrics {
		if math.Abs(e.Metrics[name]-v) > 1e-4 {
			t.Errorf("the exported folder's %s is %g, was %g", name, e.Metrics[name], v)
		}
	}
}

func TestPredictionsOfTasks(t *testing.T) {
	rt, ctx := runtimes(t), context.Background()
	open := func(file, content string) *finetune.Classifier[string] {
		data := taskData(t, file, content)
		out := filepath.Join(t.TempDir(), "out")
		if _, err := finetune.Run(ctx, rt, nil, taskBackbone(t, data.Target), data, finetune.Settings{Out: out, Report: finetune.ReportSettings{Off: true}}); err != nil {
			t.Fatal(err)
		}
		c := must[*finetune.Classifier[string]](t)(finetune.OpenClassifier(rt, out, reopenText, finetune.ExtractSettings{}))
		t.Cleanup(func() { c.Close() })
		return c
	}
	tokens := open("d.conll", namesAndPlaces())
	p := must[[]finetune.Prediction](t)(tokens.Predict(ctx, []string{"Élodie, I met Maria Garcia in New York.", "nothing happened today ."}))
	var found []string
	for _, e := range p[0].Entities {
		if string([]rune(p[0].Input)[e.Start:e.End]) != e.Text || e.Score < 0.3 || e.Score > 1 {
			t.Errorf("%+v", e)
		}
		found = append(found, e.Type+" "+e.Text)
	}
	if !slices.Contains(found, "per Maria Garcia") || !slices.Contains(found, "loc New York") || p[1].Entities == nil || len(p[1].Entities) != 0 {
		t.Errorf("found %q and %v", found, p[1].Entities)
	}
	scores := open("d.tsv", pairTable(t, false))
	same := must[[]finetune.Prediction](t)(scores.PredictPairs(ctx, []string{"my parcel has not arrived yet", "my parcel has not arrived yet"}, []string{"where is my parcel", "I want my money back"}))
	if same[0].Value == nil || *same[0].Value <= *same[1].Value || same[1].Second != "I want my money back" {
		t.Errorf("%+v", same)
	}
	if _, err := scores.Predict(ctx, []string{"one text"}); err == nil {
		t.Error("a model of pairs answered one text")
	}
	if _, err := tokens.PredictPairs(ctx, []string{"a"}, []string{"b"}); err == nil {
		t.Error("a model of texts answered a pair")
	}
	sets := open("d.jsonl", labelLines(t))
	both := must[[]finetune.Prediction](t)(sets.Predict(ctx, []string{"I want my money back", "the number 7 is a number"}))
	if !slices.Equal(both[0].Labels, []string{"refund"}) || both[1].Labels == nil || len(both[0].Scores) != 4 {
		t.Errorf("%+v", both)
	}
	for _, bad := range []dataset.Example[string]{
		{ID: "x:1", Input: "a", Labels: []string{"lake"}}, {ID: "x:1", Input: "a b", Words: []dataset.Word{{Start: 0, End: 1, Tag: "B-lake"}}},
		{ID: "x:1", Input: "a", Second: "b", Value: math.NaN()},
	} {
		c := sets
		if bad.Words != nil {
			c = tokens
		} else if bad.Second != "" {
			c = scores
		}
		if _, err := c.Evaluate(ctx, []dataset.Example[string]{bad}); err == nil || !strings.Contains(err.Error(), "x:1") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestTasksRefuse(t *testing.T) {
	rt, ctx := runtimes(t), context.Background()
	out := filepath.Join(t.TempDir(), "out")
	tagged, scored := taskData(t, "d.conll", namesAndPlaces()), taskData(t, "d.tsv", pairTable(t, false))
	masked := taskBackbone(t, dataset.Tags)
	masked.View = func(x string, n int) string { return x }
	for name, c := range map[string]struct {
		b    *finetune.Backbone[string]
		data dataset.Split[string]
		s    finetune.Settings
		says string
	}{
		"a pooled backbone for tokens":   {taskBackbone(t, dataset.Values), tagged, finetune.Settings{}, "a row for each token"},
		"tokens for a number":            {taskBackbone(t, dataset.Tags), scored, finetune.Settings{}, "N×D"},
		"probabilities of numbers":       {taskBackbone(t, dataset.Values), scored, finetune.Settings{Probabilities: true}, "probabilities"},
		"a training from no linear head": {taskBackbone(t, dataset.Values), scored, finetune.Settings{Tune: &tune.Settings{}, Probe: finetune.ProbeSettings{Head: heads.KindMLP}}, "a linear one"},
		"words left out under tags":      {masked, tagged, finetune.Settings{Tune: &tune.Settings{Augmented: "words"}}, "words would go"},
	} {
		c.s.Out = out
		if _, err := finetune.Run(ctx, rt, nil, c.b, c.data, c.s); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was left", name)
		}
	}
}

// Numbers in any unit are proved to the digits that float32 has: prices are not logits.
func TestPricesAreProved(t *testing.T) {
	ctx, rt := context.Background(), runtimes(t)
	var table strings.Builder
	table.WriteString("price\ttext\n")
	for i := range 80 {
		fmt.Fprintf(&table, "%d\ta house with %d rooms in street %d\n", 200_000+50_000*(i%7)+i, 1+i%7, i)
	}
	r := must[*finetune.Result](t)(finetune.Run(ctx, rt, &onnxgo.Runtime{}, taskBackbone(t, dataset.Values), taskData(t, "d.tsv", table.String()), finetune.Settings{
		Out: filepath.Join(t.TempDir(), "out"), Report: finetune.ReportSettings{Off: true},
	}))
	if allowed := r.Record.Proof.Tolerance; allowed != 10 || r.Verify.MaxAbsDiff > 1 {
		t.Errorf("prices are %g off, %g allowed", r.Verify.MaxAbsDiff, allowed)
	}
	for size, want := range map[float32][2]float64{0: {1e-4, 1e-4}, 9: {1e-4, 1e-4}, 11: {1e-3, 1e-3}, 101: {1e-2, 1e-2}, 5e-6: {1e-4, 1e-9}} {
		for i, problem := range []finetune.Problem{finetune.SingleLabel, finetune.Regression} {
			answers := heads.Matrix{Rows: 1, Cols: 2, Data: []float32{size, -size}}
			if got := finetune.DefaultTolerance(answers, problem); got != want[i] {
				t.Errorf("%s: answers of about %g may be %g off, want %g", problem, size, got, want[i])
			}
		}
	}
}
