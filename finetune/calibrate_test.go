package finetune

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

func TestBestTemperatureUndoesAFactor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, k = 4000, 3
	z, y := heads.NewMatrix(n, k), heads.Targets{Class: make([]int, n), Classes: k}
	labels := heads.Targets{Labels: heads.NewMatrix(n, k)}
	for i := range n {
		for j := range k {
			z.Row(i)[j] = float32(1.5 * rng.NormFloat64())
			if rng.Float64() < 1/(1+math.Exp(-float64(z.Row(i)[j]))) {
				labels.Labels.Row(i)[j] = 1
			}
		}
		at := rng.Float64()
		for j, p := range softmax(z.Row(i)) {
			if at -= p; at < 0 {
				y.Class[i] = j
				break
			}
		}
	}
	for _, factor := range []float64{0.2, 1, 3} {
		scaled := divided(z, 1/factor)
		for what, y := range map[string]heads.Targets{"classes": y, "labels": labels} {
			if got := bestTemperature(scaled, y); math.Abs(got/factor-1) > 0.05 {
				t.Errorf("%s: temperature %v, want %v", what, got, factor)
			}
		}
	}
}

func TestBestThresholdIsTheBestOfAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	odds, has := make([]float64, 300), make([]bool, 300)
	for i := range odds {
		has[i] = rng.IntN(10) == 0
		odds[i] = math.Round(10*rng.NormFloat64()-5) / 10
		if has[i] {
			odds[i]++
		}
	}
	f1 := func(p float64) float64 {
		var both, called, truth float64
		for i, o := range odds {
			if o > metrics.LogOdds(p) {
				called++
				if has[i] {
					both++
				}
			}
			if has[i] {
				truth++
			}
		}
		return 2 * both / (called + truth)
	}
	got := bestThreshold(odds, has)
	for p := 0.01; p < 1; p += 0.01 {
		if f1(p) > f1(got)+1e-12 {
			t.Errorf("threshold %v has F1 %v, %v has %v", got, f1(got), p, f1(p))
		}
	}
	if p := bestThreshold(odds[:20], make([]bool, 20)); p != 0.5 {
		t.Errorf("without a positive row the threshold is %v", p)
	}
}

func TestConfidenceForIsRightAsOftenAsAsked(t *testing.T) {
	sample := func(n int, seed uint64) (heads.Matrix, []int) {
		rng := rand.New(rand.NewPCG(seed, 6))
		z, class := heads.NewMatrix(n, 3), make([]int, n)
		for i := range n {
			for j := range 3 {
				z.Row(i)[j] = float32(2 * rng.NormFloat64())
			}
			at := rng.Float64()
			for j, p := range softmax(z.Row(i)) {
				if at -= p; at < 0 {
					class[i] = j
					break
				}
			}
		}
		return z, class
	}
	z, class := sample(3000, 1)
	least, err := confidenceFor(0.9, z, class, metrics.Rule{})
	if err != nil {
		t.Fatal(err)
	}
	z, class = sample(3000, 2)
	r, err := metrics.Settings{Resamples: -1, Rule: metrics.Rule{Abstain: least}}.Classification(make([]string, 3), class, z)
	if err != nil {
		t.Fatal(err)
	}
	if a, c := r.Metrics["eval_answered_accuracy"], r.Metrics["eval_coverage"]; a < 0.88 || a > 0.93 || c < 0.2 || c > 0.9 {
		t.Errorf("below %v it abstains: %v of the answers are right, %v are given", least, a, c)
	}
	if least, err = confidenceFor(0.3, z, class, metrics.Rule{}); err != nil || least != 0 {
		t.Errorf("what all answers fulfil needs no abstention: %v, %v", least, err)
	}
	if _, err = confidenceFor(0.99999, z, class, metrics.Rule{}); err == nil {
		t.Error("what no confidence gives was promised")
	}
}

// twoClasses makes toy data of fruit and the rest.
func twoClasses(n int) dataset.Split[string] {
	data := toyData(n)
	data.Labels = []string{"else", "fruit"}
	for _, rows := range [][]dataset.Example[string]{data.Train, data.Validation, data.Test} {
		for i := range rows {
			if rows[i].Label != "fruit" {
				rows[i].Label = "else"
			}
		}
	}
	return data
}

// labelSetsOf makes toy data whose rows have a label for each class they are of, and one for even rows.
func labelSetsOf(n int) dataset.Split[string] {
	data := toyData(n)
	data.Target, data.Labels = dataset.Labels, []string{"even", "fruit", "metal"}
	for _, rows := range [][]dataset.Example[string]{data.Train, data.Validation, data.Test} {
		for i := range rows {
			if i%4 == 0 {
				rows[i].Labels = append(rows[i].Labels, "even")
			}
			if rows[i].Label != "river" {
				rows[i].Labels = append(rows[i].Labels, rows[i].Label)
			}
		}
	}
	return data
}

func TestDecisionsAreInTheWrittenGraph(t *testing.T) {
	rt := orttest.Open(t)
	for name, c := range map[string]struct {
		data dataset.Split[string]
		head heads.Kind
		ask  JudgeSettings
	}{
		"temperature":           {toyData(500), "", JudgeSettings{Calibrate: true}},
		"of a net":              {toyData(500), heads.KindMLP, JudgeSettings{Calibrate: true, Abstain: 0.97}},
		"threshold":             {twoClasses(500), "", JudgeSettings{Threshold: 0.2}},
		"all, two classes":      {twoClasses(500), "", JudgeSettings{Calibrate: true, AutoThreshold: true, Abstain: 0.98}},
		"abstain":               {toyData(500), heads.KindCentroid, JudgeSettings{Abstain: 0.97}},
		"thresholds of labels":  {labelSetsOf(500), "", JudgeSettings{Calibrate: true, AutoThreshold: true}},
		"one threshold, labels": {labelSetsOf(500), "", JudgeSettings{Threshold: 0.8}},
	} {
		t.Run(name, func(t *testing.T) {
			b := toyBackbone(t)
			out := filepath.Join(t.TempDir(), "out")
			s := Settings{Out: out, Probe: ProbeSettings{Head: c.head, Seed: 2}, Judge: c.ask, Report: ReportSettings{}}
			r, err := Run(context.Background(), rt, nil, b, c.data, s)
			if err != nil {
				t.Fatal(err)
			}
			checkDecision(t, r.Decision, c.ask, len(c.data.Labels))
			var config struct{ Decision *Decision }
			if err := json.Unmarshal([]byte(files(t, out)["config.json"]), &config); err != nil || !reflect.DeepEqual(config.Decision, r.Decision) {
				t.Errorf("config.json has %+v, chosen was %+v (%v)", config.Decision, r.Decision, err)
			}
			model, err := OpenClassifier(rt, out, b.Reopen, ExtractSettings{})
			if err != nil {
				t.Fatal(err)
			}
			defer model.Close()
			again, err := model.Evaluate(context.Background(), c.data.Test)
			if err != nil {
				t.Fatal(err)
			}
			for metric, v := range r.Metrics {
				if math.Abs(again.Metrics[metric]-v) > 1e-5 {
					t.Errorf("%s: judged %v, reopened %v", metric, v, again.Metrics[metric])
				}
			}
			checkLabels(t, model, c.data)
		})
	}
}

func checkDecision(t *testing.T, d *Decision, ask JudgeSettings, labels int) {
	t.Helper()
	if d == nil {
		t.Fatal("there is no decision")
	}
	if ask.Calibrate != (d.Temperature > 0) || (ask.Threshold > 0 || ask.AutoThreshold) != (d.Threshold != nil) {
		t.Errorf("%+v asked, %+v chosen", ask, d)
	}
	if ask.Abstain > 0 && d.Abstain == 0 || d.By == ChosenByFolds && d.Rows == 0 {
		t.Errorf("%+v", d)
	}
}

// checkLabels compares the graph's output label with what Predict says.
func checkLabels(t *testing.T, c *Classifier[string], data dataset.Split[string]) {
	t.Helper()
	if !slices.ContainsFunc(c.model.Graph.Outputs, func(v *onnx.Value) bool { return v.Name == labelOutput }) {
		return
	}
	xs := dataset.Inputs(data.Test)
	feeds, err := c.Preprocessor.Feeds(xs)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.session.Run(context.Background(), feeds, labelOutput)
	if err != nil {
		t.Fatal(err)
	}
	got, err := onnx.View[int64](out[0])
	if err != nil {
		t.Fatal(err)
	}
	predictions, err := c.Predict(context.Background(), xs)
	if err != nil {
		t.Fatal(err)
	}
	withheld := 0
	for i, p := range predictions {
		if data.Target == dataset.Labels {
			for k, label := range data.Labels {
				if (got[i*len(data.Labels)+k] == 1) != slices.Contains(p.Labels, label) {
					t.Errorf("row %d: the graph says %v, predicted are %v", i, got[i*len(data.Labels):][:len(data.Labels)], p.Labels)
				}
			}
			continue
		}
		want := int64(slices.Index(data.Labels, p.Label))
		if p.Abstained {
			withheld++
		}
		if got[i] != want || p.Abstained != (want < 0) {
			t.Errorf("row %d: the graph says %d, predicted is %+v", i, got[i], p)
		}
	}
	if c.goal.(decided).rule.Abstain > 0 && (withheld == 0 || withheld == len(xs)) {
		t.Errorf("%d of %d answers are withheld", withheld, len(xs))
	}
}

func TestDecisionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []struct {
		data dataset.Split[string]
		ask  JudgeSettings
		want string
	}{
		{toyData(60), JudgeSettings{Threshold: 0.3}, "a threshold is for two classes"},
		{labelSetsOf(60), JudgeSettings{Abstain: 0.9}, "only answers that are one class"},
		{toyData(60), JudgeSettings{Abstain: 1.5}, "probabilities below 1"},
		{toyData(60), JudgeSettings{Abstain: 0.9999}, "no confidence gives"},
	} {
		s := Settings{Out: filepath.Join(t.TempDir(), "out"), Judge: c.ask}
		_, err := Run(context.Background(), orttest.Open(t), nil, toyBackbone(t), c.data, s)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.ask, err)
		}
		if _, err := os.Stat(s.Out); err == nil {
			t.Error("something was written")
		}
	}
	for _, d := range []Decision{{Threshold: []float64{0.5, 0.5}}, {Threshold: []float64{2}}, {Abstain: -1}} {
		if _, err := d.of(classes{}, dataset.Classes, 2); err == nil {
			t.Errorf("%+v was accepted", d)
		}
	}
}
