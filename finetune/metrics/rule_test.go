package metrics

import (
	"errors"
	"fmt"
	"math"
	"os"
	"testing"
)

// testdata/decisions.json was written by testdata/decisions.py.
func TestDecisionsAgreeWithScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/decisions.json")
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range decode[[]struct {
		Kind      string
		Truth     []int
		Rows      wide
		Logits    wide
		Threshold []float64
		Abstain   float64
		Metrics   map[string]float64
	}](t, data) {
		t.Run(fmt.Sprint(i, " ", g.Kind), func(t *testing.T) {
			s := Settings{Resamples: -1, Rule: Rule{Threshold: g.Threshold, Abstain: g.Abstain}}
			var r Report
			var err error
			if g.Kind == "labels" {
				r, err = s.MultiLabel(names(g.Logits.Cols), g.Rows.matrix(), g.Logits.matrix())
			} else {
				r, err = s.Classification(names(g.Logits.Cols), g.Truth, g.Logits.matrix())
			}
			if err != nil {
				t.Fatal(err)
			}
			compareMetrics(t, r, g.Metrics)
		})
	}
}

func TestRulesThatFitNothingAreRefused(t *testing.T) {
	truth, z := draws(20, 3)
	pairs, two := draws(20, 2)
	for _, c := range []struct {
		rule Rule
		k    int
	}{
		{Rule{Threshold: []float64{0.3}}, 3}, {Rule{Threshold: []float64{0.3, 0.4}}, 2}, {Rule{Threshold: []float64{1}}, 2},
		{Rule{Threshold: []float64{math.NaN()}}, 2}, {Rule{Abstain: 1}, 3}, {Rule{Abstain: -0.1}, 2},
	} {
		y, x := truth, z
		if c.k == 2 {
			y, x = pairs, two
		}
		_, err := Settings{Rule: c.rule}.Classification(names(c.k), y, x)
		var rows *RowsError
		if !errors.As(err, &rows) {
			t.Errorf("%+v for %d classes: %v", c.rule, c.k, err)
		}
	}
	if err := (Rule{Threshold: []float64{0.1, 0.2}}).Check(3, true); err == nil {
		t.Error("two thresholds for three labels were accepted")
	}
	if err := (Rule{Abstain: 0.5}).Check(3, true); err == nil {
		t.Error("abstention from labels was accepted")
	}
}

func TestDifferenceIsPaired(t *testing.T) {
	a, b := make([]float64, 400), make([]float64, 400)
	for i := range a { // b is wrong where a is, and in five rows more
		if i%2 == 0 {
			a[i] = 1
		}
		if b[i] = a[i]; i%80 == 0 {
			b[i] = 0
		}
	}
	d, interval, err := Settings{Seed: 1}.Difference(a, b)
	if err != nil || math.Abs(d-5.0/400) > 1e-12 {
		t.Fatal(d, err)
	}
	if interval.Low <= 0 || interval.High > 0.03 {
		t.Errorf("%v: each alone has an interval of ±0.05, the difference a small one", interval)
	}
	if _, _, err := (Settings{}).Difference(a, b[:3]); err == nil {
		t.Error("rows that are not pairs were accepted")
	}
}
