package finetune

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// FewShotSettings say what a [FewShot] tries. The zero value: 8 rows a class, ten times, centroids and logistic regression.
type FewShotSettings struct {
	Shots    []int         // rows a class; nil: 8
	Repeats  int           // draws of them; 0: 10
	Heads    []heads.Kind  // nil: centroid, logistic
	Probe    ProbeSettings // what heads are told; its Head is not used. C 0: 1: there is little to choose it by
	Seed     uint64        // of the draws
	Extract  ExtractSettings
	Progress Progress
}

// A FewShotLine is how one kind of head did with so many rows a class.
type FewShotLine struct {
	Head   string    `json:"head"`
	Shots  int       `json:"shots"`
	Rows   int       `json:"rows"`   // learned from, in each repeat; fewer than classes times shots where a class has fewer
	Mean   float64   `json:"mean"`   // of Scores
	SD     float64   `json:"sd"`     // their standard deviation, of a sample
	Scores []float64 `json:"scores"` // accuracy on the test rows, by repeat
}

// A FewShotResult is what few rows a class come to.
type FewShotResult struct {
	Backbone string        `json:"backbone"`
	Data     string        `json:"data"`
	Classes  int           `json:"classes"`
	Test     int           `json:"test"`
	Metric   string        `json:"metric"`
	Repeats  int           `json:"repeats"`
	Lines    []FewShotLine `json:"lines"`
}

// FewShot draws a few training rows of each class, again and again, fits heads on them, and judges each on all test rows.
// The rows of a draw with fewer shots are among those of the same draw with more. Features are extracted once.
func FewShot[T any](ctx context.Context, rt onnx.Runtime, b *Backbone[T], data dataset.Split[T], s FewShotSettings) (*FewShotResult, error) {
	shots, err := s.check(data.Target)
	if err != nil {
		return nil, err
	}
	progress := orQuiet(s.Progress)
	s.Extract.Progress = progress
	goal, err := goalOf(data.Target)
	if err != nil {
		return nil, err
	}
	all, err := goal.targets(truths(data.Train), data.Labels, nil)
	if err != nil {
		return nil, err
	}
	repeats := cmp.Or(s.Repeats, 10)
	drawn := make([][][]int, repeats) // by repeat, by class
	var used []int
	for i := range drawn {
		drawn[i] = drawShots(all, slices.Max(shots), s.Seed, i)
		used = append(used, slices.Concat(drawn[i]...)...)
	}
	slices.Sort(used)
	used = slices.Compact(used)
	data.Train, data.Validation = examplesAt(data.Train, used), nil
	w := newWorkshop(rt, b, data, Settings{Extract: s.Extract, Progress: progress}, goal)
	if err := w.extract(ctx); err != nil {
		return nil, err
	}
	r := &FewShotResult{
		Backbone: b.Name, Data: data.Name, Classes: len(data.Labels), Test: len(data.Test), Metric: "eval_accuracy", Repeats: repeats,
	}
	progress.Start(Probing, len(s.heads())*len(shots)*repeats)
	for _, kind := range s.heads() {
		for _, k := range shots {
			line := FewShotLine{Head: string(kind), Shots: k}
			for i := range drawn {
				rows := firstOfEach(drawn[i], k, used)
				line.Rows = len(rows)
				score, err := w.fewShot(ctx, kind, rows, s)
				if err != nil {
					return nil, err
				}
				line.Scores = append(line.Scores, score)
				progress.Add(1)
			}
			line.Mean, line.SD = meanAndSD(line.Scores)
			r.Lines = append(r.Lines, line)
		}
	}
	return r, nil
}

func (s FewShotSettings) heads() []heads.Kind {
	if len(s.Heads) == 0 {
		return []heads.Kind{heads.KindCentroid, heads.KindLogistic}
	}
	return s.Heads
}

// check returns the numbers of shots, ascending.
func (s FewShotSettings) check(target dataset.Target) ([]int, error) {
	shots := slices.Compact(slices.Sorted(slices.Values(s.Shots)))
	if len(shots) == 0 {
		shots = []int{8}
	}
	switch {
	case target != dataset.Classes:
		return nil, fmt.Errorf("finetune: few-shot draws rows of each class; these targets are no classes")
	case shots[0] < 1 || s.Repeats < 0:
		return nil, fmt.Errorf("finetune: few-shot: %d rows a class, %d repeats, want 1 or more", shots[0], s.Repeats)
	}
	for _, kind := range s.Heads {
		if _, err := heads.New(kind, heads.Classification, heads.Options{}); err != nil {
			return nil, fmt.Errorf("finetune: few-shot: %w", err)
		}
	}
	return shots, nil
}

// fewShot fits a head on some of the training rows and returns its accuracy on test.
func (w *workshop[T]) fewShot(ctx context.Context, kind heads.Kind, rows []int, s FewShotSettings) (float64, error) {
	probe := s.Probe
	probe.C, probe.Progress = cmp.Or(probe.C, 1), nil
	probe = probe.of(kind)
	fitted, err := Probe(ctx, w.train.x.Subset(rows), w.train.y.Subset(rows), probe)
	if err != nil {
		return 0, err
	}
	answers, err := heads.Quick(ctx, fitted.Head, w.test.x)
	if err != nil {
		return 0, fmt.Errorf("finetune: few-shot: %w", err)
	}
	right := 0
	for i, k := range w.test.y.Class {
		if (metrics.Rule{}).Class(answers.Row(i)) == k {
			right++
		}
	}
	return float64(right) / float64(len(w.test.y.Class)), nil
}

// drawShots draws k rows of each class, or all where there are fewer, in an order that a smaller k has the beginning of.
func drawShots(y heads.Targets, k int, seed uint64, repeat int) [][]int {
	members := make([][]int, y.Classes)
	for i, class := range y.Class {
		members[class] = append(members[class], i)
	}
	rng := rand.New(rand.NewPCG(seed, 0x73686f7473+uint64(repeat)))
	for class, rows := range members {
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		members[class] = rows[:min(k, len(rows))]
	}
	return members
}

// firstOfEach returns the places among used, ascending, of the first k rows of each class.
func firstOfEach(classes [][]int, k int, used []int) (places []int) {
	for _, rows := range classes {
		for _, r := range rows[:min(k, len(rows))] {
			at, _ := slices.BinarySearch(used, r)
			places = append(places, at)
		}
	}
	slices.Sort(places)
	return places
}

// meanAndSD returns the mean of v and the standard deviation of what it is a sample of; 0 for one number.
func meanAndSD(v []float64) (mean, sd float64) {
	for _, f := range v {
		mean += f / float64(len(v))
	}
	if len(v) < 2 {
		return mean, 0
	}
	for _, f := range v {
		sd += (f - mean) * (f - mean) / float64(len(v)-1)
	}
	return mean, math.Sqrt(sd)
}
