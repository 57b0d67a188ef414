package finetune

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// CompareSettings say what a [Compare] tries. The zero value fits the usual head on each backbone.
type CompareSettings struct {
	Heads    []heads.Kind // each on every backbone; nil: that of Probe
	Probe    ProbeSettings
	Extract  ExtractSettings
	Progress Progress
}

// An Opening opens a backbone when its turn comes; it is closed after it.
type Opening[T any] func() (*Backbone[T], error)

// A Compared is one backbone with one head: a line of a [Comparison].
type Compared struct {
	Backbone string             `json:"backbone"` // "" for a baseline
	Head     string             `json:"head"`     // of a baseline its name
	C        float64            `json:"c,omitempty"`
	Features int                `json:"features,omitempty"` // D
	Score    float64            `json:"score"`              // the metric that the comparison is by
	Interval metrics.Interval   `json:"interval"`           // 95 %
	Metrics  map[string]float64 `json:"metrics"`
	// Behind is how much worse it is than the best, a row: see [Comparison.Paired].
	Behind         float64          `json:"behind"`
	BehindInterval metrics.Interval `json:"behind_interval"` // 95 %, of a paired bootstrap
	Extract        float64          `json:"extract_s"`       // seconds that features took
	Cached         int              `json:"cached"`          // rows whose features were there already
	Fit            float64          `json:"fit_s"`           // seconds that choosing and fitting took

	merits []float64 // of the test rows
}

// A Comparison is how backbones and heads do on the same rows, best first.
type Comparison struct {
	Data   string     `json:"data"`
	Rows   Rows       `json:"rows"`
	Metric string     `json:"metric"`
	Paired string     `json:"paired"` // what Behind compares, row by row: "accuracy", "share of labels right", "squared error"
	Lines  []Compared `json:"lines"`
}

// Compare fits every head on every backbone and judges all on the same test rows, with the baselines beside them. How far
// each is behind the best is judged row by row (paired bootstrap), which tells much smaller differences than two
// intervals do. Test rows take no part in any choice but this one: the best of many flatters itself.
func Compare[T any](ctx context.Context, rt onnx.Runtime, backbones []Opening[T], data dataset.Split[T], s CompareSettings) (*Comparison, error) {
	g, err := goalOf(data.Target)
	if err != nil {
		return nil, err
	}
	kinds := s.Heads
	if len(kinds) == 0 {
		kinds = []heads.Kind{s.Probe.Head}
	}
	for _, kind := range kinds {
		if err := s.Probe.of(kind).check(data.Target); err != nil {
			return nil, fmt.Errorf("finetune: compare: %w", err)
		}
	}
	r := &Comparison{Data: data.Name, Rows: Rows{len(data.Train), len(data.Validation), len(data.Test)}}
	for i, open := range backbones {
		lines, err := compareOne(ctx, rt, open, data, kinds, i == 0, s, g)
		if err != nil {
			return nil, err
		}
		r.Lines = append(r.Lines, lines...)
	}
	return r, r.rank(data.Target, s.Probe.Seed)
}

// compareOne judges heads on one backbone, and on request the baselines.
func compareOne[T any](ctx context.Context, rt onnx.Runtime, open Opening[T], data dataset.Split[T], kinds []heads.Kind, plain bool, s CompareSettings, g goal) ([]Compared, error) {
	b, err := open()
	if err != nil {
		return nil, err
	}
	defer b.Model.Close()
	progress := orQuiet(s.Progress)
	w := newWorkshop(rt, b, data, Settings{Extract: s.Extract, Probe: s.Probe, Progress: progress}, g)
	began := time.Now()
	if err := w.extract(ctx); err != nil {
		return nil, err
	}
	extracted := time.Since(began).Seconds()
	var lines []Compared
	for _, kind := range kinds {
		began := time.Now()
		w.settings.Probe = s.Probe.of(kind)
		if err := w.probe(ctx); err != nil {
			return nil, err
		}
		fitted := time.Since(began).Seconds()
		answers, err := w.head.Predict(w.test.x)
		if err != nil {
			return nil, fmt.Errorf("finetune: compare: %w", err)
		}
		line, err := w.comparedAs(answers)
		if err != nil {
			return nil, err
		}
		line.Backbone, line.Head, line.C, line.Features = b.Name, string(w.probed.Kind), w.probed.C, w.train.x.Cols
		line.Extract, line.Cached, line.Fit = extracted, w.result.Stats.Cached, fitted
		lines = append(lines, line)
	}
	if !plain {
		return lines, nil
	}
	err = w.eachBaseline(ctx, func(name string, rows []int, answers heads.Matrix) error {
		if len(rows) < w.test.y.Rows() {
			return nil // a baseline that was asked for some of the rows only cannot be paired
		}
		line, err := w.comparedAs(answers)
		line.Head = name
		lines = append(lines, line)
		return err
	})
	return lines, err
}

// comparedAs judges answers for the test rows.
func (w *workshop[T]) comparedAs(answers heads.Matrix) (Compared, error) {
	report, err := w.goal.report(truths(w.data.Test), w.data.Labels, w.test.rows, answers)
	if err != nil {
		return Compared{}, fmt.Errorf("finetune: compare: %w", err)
	}
	name := Headline(report)
	return Compared{Score: report.Metrics[name], Interval: report.Intervals[name], Metrics: report.Metrics, merits: merits(w.test.y, answers)}, nil
}

// merits are how good the answer for each row is: 1 for the right class, the share of labels that are right, minus the
// squared error.
func merits(y heads.Targets, answers heads.Matrix) []float64 {
	out := make([]float64, answers.Rows)
	for i := range out {
		row := answers.Row(i)
		switch y.Task() {
		case heads.Classification:
			if (metrics.Rule{}).Class(row) == y.Class[i] {
				out[i] = 1
			}
		case heads.MultiLabel:
			for k, v := range y.Labels.Row(i) {
				if (metrics.Rule{}).Has(row[k], k) == (v == 1) {
					out[i] += 1 / float64(len(row))
				}
			}
		default:
			for k, v := range y.Values.Row(i) {
				out[i] -= float64(row[k]-v) * float64(row[k]-v) / float64(len(row))
			}
		}
	}
	return out
}

// pairedBy names what merits are.
var pairedBy = map[dataset.Target]string{
	dataset.Classes: "accuracy", dataset.Tags: "accuracy of words", dataset.Labels: "share of labels right", dataset.Values: "squared error",
}

// rank sorts the lines and says how far each is behind the first.
func (r *Comparison) rank(target dataset.Target, seed uint64) error {
	r.Paired = pairedBy[target]
	r.Metric = Headline(metrics.Report{Task: taskOf[target]})
	slices.SortStableFunc(r.Lines, func(a, b Compared) int { return cmp.Compare(b.Score, a.Score) })
	for i := range r.Lines[min(1, len(r.Lines)):] {
		line := &r.Lines[i+1]
		var err error
		if line.Behind, line.BehindInterval, err = (metrics.Settings{Seed: seed}).Difference(r.Lines[0].merits, line.merits); err != nil {
			return err
		}
	}
	return nil
}

// taskOf tells what reports on targets are of.
var taskOf = map[dataset.Target]heads.Task{
	dataset.Classes: heads.Classification, dataset.Labels: heads.MultiLabel, dataset.Values: heads.Regression, dataset.Tags: metrics.TokenClassification,
}

// of returns the settings for a kind of head, without what that kind cannot be told.
func (s ProbeSettings) of(kind heads.Kind) ProbeSettings {
	if kind == s.Head {
		return s
	}
	s.Head = kind
	near, net := kind == heads.KindCentroid || kind == heads.KindKNN, kind == heads.KindMLP
	if kind != AutoHead && !heads.HasC(kind) {
		s.C = 0
	}
	if !near {
		s.Metric = ""
	}
	if near {
		s.ClassWeight = heads.ClassWeight{}
	}
	if kind != heads.KindKNN {
		s.Neighbours = 0
	}
	if !net {
		s.Hidden, s.Dropout = nil, 0
	}
	if !net && kind != heads.KindLogistic {
		s.Smoothing = 0
	}
	return s
}
