package heads

import (
	"math"
	"strconv"
)

// A Task is a kind of target.
type Task string

const (
	Classification Task = "classification" // one class a row: Targets.Class
	MultiLabel     Task = "multilabel"     // any number of labels a row: Targets.Labels
	Regression     Task = "regression"     // numbers: Targets.Values
)

// Targets are what N rows of features should be mapped to. Exactly one of Class, Labels and Values is set.
type Targets struct {
	Class   []int     // N classes, 0 to Classes-1
	Classes int       // K, the number of classes, at least the largest of Class + 1
	Labels  Matrix    // N×K of 0 and 1: row i has label k where the element is 1
	Values  Matrix    // N×T numbers
	Weights []float32 // what each row counts, 0 or more; nil: 1 each
}

// Task tells which kind of targets t holds.
func (t Targets) Task() Task {
	switch {
	case t.Labels.Cols > 0:
		return MultiLabel
	case t.Values.Cols > 0:
		return Regression
	default:
		return Classification
	}
}

// Rows is the number of rows t has targets for.
func (t Targets) Rows() int {
	switch t.Task() {
	case MultiLabel:
		return t.Labels.Rows
	case Regression:
		return t.Values.Rows
	default:
		return len(t.Class)
	}
}

// Outputs is the number of columns a head fitted on t predicts: classes, labels or values.
func (t Targets) Outputs() int {
	switch t.Task() {
	case MultiLabel:
		return t.Labels.Cols
	case Regression:
		return t.Values.Cols
	default:
		return t.Classes
	}
}

// Subset returns the targets of the named rows, in the order named.
func (t Targets) Subset(rows []int) Targets {
	s := Targets{Classes: t.Classes}
	if t.Weights != nil {
		s.Weights = make([]float32, len(rows))
		for i, r := range rows {
			s.Weights[i] = t.Weights[r]
		}
	}
	switch t.Task() {
	case MultiLabel:
		s.Labels = t.Labels.Subset(rows)
	case Regression:
		s.Values = t.Values.Subset(rows)
	default:
		s.Class = make([]int, len(rows))
		for i, r := range rows {
			s.Class[i] = t.Class[r]
		}
	}
	return s
}

// check tells whether t can be learned from rows of x by a head for the named task.
func (t Targets) check(x Matrix, task Task) error {
	if err := x.Check(); err != nil {
		return err
	}
	if got := t.Task(); got != task {
		return &ShapeError{What: "targets", Got: string(got) + " targets", Want: string(task) + " targets"}
	}
	if x.Rows == 0 {
		return &TooFewError{What: "rows", Got: 0, Want: 1}
	}
	if n := t.Rows(); n != x.Rows {
		return &ShapeError{What: "targets", Got: strconv.Itoa(n) + " rows", Want: strconv.Itoa(x.Rows) + ", one for each row of features"}
	}
	if err := t.checkWeights(x.Rows); err != nil {
		return err
	}
	switch task {
	case Classification:
		return t.checkClasses()
	case MultiLabel:
		return t.checkLabels()
	}
	if err := t.Values.Check(); err != nil {
		return err
	}
	return t.Values.checkFinite("target")
}

func (t Targets) checkWeights(rows int) error {
	if t.Weights == nil {
		return nil
	}
	if len(t.Weights) != rows {
		return &ShapeError{What: "weights", Got: strconv.Itoa(len(t.Weights)), Want: strconv.Itoa(rows) + ", one for each row"}
	}
	var sum float64
	for i, w := range t.Weights {
		if w < 0 || w-w != 0 {
			return &RowError{Row: i, Problem: "its weight is " + strconv.FormatFloat(float64(w), 'g', -1, 32) + ", want a number of 0 or more"}
		}
		sum += float64(w)
	}
	if sum == 0 {
		return &TooFewError{What: "rows with a weight above 0", Got: 0, Want: 1}
	}
	return nil
}

// checkClasses refuses classes out of range, and rows that are all of one class.
func (t Targets) checkClasses() error {
	present := 0
	seen := map[int]bool{}
	for i, c := range t.Class {
		if c < 0 || c >= t.Classes {
			return &RowError{Row: i, Problem: "its class is " + strconv.Itoa(c) + ", want 0 to " + strconv.Itoa(t.Classes-1)}
		}
		if !seen[c] && t.weight(i) > 0 {
			seen[c] = true
			present++
		}
	}
	if present < 2 {
		return &TooFewError{What: "classes with rows", Got: present, Want: 2}
	}
	return nil
}

func (t Targets) checkLabels() error {
	if err := t.Labels.Check(); err != nil {
		return err
	}
	for i := range t.Labels.Rows {
		for k, v := range t.Labels.Row(i) {
			if v != 0 && v != 1 {
				return &RowError{Row: i, Problem: "label " + strconv.Itoa(k) + " is " + strconv.FormatFloat(float64(v), 'g', -1, 32) + ", want 0 or 1"}
			}
		}
	}
	return nil
}

func (t Targets) weight(i int) float64 { return weightAt(t.Weights, i) }

// A ClassWeight says how much the rows of each class count beside one another. The zero value counts all rows alike.
type ClassWeight struct {
	// Balanced gives class k the weight N / (K' · N_k), where K' classes have rows and N_k rows are of class k
	// (N and N_k sums of row weights where there are any): every class then counts as much as any other.
	Balanced bool
	// Of is the weight of each class it names, 1 for the others; not used where Balanced is set.
	Of map[int]float64
}

// String is "none", "balanced" or "by class".
func (c ClassWeight) String() string {
	switch {
	case c.Balanced:
		return "balanced"
	case len(c.Of) > 0:
		return "by class"
	}
	return "none"
}

// rowWeights returns what each row of t counts: its own weight times its class's.
func (c ClassWeight) rowWeights(t Targets) ([]float64, error) {
	w := make([]float64, len(t.Class))
	for i := range w {
		w[i] = t.weight(i)
	}
	class, err := c.classWeights(t.Class, t.Classes, w)
	if err != nil || class == nil {
		return w, err
	}
	var sum float64
	for i, k := range t.Class {
		w[i] *= class[k]
		sum += w[i]
	}
	if sum == 0 {
		return nil, &TooFewError{What: "rows with a weight above 0", Got: 0, Want: 1}
	}
	return w, nil
}

// PerClass returns what a row of each class counts, nil where all count 1.
func (c ClassWeight) PerClass(t Targets) ([]float64, error) {
	ones := make([]float64, len(t.Class))
	for i := range ones {
		ones[i] = 1
	}
	return c.classWeights(t.Class, t.Classes, ones)
}

// classWeights returns the weight of each of k classes, nil where all are 1.
func (c ClassWeight) classWeights(class []int, k int, w []float64) ([]float64, error) {
	if !c.Balanced && len(c.Of) == 0 {
		return nil, nil
	}
	out := make([]float64, k)
	for i := range out {
		out[i] = 1
	}
	if !c.Balanced {
		for i, v := range c.Of {
			if i < 0 || i >= k || v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &SettingError{Field: "ClassWeight.Of[" + strconv.Itoa(i) + "]", Value: v,
					Want: "a weight of 0 or more for a class 0 to " + strconv.Itoa(k-1)}
			}
			out[i] = v
		}
		return out, nil
	}
	count, total, present := make([]float64, k), 0.0, 0.0
	for i, y := range class {
		if count[y] == 0 && w[i] > 0 {
			present++
		}
		count[y] += w[i]
		total += w[i]
	}
	for i, n := range count {
		if n > 0 {
			out[i] = total / (present * n)
		}
	}
	return out, nil
}
