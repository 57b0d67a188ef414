package metrics

import "math"

// A Rule says how answers follow from logits. The zero value takes the most probable class, and every label whose
// probability is above a half.
type Rule struct {
	// Threshold is the probability above which the second of two classes is the answer, or a label is among the answers: one
	// number, or of labels one each. nil: 0.5. It says nothing of three classes or more.
	Threshold []float64
	// Abstain is the confidence below which a row of classes is better left unanswered, 0 to below 1: the probability of the
	// answer, of two classes with another threshold than 0.5 that of an answer as far from 0.5. 0: none is.
	Abstain float64
}

// Class returns the class that a row of logits is answered with: of equal ones the first.
func (r Rule) Class(z []float32) int {
	if len(z) == 2 && r.Threshold != nil {
		if r.margin(z) > 0 {
			return 1
		}
		return 0
	}
	return argmax(z)
}

// Answers tells whether the confidence of a row of logits is not below Abstain.
func (r Rule) Answers(z []float32) bool {
	switch {
	case r.Abstain <= 0:
		return true
	case len(z) == 2:
		return math.Abs(r.margin(z)) >= LogOdds(r.Abstain)
	}
	p := make([]float64, len(z))
	softmax(p, z)
	return p[argmax(z)] >= r.Abstain
}

// Has tells whether a logit of label k says that a row has it.
func (r Rule) Has(z float32, k int) bool { return float64(z) > r.cut(k) }

// margin is how far the second of two classes is above the threshold, in log odds.
func (r Rule) margin(z []float32) float64 { return float64(z[1]) - float64(z[0]) - r.cut(0) }

// cut is the threshold of label k in log odds.
func (r Rule) cut(k int) float64 {
	switch {
	case r.Threshold == nil:
		return 0
	case len(r.Threshold) == 1:
		k = 0
	}
	return LogOdds(r.Threshold[k])
}

// LogOdds returns log(p/(1−p)).
func LogOdds(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

// Check tells whether the rule is one for k classes, or labels.
func (r Rule) Check(k int, labels bool) error {
	for _, t := range r.Threshold {
		if !(t > 0 && t < 1) {
			return rowsErrorf("a threshold of %v, want a probability above 0 and below 1", t)
		}
	}
	if !(r.Abstain >= 0 && r.Abstain < 1) {
		return rowsErrorf("abstaining below a confidence of %v, want 0 to below 1", r.Abstain)
	}
	n := len(r.Threshold)
	switch {
	case labels && n > 1 && n != k:
		return rowsErrorf("%d thresholds for %d labels", n, k)
	case labels && r.Abstain > 0:
		return rowsErrorf("labels are not abstained from: those below their threshold are not given")
	case !labels && n > 0 && (n != 1 || k != 2):
		return rowsErrorf("%d thresholds for %d classes: a threshold is for two classes", n, k)
	}
	return nil
}
