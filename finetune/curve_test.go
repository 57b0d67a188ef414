package finetune

import (
	"context"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

func TestLearningCurve(t *testing.T) {
	x, y := blobs(400, 30, 4, 3, 1)
	s := ProbeSettings{C: 0.1, Seed: 5}
	c, err := Learn(context.Background(), x, y, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Points) != 5 || c.Points[0].Rows != 20 || c.Points[4].Rows != 320 || c.Metric != "eval_accuracy" {
		t.Fatalf("%+v", c)
	}
	if c.Points[4].Mean < c.Points[0].Mean+0.1 || c.Exponent <= 0 || !strings.HasPrefix(c.Advice, "more labels would help") {
		t.Errorf("%+v", c)
	}
	procs := runtime.GOMAXPROCS(1)
	again, err := Learn(context.Background(), x, y, s)
	runtime.GOMAXPROCS(procs)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("on one core %+v, %v", again, err)
	}
	noise := heads.Targets{Class: make([]int, 400), Classes: 2}
	for i := range noise.Class {
		noise.Class[i] = i * 7 / 3 % 2
	}
	if c, err = Learn(context.Background(), x, noise, s); err != nil || !strings.HasPrefix(c.Advice, "more labels would hardly help") {
		t.Errorf("of noise it says %+v, %v", c, err)
	}
}

func TestForecastFollowsAPowerLaw(t *testing.T) {
	var c LearningCurve
	for n := 10; n <= 1000; n *= 3 {
		c.Points = append(c.Points, LearningPoint{Rows: n, Mean: 1 - 0.8*math.Pow(float64(n), -0.3)})
	}
	c.forecast(1000)
	if math.Abs(c.Exponent-0.3) > 1e-9 || math.Abs(c.Factor-0.8) > 1e-9 {
		t.Errorf("%+v", c)
	}
}

func TestPartsOfACurveAreNestedAndInProportion(t *testing.T) {
	y := heads.Targets{Class: make([]int, 300), Classes: 3}
	for i := range y.Class {
		y.Class[i] = min(i%6, 2) // a sixth, a sixth, two thirds
	}
	order := proportional(y, allIndices(300), 1)
	for _, n := range []int{30, 150, 300} {
		count := make([]int, 3)
		for _, i := range order[:n] {
			count[y.Class[i]]++
		}
		for k, share := range []float64{1. / 6, 1. / 6, 2. / 3} {
			if math.Abs(float64(count[k])-share*float64(n)) > 2 {
				t.Errorf("of %d rows %v are of the classes", n, count)
			}
		}
	}
	slices.Sort(order)
	if !slices.Equal(order, allIndices(300)) {
		t.Error("rows were lost")
	}
}
