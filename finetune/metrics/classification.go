package metrics

import (
	"fmt"
	"math"

	"github.com/onnx-graft/graft/heads"
)

// Classification judges N×K logits of rows whose classes are truth, 0 to K-1, with the zero Settings.
// Probabilities are the logits' softmax; the class predicted is the first of the largest logits.
func Classification(labels []string, truth []int, logits heads.Matrix) (Report, error) {
	return Settings{}.Classification(labels, truth, logits)
}

// Classification judges N×K logits of rows whose classes are truth, 0 to K-1.
//
// Averages over classes (macro, weighted) are over the classes that occur in truth or predictions, as scikit-learn's
// are. With two classes eval_precision, eval_recall, eval_f1, eval_roc_auc, eval_average_precision and eval_brier are
// about the second. With more, eval_roc_auc and eval_average_precision average each class against the rest.
//
// Where the Rule abstains, eval_coverage is the share of rows that are answered and eval_answered_accuracy the share of
// those that are right; all other metrics are of all rows, as if they were answered.
func (s Settings) Classification(labels []string, truth []int, logits heads.Matrix) (Report, error) {
	k := len(labels)
	if err := checkScores("predictions", logits, len(truth), k); err != nil {
		return Report{}, err
	}
	for i, y := range truth {
		if y < 0 || y >= k {
			return Report{}, rowsErrorf("row %d: its class is %d, want 0 to %d", i, y, k-1)
		}
	}
	if err := s.Rule.Check(k, false); err != nil {
		return Report{}, err
	}
	c := classify(truth, logits, s.Rule)
	r := Report{Task: heads.Classification, Rows: len(truth), Labels: labels, Confusion: c.confusion()}
	r.Metrics, r.Intervals = s.measure(len(truth), c.measures())
	t := c.tally(nil)
	for j, label := range labels {
		line := t.class(label, j)
		line.ROCAUC, line.Average = c.ranked(j)
		r.Classes = append(r.Classes, line)
	}
	r.Warnings = c.warnings(labels, t)
	return r, nil
}

// classified is what the metrics of a classification are made of.
type classified struct {
	k         int
	truth     []int
	predicted []int
	p         []float64 // N×K probabilities
	loss      []float64 // N: −log p(truth)
	brier     []float64 // N
	rank      []int     // N: how many classes are at least as probable as the truth, itself aside
	order     [][]int32 // by class: rows by falling probability of it
	answered  []bool    // N; nil: all are
}

// leastProbability bounds the loss of a row: scikit-learn clips probabilities there.
const leastProbability = 0x1p-52

func classify(truth []int, logits heads.Matrix, rule Rule) *classified {
	n, k := logits.Rows, logits.Cols
	c := &classified{k: k, truth: truth, predicted: make([]int, n), p: make([]float64, n*k),
		loss: make([]float64, n), brier: make([]float64, n), rank: make([]int, n)}
	if rule.Abstain > 0 {
		c.answered = make([]bool, n)
	}
	for i := range n {
		z, p, y := logits.Row(i), c.p[i*k:(i+1)*k], truth[i]
		c.predicted[i] = rule.Class(z)
		if c.answered != nil {
			c.answered[i] = rule.Answers(z)
		}
		softmax(p, z)
		c.loss[i] = -math.Log(min(max(p[y], leastProbability), 1-leastProbability))
		for j, v := range p {
			if j == y {
				v = 1 - v
			} else if z[j] > z[y] || z[j] == z[y] && j < y {
				c.rank[i]++
			}
			c.brier[i] += v * v
		}
		if k == 2 { // of the second class alone, which is half of both
			c.brier[i] /= 2
		}
	}
	c.order = make([][]int32, k)
	for j := range k {
		c.order[j] = descending(n, func(i int32) float64 { return logOdds(logits.Row(int(i)), c.p[int(i)*k:], j) })
	}
	return c
}

// logOdds returns log(p[j]/(1−p[j])), where p is the softmax of z, to nine decimals: rows whose probabilities
// are equal tie whatever the order of additions, and rounding near 0 and 1 makes no other ties.
func logOdds(z []float32, p []float64, j int) float64 {
	if p[j] < 0.5 {
		best := argmax(z)
		return round9(float64(z[j]) - float64(z[best]) + math.Log(p[best]) - math.Log1p(-p[j]))
	}
	others := math.Inf(-1)
	for i, v := range z {
		if i != j {
			others = max(others, float64(v))
		}
	}
	var sum float64
	for i, v := range z {
		if i != j {
			sum += math.Exp(float64(v) - others)
		}
	}
	return round9(float64(z[j]) - others - math.Log(sum))
}

func round9(v float64) float64 { return math.Round(v*1e9) / 1e9 }

func argmax(z []float32) int {
	best := 0
	for j, v := range z {
		if v > z[best] {
			best = j
		}
	}
	return best
}

func softmax(p []float64, z []float32) {
	top, sum := float64(z[argmax(z)]), 0.0
	for j, v := range z {
		p[j] = math.Exp(float64(v) - top)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
}

func (c *classified) confusion() [][]int {
	m := make([][]int, c.k)
	for i := range m {
		m[i] = make([]int, c.k)
	}
	for i, y := range c.truth {
		m[y][c.predicted[i]]++
	}
	return m
}

// measures lists the metrics of a classification.
func (c *classified) measures() []measure {
	list := []measure{
		one("eval_log_loss", mean(c.loss)),
		one("eval_brier", mean(c.brier)),
		one("eval_ece", c.calibrationError),
	}
	for _, top := range []int{3, 5} {
		if c.k > top {
			list = append(list, one(fmt.Sprintf("eval_top_%d_accuracy", top), c.topAccuracy(top)))
		}
	}
	if c.answered != nil {
		list = append(list, measure{names: []string{"eval_coverage", "eval_answered_accuracy"}, of: c.selective})
	}
	list = append(list, tallyMeasure(singleLabel, c.tally), c.ranking())
	if c.k == 2 {
		list = append(list, tallyMeasure(oneClass, c.tally))
	}
	return list
}

// selective is the share of rows that are answered, and of those the share that is right.
func (c *classified) selective(w []float64) []float64 {
	var answered, right, total float64
	for i, y := range c.truth {
		v := at(w, i)
		total += v
		if c.answered[i] {
			answered += v
			if c.predicted[i] == y {
				right += v
			}
		}
	}
	if answered == 0 {
		return []float64{0, math.NaN()}
	}
	return []float64{ratio(answered, total), right / answered}
}

func (c *classified) topAccuracy(top int) func(w []float64) float64 {
	hit := make([]float64, len(c.rank))
	for i, r := range c.rank {
		if r < top {
			hit[i] = 1
		}
	}
	return mean(hit)
}

const (
	imbalance = 1.5 // largest class over smallest from which accuracy misleads
	fewRows   = 10  // rows of a class below which its line is noise
)

func (c *classified) warnings(labels []string, t tally) []string {
	var out []string
	most, least := 0, -1
	for j, n := range t.truth {
		if n > t.truth[most] {
			most = j
		}
		if n > 0 && (least < 0 || n < t.truth[least]) {
			least = j
		}
	}
	if t.truth[most] > imbalance*t.truth[least] {
		out = append(out, fmt.Sprintf("classes are uneven (%q has %g rows, %q %g): always answering %q is right for %.1f %% of them; read eval_f1_macro beside eval_accuracy",
			labels[most], t.truth[most], labels[least], t.truth[least], labels[most], 100*t.truth[most]/t.total))
	}
	few := 0
	for _, n := range t.truth {
		if n < fewRows {
			few++
		}
	}
	if few > 0 {
		out = append(out, fmt.Sprintf("%d of %d classes have fewer than %d rows here: their lines say little", few, c.k, fewRows))
	}
	return out
}
