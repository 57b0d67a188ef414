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
