package finetune

import (
	"context"
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
)

// ProbeSettings say how a head is fitted on frozen features, and what may be chosen. The zero value fits a logistic
// regression, of values a ridge regression, with the C that does best on rows not fitted on.
type ProbeSettings struct {
	Head        heads.Kind        // "": logistic, of labels multilabel, of values ridge; AutoHead: chosen
	Linear      bool              // only a head that is an affine map of features will do, as a training of the backbone begins with
	C           float64           // how much the data counts beside the penalty, scikit-learn's; 0: chosen, for heads that have one
	ClassWeight heads.ClassWeight // what heads are told of classes, here and below as [heads.Options] says
	Smoothing   float64
	Neighbours  int
	Metric      heads.Metric
	Hidden      []int
	Dropout     float64
	Tol         float64
	MaxIter     int
	Seed        uint64 // of the folds, and of heads that begin at random

	Grid  []float64 // C's to choose from; nil: 1e-6 to 1e6, coarse to fine
	Folds int       // of the cross-validation; 0: 5 below 2,000 rows, above that tenths of the rows are held out
	// Groups are numbers of the rows of x: rows with the same number are never on both sides of a fold. nil: each row is alone.
	Groups []int

	// Rows set aside to choose by. They choose in place of cross-validation where there are at least 200 and 10 for each
	// class; fewer choose too noisily. They are never fitted on.
	ValidationX heads.Matrix
	ValidationY heads.Targets

	Progress Progress
}

// AutoHead, in place of a kind of head, asks for the one that does best on rows not fitted on.
const AutoHead heads.Kind = "auto"

// How a head and its C were come by.
const (
	ChosenByCaller     = "given"
	ChosenByFolds      = "cross-validation"
	ChosenByHoldOut    = "hold-out"
	ChosenByValidation = "validation"
	ChosenByDefault    = "default" // there are too few rows to choose by
	// ChosenByLeaveOneOut is by the error of each row in a fit on all others, which ridge regression has in closed form.
	ChosenByLeaveOneOut = "leave-one-out"
)

// What a loss is.
const (
	crossEntropyLoss = "log_loss"
	squaredError     = "squared_error"
)

// A PathPoint is how well one head did on rows it was not fitted on.
type PathPoint struct {
	Head     string  `json:"head"`
	C        float64 `json:"c,omitempty"`        // 0: it has none
	Mean     float64 `json:"mean"`               // [ProbeResult.Loss] a row
	SE       float64 `json:"se"`                 // standard error of Mean
	Accuracy float64 `json:"accuracy,omitempty"` // of classes
}

// A ProbeResult is a fitted head and how it was chosen.
type ProbeResult struct {
	Head heads.Head
	Kind heads.Kind
	C    float64 // 0: the head has none
	// Scale is what the logits of a ridge or SVM were multiplied by to become log-probabilities; 0: they were not.
	Scale float64
	By    string // [ChosenByCaller] and so on
	Loss  string // what Path's means are of: "log_loss"; "squared_error", over the target's variance; smaller is better
	Path  []PathPoint
	// Heads are the points of Path that stand for their kinds, one each, where the head was chosen among several.
	Heads []PathPoint
}

// Probe fits a head on features, on all rows of x. What is left open is chosen by the loss on rows not fitted on: of each kind
// of head the smallest C, that is the strongest penalty, whose loss is within one standard error of the best, and of
// several kinds the simplest whose share of wrong rows is, and its loss too. The standard errors are those of the
// differences between the two on the same rows. Only the C of a ridge regression is the one with the smallest error of each
// row in a fit on all others, unless there are groups, folds or validation rows.
//
// (For C accuracy would not do: it moves in steps of a row and follows chance.)
func Probe(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	r, err := probe(ctx, x, y, s)
	if err != nil {
		return ProbeResult{}, fmt.Errorf("finetune: probe: %w", err)
	}
	return r, nil
}

func probe(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	progress := orQuiet(s.Progress)
	kinds, err := s.kinds(y.Task(), x.Rows)
	if err != nil {
		return ProbeResult{}, err
	}
	result := ProbeResult{Kind: kinds[0], C: s.C, By: ChosenByCaller}
	if len(kinds) == 1 && s.leavesOneOut(kinds[0], y) {
		progress.Start(Probing, 1)
		err := s.leaveOneOut(ctx, x, y, &result)
		progress.Add(1)
		return result, err
	}
	var start heads.Head
	if len(kinds) > 1 || s.C == 0 && heads.HasC(kinds[0]) {
		progress.Start(Probing, 0)
		j, err := newJudge(ctx, x, y, s)
		if err != nil {
			return result, err
		}
		if start, err = j.choose(kinds, &result); err != nil {
			return result, err
		}
	} else {
		progress.Start(Probing, 1)
	}
	result.Head, err = s.fit(ctx, result.Kind, result.C, result.Scale, start, x, y)
	progress.Add(1)
	return result, err
}

// leavesOneOut tells whether the C of a head is chosen by the error of each row in a fit on all others: of ridge regression,
// where nothing asks for other rows to choose by.
func (s ProbeSettings) leavesOneOut(kind heads.Kind, y heads.Targets) bool {
	return kind == heads.KindRidge && y.Task() == heads.Regression && s.C == 0 && len(s.Grid) == 0 && s.Folds == 0 &&
		s.Groups == nil && !enoughToChoose(s.ValidationY)
}

func (s ProbeSettings) leaveOneOut(ctx context.Context, x heads.Matrix, y heads.Targets, r *ProbeResult) error {
	var h heads.Ridge
	if err := h.Fit(ctx, x, y); err != nil {
		return err
	}
	r.Head, r.By, r.Loss, r.C = &h, ChosenByLeaveOneOut, squaredError, 1/(2*h.Chosen())
	var variance float64
	for _, v := range variances(y.Values) {
		variance += v / float64(y.Values.Cols)
	}
	for _, p := range slices.Backward(h.Curve()) {
		r.Path = append(r.Path, PathPoint{Head: string(r.Kind), C: 1 / (2 * p.Alpha), Mean: p.Mean / variance, SE: p.SE / variance})
	}
	return nil
}

// fit fits a head on all rows. start, where it is not nil, was fitted on some of them.
func (s ProbeSettings) fit(ctx context.Context, kind heads.Kind, c, scale float64, start heads.Head, x heads.Matrix, y heads.Targets) (heads.Head, error) {
	o := s.options()
	if o.C, o.Scale = c, scale; c == 0 || !heads.HasC(kind) {
		h, err := heads.New(kind, y.Task(), o)
		if err != nil {
			return nil, err
		}
		return h, h.Fit(ctx, x, y)
	}
	path, err := heads.NewPath(ctx, kind, x, y, o)
	if err != nil {
		return nil, err
	}
	if start != nil {
		path.Start(start)
	}
	return path.Fit(c)
}

func (s ProbeSettings) options() heads.Options {
	return heads.Options{
		C: s.C, ClassWeight: s.ClassWeight, Smoothing: s.Smoothing, Neighbours: s.Neighbours, Metric: s.Metric,
		Hidden: s.Hidden, Dropout: s.Dropout, Tol: s.Tol, MaxIter: s.MaxIter, Seed: s.Seed,
	}
}

// headTasks are what heads are asked for, by what the labels are.
var headTasks = map[dataset.Target]heads.Task{
	dataset.Classes: heads.Classification, dataset.Labels: heads.MultiLabel, dataset.Values: heads.Regression, dataset.Tags: heads.Classification,
}

// check refuses what no head can be made of.
func (s ProbeSettings) check(target dataset.Target) error {
	if _, err := s.kinds(headTasks[target], enoughForMLP); err != nil {
		return fmt.Errorf("finetune: probe: %w", err)
	}
	return nil
}

// enoughForMLP is how many rows there must be for [AutoHead] to try an MLP.
const enoughForMLP = 2000

// kinds are the kinds of head to choose from, simplest first: one, but for [AutoHead].
func (s ProbeSettings) kinds(task heads.Task, rows int) ([]heads.Kind, error) {
	kind := s.Head
	switch {
	case kind == "" && task == heads.Regression:
		kind = heads.KindRidge
	case kind == "" && task == heads.MultiLabel, kind == heads.KindLogistic && task == heads.MultiLabel:
		kind = heads.KindMultiLabel
	case kind == "":
		kind = heads.KindLogistic
	}
	if kind != AutoHead {
		head, err := heads.New(kind, task, s.options())
		if err == nil && s.Linear && !heads.IsLinear(head) {
			err = &heads.SettingError{Field: "Kind", Value: string(kind), Want: "a linear one: a backbone is trained from that on"}
		}
		return []heads.Kind{kind}, err
	}
	var kinds []heads.Kind
	var refused error
	for _, k := range heads.Kinds(task) {
		if k == heads.KindKNN || k == heads.KindMLP && rows < enoughForMLP {
			continue // the one carries all rows along, the other learns nothing from few
		}
		head, err := heads.New(k, task, s.options())
		switch {
		case err != nil:
			refused = err
		case !s.Linear || heads.IsLinear(head):
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		return nil, refused
	}
	return kinds, nil
}

// Evaluate judges a head on rows it was not fitted on: truth[i], 0 to K-1, is the class of row i of x.
func Evaluate(head heads.Head, x heads.Matrix, truth []int, labels []string) (metrics.Report, error) {
	logits, err := head.Predict(x)
	if err != nil {
		return metrics.Report{}, fmt.Errorf("finetune: evaluate: %w", err)
	}
	report, err := metrics.Classification(labels, truth, logits)
	if err != nil {
		return metrics.Report{}, fmt.Errorf("finetune: evaluate: %w", err)
	}
	return report, nil
}
