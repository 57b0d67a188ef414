package finetune

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
)

// ProbeSettings say how a head is fitted on frozen features. The zero value chooses C.
type ProbeSettings struct {
	C           float64   // how much the data counts beside the penalty, scikit-learn's; 0: chosen from Grid
	Grid        []float64 // to choose C from; nil: 1e-5, 1e-4, …, 100
	Folds       int       // of the cross-validation C is chosen by; 0: 5; of large data not all folds are held out in turn
	Seed        uint64    // of the folds
	Groups      []int     // of rows of one number, all or none are held out: views of one picture; nil: every row for itself
	ClassWeight heads.ClassWeight
	Tol         float64 // of the fits; 0: the head's own
	MaxIter     int     // of the fits; 0: the head's own

	// Rows set aside to choose by. They choose C in place of cross-validation where there are at least 200 and 10 for each
	// class; fewer choose too noisily. They are never fitted on.
	ValidationX heads.Matrix
	ValidationY heads.Targets

	Progress Progress
}

var defaultGrid = []float64{1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100}

// A ProbeScore is how well one C did on rows it was not fitted on.
type ProbeScore struct {
	C        float64 `json:"c"`
	Accuracy float64 `json:"accuracy"`
	LogLoss  float64 `json:"log_loss"`
}

// How C was come by.
const (
	ChosenByCaller     = "given"
	ChosenByFolds      = "cross-validation"
	ChosenByValidation = "validation"
)

// A ProbeResult is a fitted head and how it was chosen.
type ProbeResult struct {
	Head   heads.Head
	C      float64
	By     string       // [ChosenByCaller], [ChosenByFolds] or [ChosenByValidation]
	Scores []ProbeScore // of the C's tried, ascending in C; nil where C was given
}

// Probe fits a logistic regression on features, on all rows of x, with the C given or chosen: the one with the smallest log
// loss on rows not fitted on. (Accuracy moves in steps of a row and follows chance; log loss does not.)
func Probe(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (ProbeResult, error) {
	progress := orQuiet(s.Progress)
	base := heads.Logistic{C: s.C, ClassWeight: s.ClassWeight, Tol: s.Tol, MaxIter: s.MaxIter}
	result := ProbeResult{C: s.C, By: ChosenByCaller, Head: &base}
	if s.C == 0 {
		if err := s.choose(ctx, base, x, y, &result, progress); err != nil {
			return ProbeResult{}, err
		}
		base.C = result.C
	} else {
		progress.Start(Probing, 1)
	}
	if err := base.Fit(ctx, x, y); err != nil {
		return ProbeResult{}, fmt.Errorf("finetune: probe: %w", err)
	}
	progress.Add(1)
	return result, nil
}

// choose scores the grid and puts the best C into the result.
func (s ProbeSettings) choose(ctx context.Context, base heads.Logistic, x heads.Matrix, y heads.Targets, result *ProbeResult, progress Progress) error {
	grid := slices.Compact(slices.Sorted(slices.Values(s.Grid)))
	if len(grid) == 0 {
		grid = defaultGrid
	}
	var folds []fold
	if enoughToChoose(s.ValidationY) {
		result.By = ChosenByValidation
		folds = []fold{{x, y, s.ValidationX, s.ValidationY}}
	} else {
		result.By = ChosenByFolds
		if s.Folds < 0 || s.Folds == 1 {
			return fmt.Errorf("finetune: ProbeSettings.Folds is %d, want 2 or more", s.Folds)
		}
		held := 0
		for _, rows := range stratifiedFolds(y.Class, y.Classes, cmp.Or(s.Folds, 5), s.Seed) {
			if held < choosingRows {
				folds = append(folds, cutFold(x, y, rows))
				held += len(rows)
			}
		}
	}
	progress.Start(Probing, 0)
	scores, best, err := climb(grid, func(c float64) (ProbeScore, error) {
		base.C = c
		defer progress.Add(1)
		return scoreFolds(ctx, base, folds)
	})
	result.Scores, result.C = scores, best.C
	return err
}

// enoughToChoose tells whether validation rows choose better than cross-validation.
func enoughToChoose(y heads.Targets) bool {
	if len(y.Class) < 200 {
		return false
	}
	count := make([]int, y.Classes)
	for _, k := range y.Class {
		count[k]++
	}
	return slices.Min(count) >= 10
}

// A fold is rows to fit on and rows to score.
type fold struct {
	x     heads.Matrix
	y     heads.Targets
	heldX heads.Matrix
	heldY heads.Targets
}

// cutFold holds the named rows out.
func cutFold(x heads.Matrix, y heads.Targets, held []int) fold {
	out := make([]bool, x.Rows)
	for _, i := range held {
		out[i] = true
	}
	stay := make([]int, 0, x.Rows-len(held))
	for i := range x.Rows {
		if !out[i] {
			stay = append(stay, i)
		}
	}
	return fold{x.Subset(stay), y.Subset(stay), x.Subset(held), y.Subset(held)}
}

// stratifiedFolds deals the rows of each class, shuffled by seed, to n folds in turn, and goes on with the next class where
// it stopped, so that folds differ by one row at most. Rows of a fold are in order; a fold is never empty where there are
// n rows.
func stratifiedFolds(class []int, classes, n int, seed uint64) [][]int {
	n = min(n, len(class))
	members := make([][]int, classes)
	for i, k := range class {
		members[k] = append(members[k], i)
	}
	rng := rand.New(rand.NewPCG(seed, 0x666f6c6473))
	folds := make([][]int, n)
	at := 0
	for _, rows := range members {
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for _, i := range rows {
			folds[at%n] = append(folds[at%n], i)
			at++
		}
	}
	for _, rows := range folds {
		slices.Sort(rows)
	}
	return folds
}

// What choosing C may cost: fits that choose stop earlier than the last one, and further folds are not needed once so
// many rows were held out.
const (
	choosingTol  = 1e-3
	choosingRows = 5000
)

// climb scores C's of the ascending grid, from the middle on, towards the smaller log loss until it rises: log loss has
// one valley in C. It returns the scores in the order of the grid and the best.
func climb(grid []float64, score func(c float64) (ProbeScore, error)) (scores []ProbeScore, best ProbeScore, err error) {
	start := (len(grid) - 1) / 2
	if best, err = score(grid[start]); err != nil {
		return nil, best, err
	}
	scores = []ProbeScore{best}
	for _, step := range []int{1, -1} {
		for i := start + step; i >= 0 && i < len(grid); i += step {
			next, err := score(grid[i])
			if err != nil {
				return nil, best, err
			}
			scores = append(scores, next)
			if next.LogLoss >= best.LogLoss {
				break
			}
			best = next
		}
		if best.C > grid[start] {
			break // it fell upwards: it does not fall downwards
		}
	}
	slices.SortFunc(scores, func(a, b ProbeScore) int { return cmp.Compare(a.C, b.C) })
	return scores, best, nil
}

// scoreFolds fits a head on every fold and averages its scores over all rows held out.
func scoreFolds(ctx context.Context, head heads.Logistic, folds []fold) (ProbeScore, error) {
	score := ProbeScore{C: head.C}
	head.Tol = max(head.Tol, choosingTol)
	total := 0.0
	for _, f := range folds {
		if err := head.Fit(ctx, f.x, f.y); err != nil {
			return score, fmt.Errorf("finetune: probe: %w", err)
		}
		report, err := scoreHead(&head, f.heldX, f.heldY)
		if err != nil {
			return score, fmt.Errorf("finetune: probe: %w", err)
		}
		rows := float64(f.heldX.Rows)
		score.Accuracy += report["eval_accuracy"] * rows
		score.LogLoss += report["eval_log_loss"] * rows
		total += rows
	}
	score.Accuracy /= total
	score.LogLoss /= total
	return score, nil
}

func scoreHead(head heads.Head, x heads.Matrix, y heads.Targets) (map[string]float64, error) {
	logits, err := head.Predict(x)
	if err != nil {
		return nil, err
	}
	report, err := metrics.Settings{Resamples: -1}.Classification(make([]string, y.Classes), y.Class, logits)
	return report.Metrics, err
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
