package finetune

import (
	"context"
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
)

// ChosenByLeaveOneOut is the error of each row when a ridge regression is fitted on the others.
const ChosenByLeaveOneOut = "leave-one-out"

// fit fits the head that suits the targets: of classes what [Probe] gives, of several labels a logistic regression each, of
// numbers a ridge regression.
func fit(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	switch y.Task() {
	case heads.Regression:
		return fitValues(ctx, x, y, s)
	case heads.MultiLabel:
		return fitLabels(ctx, x, y, s)
	}
	return Probe(ctx, x, y, s)
}

// fitValues fits a ridge regression, whose penalty is 1/(2C).
func fitValues(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	orQuiet(s.Progress).Start(Probing, 1)
	h := &heads.Ridge{}
	r := ProbeResult{Head: h, C: s.C, By: ChosenByLeaveOneOut}
	if s.C > 0 {
		h.Alpha, r.By = 1/(2*s.C), ChosenByCaller
	}
	if err := h.Fit(ctx, x, y); err != nil {
		return r, fmt.Errorf("finetune: probe: %w", err)
	}
	r.C = 1 / (2 * h.Chosen())
	orQuiet(s.Progress).Add(1)
	return r, nil
}

// fitLabels fits a logistic regression for each label. The C of all is the one with the smallest log loss on rows not
// fitted on.
func fitLabels(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	progress := orQuiet(s.Progress)
	h := &heads.MultiLabelLogistic{C: s.C, Balanced: s.ClassWeight.Balanced, Tol: s.Tol, MaxIter: s.MaxIter}
	r := ProbeResult{Head: h, C: s.C, By: ChosenByCaller}
	if s.C == 0 {
		grid := slices.Compact(slices.Sorted(slices.Values(s.Grid)))
		if len(grid) == 0 {
			grid = defaultGrid
		}
		folds, by := labelFolds(x, y, s)
		progress.Start(Probing, 0)
		scores, best, err := climb(grid, func(c float64) (ProbeScore, error) {
			defer progress.Add(1)
			return scoreLabels(ctx, heads.MultiLabelLogistic{C: c, Balanced: h.Balanced, Tol: max(s.Tol, choosingTol), MaxIter: s.MaxIter}, folds)
		})
		if err != nil {
			return r, err
		}
		h.C, r.C, r.By, r.Scores = best.C, best.C, by, scores
	} else {
		progress.Start(Probing, 1)
	}
	if err := h.Fit(ctx, x, y); err != nil {
		return r, fmt.Errorf("finetune: probe: %w", err)
	}
	progress.Add(1)
	return r, nil
}

// labelFolds are the rows that C is chosen by: validation rows where there are 200, else folds by chance.
func labelFolds(x heads.Matrix, y heads.Targets, s ProbeSettings) (folds []fold, by string) {
	if s.ValidationX.Rows >= 200 {
		return []fold{{x, y, s.ValidationX, s.ValidationY}}, ChosenByValidation
	}
	held := 0
	for _, rows := range stratifiedFolds(make([]int, x.Rows), 1, max(s.Folds, 5), s.Seed) {
		if held < choosingRows {
			folds = append(folds, cutFold(x, y, rows))
			held += len(rows)
		}
	}
	return folds, ChosenByFolds
}

// scoreLabels averages a head's scores over all rows held out. Accuracy is the share of rows with every label right.
func scoreLabels(ctx context.Context, head heads.MultiLabelLogistic, folds []fold) (ProbeScore, error) {
	score := ProbeScore{C: head.C}
	total := 0.0
	for _, f := range folds {
		if err := head.Fit(ctx, f.x, f.y); err != nil {
			return score, fmt.Errorf("finetune: probe: %w", err)
		}
		logits, err := head.Predict(f.heldX)
		if err != nil {
			return score, fmt.Errorf("finetune: probe: %w", err)
		}
		report, err := metrics.Settings{Resamples: -1}.MultiLabel(make([]string, logits.Cols), f.heldY.Labels, logits)
		if err != nil {
			return score, fmt.Errorf("finetune: probe: %w", err)
		}
		n := float64(f.heldX.Rows)
		score.Accuracy += n * report.Metrics["eval_subset_accuracy"]
		score.LogLoss += n * report.Metrics["eval_log_loss"]
		total += n
	}
	score.Accuracy /= total
	score.LogLoss /= total
	return score, nil
}

// kindOf names a head, as results and records do.
func kindOf(h heads.Head) string {
	switch h.(type) {
	case *heads.Logistic:
		return string(heads.KindLogistic)
	case *heads.MultiLabelLogistic:
		return string(heads.KindMultiLabel)
	case *heads.Ridge, *heads.RidgeClassifier:
		return string(heads.KindRidge)
	case *heads.LinearSVM:
		return string(heads.KindSVM)
	case *heads.Centroid:
		return string(heads.KindCentroid)
	case *heads.KNN:
		return string(heads.KindKNN)
	case *heads.MLP:
		return string(heads.KindMLP)
	}
	return linearHead
}
