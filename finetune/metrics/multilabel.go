package metrics

import (
	"math"

	"github.com/onnx-graft/graft/heads"
)

// MultiLabel judges N×K logits against an N×K truth of 0 and 1, with the zero Settings. A label is predicted where its
// logit is above 0, and its probability is the logit's sigmoid.
func MultiLabel(labels []string, truth, logits heads.Matrix) (Report, error) {
	return Settings{}.MultiLabel(labels, truth, logits)
}

// MultiLabel judges N×K logits against an N×K truth of 0 and 1. Macro averages are over all K labels; eval_roc_auc and
// eval_average_precision average the labels for which they are defined; eval_log_loss averages rows and labels.
func (s Settings) MultiLabel(labels []string, truth, logits heads.Matrix) (Report, error) {
	k := len(labels)
	if err := checkScores("predictions", logits, truth.Rows, k); err != nil {
		return Report{}, err
	}
	if truth.Check() != nil || truth.Cols != k {
		return Report{}, rowsErrorf("truth is not a matrix of %d columns, one for each label", k)
	}
	for i, v := range truth.Data {
		if v != 0 && v != 1 {
			return Report{}, rowsErrorf("row %d: label %d is %v, want 0 or 1", i/k, i%k, v)
		}
	}
	if err := s.Rule.Check(k, true); err != nil {
		return Report{}, err
	}
	l := labelled(truth, logits, s.Rule)
	r := Report{Task: heads.MultiLabel, Rows: truth.Rows, Labels: labels}
	r.Metrics, r.Intervals = s.measure(truth.Rows, l.measures())
	t := l.tally(nil)
	for j, label := range labels {
		line := t.class(label, j)
		line.ROCAUC, line.Average = defined(l.label(j, nil).rocAUC()), defined(l.label(j, nil).averagePrecision())
		r.Classes = append(r.Classes, line)
	}
	return r, nil
}

// labelSet is what the metrics of several labels a row are made of.
type labelSet struct {
	k             int
	rule          Rule
	truth, logits heads.Matrix
	loss          []float64 // N: mean over labels of −log p(truth)
	exact         []float64 // N: 1 where every label is right
	wrong         []float64 // N: share of labels that are wrong
	order         [][]int32 // by label: rows by falling logit
}

func labelled(truth, logits heads.Matrix, rule Rule) *labelSet {
	n, k := truth.Rows, truth.Cols
	l := &labelSet{k: k, rule: rule, truth: truth, logits: logits, loss: make([]float64, n), exact: make([]float64, n), wrong: make([]float64, n)}
	for i := range n {
		for j, z := range logits.Row(i) {
			has := truth.Row(i)[j] == 1
			if has != rule.Has(z, j) {
				l.wrong[i] += 1 / float64(k)
			}
			if has {
				z = -z
			}
			p := 1 / (1 + math.Exp(float64(z))) // of the truth
			l.loss[i] -= math.Log(min(max(p, leastProbability), 1-leastProbability)) / float64(k)
		}
		if l.wrong[i] == 0 {
			l.exact[i] = 1
		}
	}
	for j := range k {
		l.order = append(l.order, descending(n, func(i int32) float64 { return float64(logits.Row(int(i))[j]) }))
	}
	return l
}

func (l *labelSet) tally(w []float64) tally {
	t := newTally(l.k)
	t.every = true
	for i := range l.truth.Rows {
		v, truth := at(w, i), l.truth.Row(i)
		for j, z := range l.logits.Row(i) {
			if truth[j] == 1 {
				t.truth[j] += v
			}
			if l.rule.Has(z, j) {
				t.predicted[j] += v
				if truth[j] == 1 {
					t.both[j] += v
				}
			}
		}
		t.total += v
	}
	return t
}

// label returns the sweep of label j.
func (l *labelSet) label(j int, w []float64) sweep {
	return sweep{order: l.order[j], positive: func(r int32) bool { return l.truth.Row(int(r))[j] == 1 }, w: w}
}

func (l *labelSet) measures() []measure {
	return []measure{
		one("eval_subset_accuracy", mean(l.exact)),
		one("eval_hamming_loss", mean(l.wrong)),
		one("eval_log_loss", mean(l.loss)),
		tallyMeasure(averaged, l.tally),
		{
			names: []string{"eval_roc_auc", "eval_average_precision"},
			of: func(w []float64) []float64 {
				return []float64{
					meanDefined(l.k, func(j int) float64 { return l.label(j, w).rocAUC() }),
					meanDefined(l.k, func(j int) float64 { return l.label(j, w).averagePrecision() }),
				}
			},
			point: l.k > sweptClasses,
		},
	}
}
