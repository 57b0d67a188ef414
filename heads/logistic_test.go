package heads_test

import (
	"testing"

	"github.com/onnx-graft/graft/heads"
)

func TestLogisticReachesScikitLearnsOptimum(t *testing.T) {
	var g struct{ Logistic []logisticGolden }
	goldens(t, &g)
	for _, c := range g.Logistic {
		t.Run(c.Name, func(t *testing.T) {
			h := heads.Logistic{C: c.C, Tol: 1e-8, ClassWeight: heads.ClassWeight{Balanced: c.Balanced, Of: c.Of}}
			y := heads.Targets{Class: c.Y, Classes: c.Classes, Weights: float32s(c.Weights)}
			if err := h.Fit(t.Context(), c.X.matrix(), y); err != nil {
				t.Fatal(err)
			}
			near(t, "objective", h.Stats().Objective, c.Objective, 1e-6)
			got, err := h.Predict(c.X.matrix())
			if err != nil {
				t.Fatal(err)
			}
			nearMatrix(t, "logits", got, c.Logits, 1e-4)
		})
	}
}

func TestWeightsBeyondFloat32AreAnError(t *testing.T) {
	x, class := rows(60, 5, 3)
	y := heads.Targets{Class: class, Classes: 3}
	for _, h := range []heads.Head{
		&heads.Logistic{ClassWeight: heads.ClassWeight{Of: map[int]float64{1: 1e300}}},
		&heads.LinearSVM{ClassWeight: heads.ClassWeight{Of: map[int]float64{1: 1e300}}},
	} {
		if err := h.Fit(t.Context(), x, y); err == nil {
			z, err := h.Predict(x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range z.Data {
				if v-v != 0 {
					t.Fatalf("%T, row %d: %v", h, i/z.Cols, v)
				}
			}
		} else if _, err := h.Predict(x); err == nil {
			t.Errorf("%T: a failed fit left a head", h)
		}
	}
}
