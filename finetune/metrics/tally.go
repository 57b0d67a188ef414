package metrics

import "math"

// A tally counts, by class, rows that have it, rows predicted as it, and rows where both are so.
type tally struct {
	truth, predicted, both []float64
	total                  float64
	every                  bool // macro averages are over every class, not only those that occur
}

func newTally(k int) tally {
	n := make([]float64, 3*k)
	return tally{truth: n[:k:k], predicted: n[k : 2*k : 2*k], both: n[2*k:]}
}

// tally counts rows, each w times; nil: once.
func (c *classified) tally(w []float64) tally {
	t := newTally(c.k)
	for i, y := range c.truth {
		v := at(w, i)
		p := c.predicted[i]
		t.truth[y] += v
		t.predicted[p] += v
		if y == p {
			t.both[y] += v
		}
		t.total += v
	}
	return t
}

func at(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

// ratio is a/b, 0 where b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (t tally) precision(k int) float64 { return ratio(t.both[k], t.predicted[k]) }
func (t tally) recall(k int) float64    { return ratio(t.both[k], t.truth[k]) }
func (t tally) f1(k int) float64        { return ratio(2*t.both[k], t.predicted[k]+t.truth[k]) }

func (t tally) class(label string, k int) Class {
	return Class{Label: label, Precision: t.precision(k), Recall: t.recall(k), F1: t.f1(k), Support: int(t.truth[k])}
}

// macro averages f over the classes that occur, or over every one.
func (t tally) macro(f func(k int) float64) float64 {
	var sum, n float64
	for k := range t.truth {
		if t.every || t.truth[k]+t.predicted[k] > 0 {
			sum += f(k)
			n++
		}
	}
	return ratio(sum, n)
}

// weighted averages f over the classes, each counting as many times as rows have it.
func (t tally) weighted(f func(k int) float64) float64 {
	var sum, n float64
	for k, rows := range t.truth {
		sum += rows * f(k)
		n += rows
	}
	return ratio(sum, n)
}

// micro returns precision, recall and F1 over all classes' decisions together.
func (t tally) micro() (precision, recall, f1 float64) {
	var both, predicted, truth float64
	for k := range t.truth {
		both += t.both[k]
		predicted += t.predicted[k]
		truth += t.truth[k]
	}
	return ratio(both, predicted), ratio(both, truth), ratio(2*both, predicted+truth)
}

// matthews is Matthews' correlation coefficient for any number of classes (Gorodkin 2004), 0 where a side is constant.
func (t tally) matthews() float64 {
	var both, cross, truth, predicted float64
	for k := range t.truth {
		both += t.both[k]
		cross += t.truth[k] * t.predicted[k]
		truth += t.truth[k] * t.truth[k]
		predicted += t.predicted[k] * t.predicted[k]
	}
	n := t.total
	return ratio(both*n-cross, math.Sqrt((n*n-truth)*(n*n-predicted)))
}

// A tallied metric is one that a tally defines.
type tallied struct {
	name string
	of   func(tally) float64
}

// averaged are precision, recall and F1 averaged over classes.
var averaged = []tallied{
	{"eval_precision_macro", func(t tally) float64 { return t.macro(t.precision) }},
	{"eval_recall_macro", func(t tally) float64 { return t.macro(t.recall) }},
	{"eval_f1_macro", func(t tally) float64 { return t.macro(t.f1) }},
	{"eval_precision_micro", func(t tally) float64 { p, _, _ := t.micro(); return p }},
	{"eval_recall_micro", func(t tally) float64 { _, r, _ := t.micro(); return r }},
	{"eval_f1_micro", func(t tally) float64 { _, _, f := t.micro(); return f }},
	{"eval_precision_weighted", func(t tally) float64 { return t.weighted(t.precision) }},
	{"eval_recall_weighted", func(t tally) float64 { return t.weighted(t.recall) }},
	{"eval_f1_weighted", func(t tally) float64 { return t.weighted(t.f1) }},
}

// singleLabel are those where each row has one class.
var singleLabel = append([]tallied{
	{"eval_accuracy", func(t tally) float64 { _, r, _ := t.micro(); return r }},
	{"eval_balanced_accuracy", tally.balanced},
	{"eval_matthews_correlation", tally.matthews},
}, averaged...)

// oneClass are those of the second of two classes.
var oneClass = []tallied{
	{"eval_precision", func(t tally) float64 { return t.precision(1) }},
	{"eval_recall", func(t tally) float64 { return t.recall(1) }},
	{"eval_f1", func(t tally) float64 { return t.f1(1) }},
}

// tallyMeasure computes the metrics of list from one tally.
func tallyMeasure(list []tallied, of func(w []float64) tally) measure {
	m := measure{names: make([]string, len(list))}
	for i, l := range list {
		m.names[i] = l.name
	}
	m.of = func(w []float64) []float64 {
		t := of(w)
		v := make([]float64, len(list))
		for i, l := range list {
			v[i] = l.of(t)
		}
		return v
	}
	return m
}

// balanced is the mean recall of the classes that rows have.
func (t tally) balanced() float64 {
	var sum, n float64
	for k, rows := range t.truth {
		if rows > 0 {
			sum += t.recall(k)
			n++
		}
	}
	return ratio(sum, n)
}
