package heads_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// linearGolden is an optimum of scikit-learn's for a head that has one closed best answer.
type linearGolden struct {
	Name         string
	X            wide
	Y            []int
	Classes      int
	Labels       wide
	Values       wide
	Weights      []float64
	Balanced     bool
	Of           map[int]float64
	C            float64
	Alpha        float64
	Objective    float64
	Logits       wide
	Predicted    wide
	PredictedOne wide `json:"predicted_one"`
}

// checkFit fits h and compares what it predicts of its own rows.
func checkFit(t *testing.T, h heads.Head, x heads.Matrix, y heads.Targets, want wide, tolerance float64) {
	t.Helper()
	if err := h.Fit(t.Context(), x, y); err != nil {
		t.Fatal(err)
	}
	got, err := h.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	nearMatrix(t, "predictions", got, want, tolerance)
}

func TestMultiLabelReachesScikitLearnsOptimum(t *testing.T) {
	var g struct{ Multilabel []linearGolden }
	goldens(t, &g)
	for _, c := range g.Multilabel {
		t.Run(c.Name, func(t *testing.T) {
			h := heads.MultiLabelLogistic{C: c.C, Tol: 1e-8, Balanced: c.Balanced}
			checkFit(t, &h, c.X.matrix(), heads.Targets{Labels: c.Labels.matrix()}, c.Logits, 1e-4)
			near(t, "objective", h.Stats().Objective, c.Objective, 1e-6)
		})
	}
}

func TestLinearSVMReachesLiblinearsOptimum(t *testing.T) {
	var g struct{ SVM []linearGolden }
	goldens(t, &g)
	for _, c := range g.SVM {
		t.Run(c.Name, func(t *testing.T) {
			h := heads.LinearSVM{C: c.C, Tol: 1e-8, ClassWeight: heads.ClassWeight{Of: c.Of}}
			checkFit(t, &h, c.X.matrix(), heads.Targets{Class: c.Y, Classes: c.Classes, Weights: float32s(c.Weights)}, c.Logits, 1e-4)
			near(t, "objective", h.Stats().Objective, c.Objective, 1e-6)
		})
	}
}

func TestRidgeAgreesWithRidgeCV(t *testing.T) {
	var g struct{ Ridge []linearGolden }
	goldens(t, &g)
	for _, c := range g.Ridge {
		t.Run(c.Name, func(t *testing.T) {
			y := heads.Targets{Values: c.Values.matrix(), Weights: float32s(c.Weights)}
			var h heads.Ridge
			checkFit(t, &h, c.X.matrix(), y, c.Predicted, 1e-5)
			if h.Chosen() != c.Alpha {
				t.Errorf("α is %v, want %v", h.Chosen(), c.Alpha)
			}
			lowest := slices.MinFunc(h.Curve(), func(a, b heads.LeftOut) int { return cmp.Compare(a.Mean, b.Mean) })
			if lowest.Alpha != c.Alpha || !(lowest.SE > 0) {
				t.Errorf("the curve's best is %+v, want α %v", lowest, c.Alpha)
			}
			checkFit(t, &heads.Ridge{Alpha: 2.5}, c.X.matrix(), y, c.PredictedOne, 1e-5)
		})
	}
}

func TestRidgeClassifierAgreesWithRidgeClassifierCV(t *testing.T) {
	var g struct {
		RidgeClassifier []linearGolden `json:"ridge_classifier"`
	}
	goldens(t, &g)
	for _, c := range g.RidgeClassifier {
		t.Run(c.Name, func(t *testing.T) {
			h := heads.RidgeClassifier{ClassWeight: heads.ClassWeight{Balanced: c.Balanced, Of: c.Of}}
			checkFit(t, &h, c.X.matrix(), heads.Targets{Class: c.Y, Classes: c.Classes, Weights: float32s(c.Weights)}, c.Logits, 1e-5)
			if h.Chosen() != c.Alpha {
				t.Errorf("α is %v, want %v", h.Chosen(), c.Alpha)
			}
		})
	}
}
