package finetune

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx/onnxgo"
)

func fewShotToy(t *testing.T, s FewShotSettings) *FewShotResult {
	t.Helper()
	r, err := FewShot(context.Background(), &onnxgo.Runtime{}, toyBackbone(t), toyData(600), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFewShot(t *testing.T) {
	s := FewShotSettings{Shots: []int{16, 2}, Repeats: 5, Seed: 3}
	r := fewShotToy(t, s)
	if len(r.Lines) != 4 || r.Lines[0].Head != "centroid" || r.Lines[2].Head != "logistic" || r.Test != 120 || r.Classes != 3 {
		t.Fatalf("%+v", r)
	}
	for i, l := range r.Lines {
		if want := []int{2, 16}[i%2]; l.Shots != want || l.Rows != 3*want || len(l.Scores) != 5 {
			t.Errorf("line %d: %+v", i, l)
		}
		mean, square := 0.0, 0.0
		for _, v := range l.Scores {
			mean += v / 5
		}
		for _, v := range l.Scores {
			square += (v - mean) * (v - mean) / 4
		}
		if math.Abs(mean-l.Mean) > 1e-12 || math.Abs(math.Sqrt(square)-l.SD) > 1e-12 {
			t.Errorf("mean %v sd %v of %v", l.Mean, l.SD, l.Scores)
		}
	}
	if r.Lines[1].Mean < r.Lines[0].Mean+0.1 {
		t.Errorf("16 rows a class reach %v, 2 reach %v", r.Lines[1].Mean, r.Lines[0].Mean)
	}
	procs := runtime.GOMAXPROCS(1)
	again := fewShotToy(t, s)
	runtime.GOMAXPROCS(procs)
	if !reflect.DeepEqual(again, r) {
		t.Error("one core gives another result")
	}
	s.Seed = 4
	if other := fewShotToy(t, s); slices.Equal(other.Lines[0].Scores, r.Lines[0].Scores) {
		t.Error("another seed drew the same rows")
	}
	for _, bad := range []FewShotSettings{{Shots: []int{0}}, {Repeats: -1}, {Heads: []heads.Kind{"oracle"}}} {
		if _, err := FewShot(context.Background(), &onnxgo.Runtime{}, toyBackbone(t), toyData(60), bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestDrawsAreNestedAndEven(t *testing.T) {
	y := heads.Targets{Class: make([]int, 100), Classes: 3}
	for i := range y.Class {
		y.Class[i] = min(i%10, 2) // 10, 10 and 80 rows
	}
	few, many := drawShots(y, 4, 7, 2), drawShots(y, 12, 7, 2)
	for k := range few {
		if len(few[k]) != 4 || len(many[k]) != []int{10, 10, 12}[k] || !slices.Equal(few[k], many[k][:4]) {
			t.Errorf("class %d: %v and %v", k, few[k], many[k])
		}
		for _, i := range many[k] {
			if y.Class[i] != k {
				t.Errorf("row %d is not of class %d", i, k)
			}
		}
	}
	if slices.Equal(drawShots(y, 4, 7, 3)[2], few[2]) {
		t.Error("two repeats drew the same rows")
	}
}

func TestCompare(t *testing.T) {
	data := toyData(600)
	open := func() (*Backbone[string], error) {
		b := toyBackbone(t)
		b.Preprocessor = wordedToy{b.Preprocessor.(toyWords)}
		return b, nil
	}
	worse := func() (*Backbone[string], error) {
		b := toyBackbone(t)
		b.Name, b.Preprocessor = "deaf", deaf{wordedToy{b.Preprocessor.(toyWords)}}
		return b, nil
	}
	s := CompareSettings{Heads: []heads.Kind{heads.KindLogistic, heads.KindCentroid}, Probe: ProbeSettings{Seed: 1}}
	r, err := Compare(context.Background(), &onnxgo.Runtime{}, []Opening[string]{worse, open}, data, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Lines) != 6 || r.Metric != "eval_accuracy" || r.Paired != "accuracy" || r.Rows.Test != 120 {
		t.Fatalf("%+v", r)
	}
	var names []string
	for i, l := range r.Lines {
		names = append(names, l.Backbone+"/"+l.Head)
		if i > 0 && (l.Score > r.Lines[i-1].Score || math.Abs(r.Lines[0].Score-l.Score-l.Behind) > 1e-9) {
			t.Errorf("line %d: score %v, behind %v, the best has %v", i, l.Score, l.Behind, r.Lines[0].Score)
		}
		if l.Interval.Low > l.Score || l.Interval.High < l.Score {
			t.Errorf("line %d: %v is not in %v", i, l.Score, l.Interval)
		}
	}
	all := strings.Join(names, " ")
	for _, want := range []string{"toy/logistic", "toy/centroid", "deaf/logistic", "/majority class", "/bag of words"} {
		if !strings.Contains(all, want) {
			t.Errorf("there is no %s among %s", want, all)
		}
	}
	last := r.Lines[len(r.Lines)-1]
	if last.BehindInterval.Low <= 0.3 || last.BehindInterval.High < last.Behind {
		t.Errorf("the last is behind by %v, %v", last.Behind, last.BehindInterval)
	}
	s.Heads = []heads.Kind{heads.KindMultiLabel}
	if _, err := Compare(context.Background(), &onnxgo.Runtime{}, []Opening[string]{open}, data, s); err == nil {
		t.Error("a head of other targets was accepted")
	}
	broken := errors.New("broken")
	s.Heads = nil
	if _, err := Compare(context.Background(), &onnxgo.Runtime{}, []Opening[string]{open, func() (*Backbone[string], error) { return nil, broken }}, data, s); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestMerits(t *testing.T) {
	row := func(v ...float32) heads.Matrix { return heads.Matrix{Rows: 1, Cols: len(v), Data: v} }
	for _, c := range []struct {
		y    heads.Targets
		z    heads.Matrix
		want float64
	}{
		{heads.Targets{Class: []int{1}, Classes: 3}, row(0, 2, 1), 1},
		{heads.Targets{Class: []int{0}, Classes: 3}, row(0, 2, 1), 0},
		{heads.Targets{Labels: row(1, 0, 1, 0)}, row(3, -1, -2, -4), 0.75},
		{heads.Targets{Values: row(2, 1)}, row(3, 4), -5},
	} {
		if got := merits(c.y, c.z); got[0] != c.want {
			t.Errorf("%v: %v, want %v", c.z.Data, got[0], c.want)
		}
	}
	if pairedBy[dataset.Values] == "" {
		t.Error("nothing is said of values")
	}
}
