package finetune

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/heads/valley"
)

// A judge tries heads on rows they are not fitted on.
type judge struct {
	ctx      context.Context
	settings ProbeSettings
	task     heads.Task
	by       string
	folds    []fold
	weights  [][]float64 // by fold, of the held rows
	progress Progress
}

// A trial is how one head did.
type trial struct {
	PathPoint
	scores []rowScore
	first  heads.Head // fitted on the first fold
	scale  float64    // what the head's logits are best multiplied by; 0: they are log-probabilities, or none are asked for
}

// choosingTol is the tolerance of fits that choose: they stop earlier than the last one.
const choosingTol = 1e-3

func newJudge(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (*judge, error) {
	if err := x.Check(); err != nil {
		return nil, err
	}
	if y.Rows() != x.Rows {
		return nil, &heads.ShapeError{What: "targets", Got: "not one for each row", Want: "one for each row of features"}
	}
	for i, k := range y.Class {
		if k < 0 || k >= y.Classes {
			return nil, &heads.RowError{Row: i, Problem: "its class is out of range"}
		}
	}
	j := &judge{ctx: ctx, settings: s, task: y.Task(), progress: orQuiet(s.Progress)}
	var err error
	if j.folds, j.by, err = s.folds(x, y); err != nil {
		return nil, err
	}
	kept := j.folds[:0]
	for _, f := range j.folds {
		w, err := f.heldWeights(s.ClassWeight)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(w, func(v float64) bool { return v > 0 }) {
			kept, j.weights = append(kept, f), append(j.weights, w)
		}
	}
	j.folds = kept
	return j, nil
}

// choose fills in the kind of head and its C, and returns a head like it that was fitted on some of the rows, or nil.
func (j *judge) choose(kinds []heads.Kind, r *ProbeResult) (heads.Head, error) {
	r.Loss = crossEntropyLoss
	if j.task == heads.Regression {
		r.Loss = squaredError
	}
	if r.By = j.by; len(j.folds) == 0 {
		r.By, r.Kind = ChosenByDefault, kinds[0]
		if slices.Contains(kinds, heads.KindLogistic) {
			r.Kind = heads.KindLogistic
		}
		if heads.HasC(r.Kind) && r.C == 0 {
			r.C = 1
		}
		return nil, nil
	}
	var best []trial // of each kind
	for _, kind := range kinds {
		tried, err := j.try(kind)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(tried, func(a, b trial) int { return cmp.Compare(a.C, b.C) })
		for _, t := range tried {
			r.Path = append(r.Path, t.PathPoint)
		}
		best = append(best, pick(tried, slack, lossOf))
	}
	if len(kinds) > 1 {
		for _, t := range best {
			r.Heads = append(r.Heads, t.PathPoint)
		}
	}
	chosen := pick(best, 0, wrongOf, lossOf)
	r.Kind, r.C, r.Scale = heads.Kind(chosen.Head), chosen.C, chosen.scale
	return chosen.first, nil
}

// slack is a difference in loss that is nothing, however sure it is.
const slack = 1e-3

// pick returns the first of the trials, which are simplest first, that is no worse than the best by more than one standard
// error of the difference, or by atLeast. The first of the measures says which is best; by none of them may the one picked
// be worse.
func pick(tried []trial, atLeast float64, measures ...func(rowScore) float64) trial {
	best, lowest := 0, math.Inf(1)
	for i, t := range tried {
		if m, _ := mean(t.scores, nil, measures[0]); m < lowest {
			best, lowest = i, m
		}
	}
	for _, t := range tried[:best] {
		if !slices.ContainsFunc(measures, func(of func(rowScore) float64) bool {
			worse, se := mean(t.scores, tried[best].scores, of)
			return worse > max(se, atLeast)
		}) {
			return t
		}
	}
	return tried[best]
}

// try judges heads of a kind: with the C given, with those of the grid, or with what a search from 1e-6 to 1e6 comes by.
func (j *judge) try(kind heads.Kind) ([]trial, error) {
	s := j.settings
	if !heads.HasC(kind) {
		t, err := j.judge(kind, 0, func(f *fold) (heads.Head, error) { return s.fit(j.ctx, kind, 0, 0, nil, f.x, f.y) })
		return []trial{t}, err
	}
	o := s.options()
	o.Tol = max(o.Tol, choosingTol)
	paths := map[*fold]*heads.Path{}
	for i := range j.folds {
		f := &j.folds[i]
		var err error
		if paths[f], err = heads.NewPath(j.ctx, kind, f.x, f.y, o); err != nil {
			return nil, err
		}
	}
	at := func(c float64) (trial, error) {
		return j.judge(kind, c, func(f *fold) (heads.Head, error) { return paths[f].Fit(c) })
	}
	if s.C != 0 {
		t, err := at(s.C)
		return []trial{t}, err
	}
	if len(s.Grid) > 0 {
		var tried []trial
		for _, c := range slices.Compact(slices.Sorted(slices.Values(s.Grid))) {
			t, err := at(c)
			if err != nil {
				return nil, err
			}
			tried = append(tried, t)
		}
		return tried, nil
	}
	return search(at)
}

// search goes up from C = 1e-6 while the loss falls, by hundreds to 1e-2, then by 10 and by √10, at most to 1e6; then it looks
// around the best by tens, by √10 and by ⁴√10: the loss has one valley in C. (Radford et al. 2021 sweep the same range, by
// accuracy.) A fit starts from the last, so that small steps up cost less than a leap.
func search(at func(c float64) (trial, error)) ([]trial, error) {
	tried := map[int]trial{} // by 4·log10 C
	best := -24
	visit := func(e int) error {
		t, err := at(math.Pow(10, float64(e)/4))
		if err != nil {
			return err
		}
		if tried[e] = t; t.Mean < tried[best].Mean {
			best = e
		}
		return nil
	}
	for e, last := -24, -24; e <= 24 && best == last; {
		if err := visit(e); err != nil {
			return nil, err
		}
		last = e
		switch {
		case e < -8:
			e += 8
		case e == -8:
			e += 4
		default:
			e += 2
		}
	}
	for _, step := range []int{4, 2, 1} {
		middle := best
		for _, side := range []int{-1, 1} {
			known := middle+side*step < -24 || middle+side*step > 24
			for d := 1; d <= step; d++ {
				_, ok := tried[middle+side*d]
				known = known || ok
			}
			if known {
				continue
			}
			if err := visit(middle + side*step); err != nil {
				return nil, err
			}
		}
	}
	return slices.Collect(maps.Values(tried)), nil
}

// judge fits a head on every fold and scores it on the rows held out.
func (j *judge) judge(kind heads.Kind, c float64, fit func(f *fold) (heads.Head, error)) (trial, error) {
	t := trial{PathPoint: PathPoint{Head: string(kind), C: c}}
	logits := make([]heads.Matrix, len(j.folds))
	for i := range j.folds {
		h, err := fit(&j.folds[i])
		if err != nil {
			return t, err
		}
		if logits[i], err = heads.Quick(j.ctx, h, j.folds[i].heldX); err != nil {
			return t, err
		}
		if i == 0 {
			t.first = h
		}
	}
	scale := 1.0
	if j.task == heads.Classification && (kind == heads.KindRidge || kind == heads.KindSVM) {
		scale = j.likeliest(logits) // their logits are no log-probabilities
		t.scale = scale
	}
	t.scores = j.score(logits, scale)
	t.Mean, t.SE = mean(t.scores, nil, lossOf)
	if j.task == heads.Classification {
		wrong, _ := mean(t.scores, nil, wrongOf)
		t.Accuracy = 1 - wrong
	}
	j.progress.Add(1)
	return t, nil
}

func (j *judge) score(logits []heads.Matrix, scale float64) []rowScore {
	var scores []rowScore
	for i := range j.folds {
		scores = j.folds[i].scoreRows(scores, logits[i], j.weights[i], scale)
	}
	return scores
}

// likeliest returns the factor for logits with the smallest loss, by golden-section search for its logarithm.
func (j *judge) likeliest(logits []heads.Matrix) float64 {
	loss := func(log float64) float64 {
		m, _ := mean(j.score(logits, math.Exp(log)), nil, lossOf)
		return m
	}
	return math.Exp(valley.Lowest(loss, math.Log(1e-2), math.Log(1e3), 0.02))
}
