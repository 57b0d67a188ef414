package finetune

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// Settings of a [Run]. All but Out may be zero.
type Settings struct {
	Out     string // the folder to write
	Views   int    // random views of each training input that the head is fitted on beside the input, see [Backbone.View]
	Extract ExtractSettings
	Sweep   *SweepSettings // nil: features come from where the backbone was cut
	Probe   ProbeSettings
	// Tune says how the backbone's own weights move after the probe; nil: they stay. Of up to ten classes its Smoothing is 0.1
	// unless set (negative: none), and of fewer than 50 rows a class, 2,000 in all, its Epochs are 12.
	Tune          *tune.Settings
	TuneRuntime   onnx.Runtime // runs the training's one session, so it should use all cores; nil: the runtime of the rest
	Judge         JudgeSettings
	Probabilities bool              // the model gives probabilities beside logits
	Tolerance     float64           // see [VerifySettings]
	Title         string            // of the model card
	Report        ReportSettings    // of report.html
	Options       map[string]any    // recorded in run.json: what else the data and backbone were asked for
	Versions      map[string]string // recorded in run.json: of graft, of the runtime
	Progress      Progress
}

// A Result is what a [Run] came to.
type Result struct {
	Task     Task               `json:"task"`
	Problem  Problem            `json:"problem_type,omitempty"` // "" for one class a row
	Backbone string             `json:"backbone"`
	Feature  string             `json:"feature"`
	Head     string             `json:"head"`
	Labels   []string           `json:"labels"`
	Rows     Rows               `json:"rows"`
	Metrics  map[string]float64 `json:"metrics"`
	// Baselines are what answers without the backbone come to on the same rows.
	Baselines []Baseline        `json:"baselines"`
	Decision  *Decision         `json:"decision,omitempty"`       // nil: the largest logit is the answer
	Learning  *LearningCurve    `json:"learning_curve,omitempty"` // nil: not asked for
	Warnings  []string          `json:"warnings,omitempty"`       // what to know before the figures are believed, one sentence each
	Verify    VerifyResult      `json:"verify"`
	Timings   map[Stage]float64 `json:"timings_s"` // seconds of each stage, and "total"
	Out       string            `json:"out"`
	Report    string            `json:"report,omitempty"` // the page for people

	Sweep []SweepPoint `json:"sweep,omitempty"` // the layers that were tried, where Settings.Sweep asks

	Probe  ProbeResult  `json:"-"`
	Tune   *RecordTune  `json:"tune,omitempty"` // nil where the backbone stayed as it was
	Tuned  *tune.Result `json:"-"`              // the same, with the weights
	Record Record       `json:"-"`
	Card   Card         `json:"-"` // with the full report of the held-out rows
	Stats  ExtractStats `json:"-"`
}

// Rows are the sizes of the splits.
type Rows struct {
	Train      int `json:"train"`
	Validation int `json:"validation"`
	Test       int `json:"test"`
}

// Run does the whole way: it extracts features of all splits, fits a head on train, judges it on test, and exports one
// model, proved. The test split takes no part in any choice; validation takes part in the choice of C alone. pure, where
// it is not nil, is a second runtime in which the head must give the same answers.
//
// Where it fails or ctx ends, nothing is written at Settings.Out and what was there stays; computed features stay in the
// cache.
func Run[T any](ctx context.Context, rt, pure onnx.Runtime, b *Backbone[T], data dataset.Split[T], s Settings) (*Result, error) {
	r := &Result{
		Task: b.Task, Backbone: b.Name, Feature: b.Feature, Labels: data.Labels, Out: s.Out,
		Rows: Rows{len(data.Train), len(data.Validation), len(data.Test)},
	}
	if err := r.check(b, s); err != nil {
		return nil, err
	}
	goal, err := goalOf(data.Target)
	if err != nil {
		return nil, err
	}
	if s.Tune != nil && s.Tune.Augmented != "" && data.Target == dataset.Tags {
		return nil, fmt.Errorf("finetune: texts whose words are tagged cannot be augmented while a backbone is trained: words would go, and their tags stay")
	}
	if s.Probabilities && data.Target == dataset.Values {
		return nil, fmt.Errorf("finetune: numbers have no probabilities; leave them out for regression")
	}
	s.Probe.Linear = s.Probe.Linear || s.Tune != nil
	if err := s.Probe.check(data.Target); err != nil {
		return nil, err
	}
	if err := decidable(data.Target, len(data.Labels), s.Judge); err != nil {
		return nil, err
	}
	if data.Target != dataset.Classes {
		r.Problem = goal.problem()
	}
	if s.Tune != nil {
		if err := s.Tune.Checkpoints.Check(); err != nil {
			return nil, fmt.Errorf("finetune: %w", err)
		}
	}
	clock := newStageClock(s.Progress)
	s.Progress = clock
	w := newWorkshop(rt, b, data, s, goal)
	w.pure, w.result, w.roomy = pure, r, true
	defer w.close()
	for _, step := range []struct {
		stage Stage
		do    func(context.Context) error
	}{{Sweeping, w.sweep}, {Extracting, w.extract}, {Probing, w.probe}, {Learning, w.learn}, {Tuning, w.tune}, {Deciding, w.decide}, {Evaluating, w.evaluate}, {Exporting, w.export}} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("finetune: %s: %w", step.stage, err)
		}
		if err := step.do(ctx); err != nil {
			return nil, err
		}
	}
	r.Timings = clock.seconds()
	if s.Tune != nil && s.Tune.Checkpoints.Dir != "" { // the model is there; what it could have gone on from is of no more use
		return r, tune.RemoveCheckpoints(s.Tune.Checkpoints.Dir)
	}
	return r, nil
}

// check refuses early what would fail late.
func (r *Result) check(b interface{ reopens() bool }, s Settings) error {
	switch {
	case s.Out == "":
		return fmt.Errorf("finetune: Settings.Out is empty, want the folder to write")
	case r.Rows.Train == 0 || r.Rows.Test == 0:
		return fmt.Errorf("finetune: %d rows to learn from and %d to judge by, want some of both", r.Rows.Train, r.Rows.Test)
	case !b.reopens():
		return fmt.Errorf("finetune: backbone %s has no Reopen; what is written could not be verified", r.Backbone)
	}
	return exportable(s.Out)
}

func (b *Backbone[T]) reopens() bool { return b.Reopen != nil }

// A workshop is one run under way.
type workshop[T any] struct {
	rt, pure onnx.Runtime
	given    *Backbone[T] // as it was opened
	backbone *Backbone[T] // as it is exported: given, or with weights of its own
	data     dataset.Split[T]
	settings Settings
	result   *Result
	goal     goal    // what the labels teach
	form     form[T] // how examples become rows

	train, validation, test split
	fitted                  split // what the head is fitted on: train, and the views of it
	probed                  ProbeResult
	head                    heads.Head   // what is judged and exported
	answers                 heads.Matrix // the head's, for the test rows
	digests                 map[*onnx.Model]string
	files                   []*mappedFile // that features lie in
	roomy                   bool          // they may: somebody removes them
}

func newWorkshop[T any](rt onnx.Runtime, b *Backbone[T], data dataset.Split[T], s Settings, g goal) *workshop[T] {
	return &workshop[T]{
		rt: rt, given: b, backbone: b, data: data, settings: s, result: &Result{}, digests: map[*onnx.Model]string{},
		goal: g, form: formOf[T](data.Target, data.Pairs),
	}
}

// digest returns a model's digest, computed once.
func (w *workshop[T]) digest(m *onnx.Model) (string, error) {
	if d, ok := w.digests[m]; ok {
		return d, nil
	}
	d, err := modelDigest(m)
	if err == nil {
		w.digests[m] = d
	}
	return d, err
}

// A split is features and what they should be mapped to.
type split struct {
	x    heads.Matrix
	y    heads.Targets
	rows []place // what each row stands for; nil: row i for example i
}

// extract computes the features of all splits in one pass.
func (w *workshop[T]) extract(ctx context.Context) error {
	fitted, err := withViews(w.backbone, w.data.Train, w.settings.Views)
	if err != nil {
		return err
	}
	parts := [][]dataset.Example[T]{fitted, w.data.Validation, w.data.Test}
	splits := []*split{&w.fitted, &w.validation, &w.test}
	for i, into := range splits { // what is wrong with labels is told before anything slow
		var err error
		if into.rows, err = w.form.rows(w.backbone.Preprocessor, parts[i]); err != nil {
			return err
		}
		if into.y, err = w.goal.targets(truths(parts[i]), w.data.Labels, into.rows); err != nil {
			return err
		}
	}
	learned, judged, err := w.allFeatures(ctx, slices.Concat(fitted, w.data.Validation), w.data.Test)
	if err != nil {
		return err
	}
	n := w.fitted.y.Rows()
	w.fitted.x, w.validation.x, w.test.x = part(learned, span{0, n}), part(learned, span{n, learned.Rows}), judged
	w.train = w.fitted.withoutViews(len(w.data.Train), w.settings.Views)
	return nil
}

// allFeatures extracts the features of what is learned from and of what is judged by. In half precision lie the former:
// judged and proved is by features as the backbone gives them.
func (w *workshop[T]) allFeatures(ctx context.Context, learn, judge []dataset.Example[T]) (learned, judged heads.Matrix, err error) {
	s := w.settings.Extract
	if s.Store != Float16 {
		all, err := w.features(ctx, slices.Concat(learn, judge), s)
		if err != nil {
			return learned, judged, err
		}
		n := w.fitted.y.Rows() + w.validation.y.Rows()
		return part(all, span{0, n}), part(all, span{n, all.Rows}), nil
	}
	s.shared = &sharedSession{}
	defer s.shared.close()
	if learned, err = w.features(ctx, learn, s); err != nil {
		return learned, judged, err
	}
	stats := w.result.Stats
	judged, err = w.features(ctx, judge, s.exact())
	w.result.Stats.add(stats)
	return learned, judged, err
}

// features extracts the features of examples from the backbone as it is.
func (w *workshop[T]) features(ctx context.Context, of []dataset.Example[T], s ExtractSettings) (heads.Matrix, error) {
	s.Progress = w.settings.Progress
	s.Name = func(i int) string { return of[i].ID }
	var err error
	if s.into, err = w.room(len(of), s); err != nil {
		return heads.Matrix{}, err
	}
	if s.Cache != nil {
		if s.digest, err = w.digest(w.backbone.Model); err != nil {
			return heads.Matrix{}, err
		}
	}
	x, stats, err := w.form.features(ctx, w.rt, w.backbone, of, s)
	w.result.Stats = stats
	return x, err
}

func (w *workshop[T]) probe(ctx context.Context) (err error) {
	s := w.settings.Probe
	s.Progress = w.settings.Progress
	s.ValidationX, s.ValidationY = w.validation.x, w.validation.y
	if s.Groups = viewGroups(len(w.data.Train), w.settings.Views); w.fitted.rows != nil {
		s.Groups = examplesOf(w.fitted.rows)
	}
	if w.probed, err = w.settings.Extract.Cache.probe(ctx, w.fitted.x, w.fitted.y, s); err != nil {
		return err
	}
	w.result.Probe, w.head, w.result.Head = w.probed, w.probed.Head, string(w.probed.Kind)
	return nil
}

func (w *workshop[T]) evaluate(ctx context.Context) error {
	w.settings.Progress.Start(Evaluating, 0)
	answers, err := w.head.Predict(w.test.x)
	if err != nil {
		return fmt.Errorf("finetune: evaluate: %w", err)
	}
	report, err := withDecision(w.goal, w.result.Decision).report(truths(w.data.Test), w.data.Labels, w.test.rows, answers)
	if err != nil {
		return fmt.Errorf("finetune: evaluate: %w", err)
	}
	w.result.Metrics, w.answers = report.Metrics, answers
	w.result.Card = Card{Title: w.settings.Title, Report: report}
	if w.result.Baselines, err = w.keptBaselines(ctx); err != nil {
		return err
	}
	w.result.Warnings = w.caveats(report)
	return nil
}

func (w *workshop[T]) export(ctx context.Context) error {
	digest, err := w.digest(w.given.Model)
	if err != nil {
		return err
	}
	r, s := w.result, w.settings
	verify := VerifySettings{Tolerance: s.Tolerance, Extract: s.Extract.exact()}
	verify.Extract.Progress = s.Progress
	if verify.Tolerance == 0 {
		verify.Tolerance = DefaultTolerance(w.answers, w.goal.problem())
	}
	r.Record = Record{
		Task: r.Task, Problem: w.goal.problem(), Pairs: w.data.Pairs,
		Backbone: RecordBackbone{
			Name: r.Backbone, SHA256: digest, Feature: r.Feature, Features: w.train.x.Cols, Preprocessing: w.backbone.Preprocessor.Fingerprint(),
		},
		Data: RecordData{
			Name: w.data.Name, Train: recordRows(w.data.Train), Validation: recordRows(w.data.Validation), Test: recordRows(w.data.Test), Report: w.data.Report,
		},
		Labels:  r.Labels,
		Head:    RecordHead{Kind: r.Head, C: w.probed.C, By: w.probed.By, Scale: w.probed.Scale, Loss: w.probed.Loss, Path: w.probed.Path, Heads: w.probed.Heads},
		Tune:    r.Tune,
		Sweep:   r.Sweep,
		Metrics: r.Metrics, Baselines: r.Baselines, Warnings: r.Warnings, Learning: r.Learning, Decision: r.Decision,
		Proof:   RecordProof{Rows: r.Rows.Test, Tolerance: verify.Tolerance},
		Options: maps.Clone(s.Options), Versions: maps.Clone(s.Versions),
	}
	candidate := Candidate[T]{
		Backbone: w.backbone, Head: w.head, Target: w.data.Target, Pairs: w.data.Pairs, Labels: r.Labels, Decision: r.Decision,
		Proof: w.data.Test, Features: w.test.x, Record: r.Record, Card: r.Card,
	}
	r.Verify, err = Export(ctx, w.rt, s.Out, candidate, ExportSettings{
		Probabilities: s.Probabilities, Verify: verify, Pure: w.pure, Progress: s.Progress, Report: w.writeReport,
	})
	return err
}
