package finetune

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// blobs are points of k classes around centres, noise apart.
func blobs(n, d, k int, noise float64, seed uint64) (heads.Matrix, heads.Targets) {
	centres := rand.New(rand.NewPCG(99, 99))
	c := make([]float64, k*d)
	for i := range c {
		c[i] = centres.NormFloat64()
	}
	rng := rand.New(rand.NewPCG(seed, seed))
	x, y := heads.NewMatrix(n, d), heads.Targets{Class: make([]int, n), Classes: k}
	for i := range n {
		y.Class[i] = i % k
		for j := range d {
			x.Data[i*d+j] = float32(c[y.Class[i]*d+j] + noise*rng.NormFloat64())
		}
	}
	return x, y
}

func TestFoldsAreStratifiedAndSeeded(t *testing.T) {
	_, y := blobs(103, 2, 4, 1, 1)
	folds := stratifiedFolds(y.Class, 4, 5, 7)
	var all []int
	for _, rows := range folds {
		count := make([]int, 4)
		for _, i := range rows {
			count[y.Class[i]]++
		}
		if len(rows) < 20 || len(rows) > 21 || slices.Min(count) < 5 || slices.Max(count) > 6 {
			t.Errorf("a fold of %d rows, %v a class", len(rows), count)
		}
		all = append(all, rows...)
	}
	slices.Sort(all)
	if !slices.Equal(all, allIndices(103)) {
		t.Error("folds do not hold every row once")
	}
	if !reflect.DeepEqual(folds, stratifiedFolds(y.Class, 4, 5, 7)) || reflect.DeepEqual(folds, stratifiedFolds(y.Class, 4, 5, 8)) {
		t.Error("folds do not follow the seed")
	}
	if n := len(stratifiedFolds([]int{0, 0, 1, 1}, 2, 5, 0)); n != 4 {
		t.Errorf("four rows make %d folds", n)
	}
}

func TestClimbFindsTheValley(t *testing.T) {
	grid := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	for _, lowest := range grid {
		tried := 0
		scores, best, err := climb(grid, func(c float64) (ProbeScore, error) {
			tried++
			return ProbeScore{C: c, LogLoss: math.Abs(c - lowest)}, nil
		})
		if err != nil || best.C != lowest || tried != len(scores) || !slices.IsSortedFunc(scores, func(a, b ProbeScore) int { return int(a.C - b.C) }) {
			t.Errorf("lowest at %g: %v, %v", lowest, best, scores)
		}
		if lowest == 4 && tried != 3 {
			t.Errorf("in the middle it tried %d", tried)
		}
	}
}

func TestProbeChoosesByHeldOutLoss(t *testing.T) {
	x, y := blobs(300, 40, 3, 4, 1)
	testX, testY := blobs(3000, 40, 3, 4, 2)
	chosen, err := Probe(context.Background(), x, y, ProbeSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if chosen.By != ChosenByFolds || chosen.C != chosen.Head.(*heads.Logistic).C || len(chosen.Scores) < 3 {
		t.Errorf("%+v", chosen)
	}
	loss := func(r ProbeResult) float64 {
		report, err := Evaluate(r.Head, testX, testY.Class, []string{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		return report.Metrics["eval_log_loss"]
	}
	for _, c := range []float64{1e-5, 100} {
		given, err := Probe(context.Background(), x, y, ProbeSettings{C: c})
		if err != nil || given.By != ChosenByCaller || given.Scores != nil {
			t.Fatal(err, given)
		}
		if loss(given) <= loss(chosen) {
			t.Errorf("C = %g does better than the chosen %g", c, chosen.C)
		}
	}
	again, err := Probe(context.Background(), x, y, ProbeSettings{})
	if err != nil || !reflect.DeepEqual(again.Scores, chosen.Scores) {
		t.Error("a second Probe chose otherwise")
	}
	fewX, fewY := blobs(30, 40, 3, 4, 3)
	few, err := Probe(context.Background(), x, y, ProbeSettings{ValidationX: fewX, ValidationY: fewY})
	if err != nil || few.By != ChosenByFolds {
		t.Errorf("few validation rows: by %s, %v", few.By, err)
	}
	many, err := Probe(context.Background(), x, y, ProbeSettings{ValidationX: testX, ValidationY: testY})
	if err != nil || many.By != ChosenByValidation {
		t.Errorf("many validation rows: by %s, %v", many.By, err)
	}
	given, err := Probe(context.Background(), x, y, ProbeSettings{C: many.C})
	if err != nil {
		t.Fatal(err)
	}
	if loss(given) != loss(many) {
		t.Error("validation rows were fitted on")
	}
}

func TestProbeOfTheSmallestData(t *testing.T) {
	x := heads.Matrix{Rows: 4, Cols: 1, Data: []float32{1, 2, 10, 11}}
	y := heads.Targets{Class: []int{0, 0, 1, 1}, Classes: 2}
	r, err := Probe(context.Background(), x, y, ProbeSettings{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Evaluate(r.Head, x, y.Class, []string{"a", "b"})
	if err != nil || report.Metrics["eval_accuracy"] != 1 {
		t.Errorf("%v %v", report.Metrics, err)
	}
	if _, err := Probe(context.Background(), x, y, ProbeSettings{Folds: 1}); err == nil {
		t.Error("one fold was accepted")
	}
	if _, err := Probe(context.Background(), x, heads.Targets{Class: []int{0, 0, 0, 0}, Classes: 2}, ProbeSettings{}); err == nil {
		t.Error("one class was accepted")
	}
}
