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

// TestDeadColumns: a column of numbers too small to mean anything gets no weight, however well it would tell classes apart.
func TestDeadColumns(t *testing.T) {
	x, class := heads.NewMatrix(40, 2), make([]int, 40)
	for i := range class {
		class[i] = i % 2
		x.Row(i)[0] = float32(i%7) / 7
		x.Row(i)[1] = 1e-31 * float32(i%2)
	}
	h := &heads.Logistic{}
	if err := h.Fit(t.Context(), x, heads.Targets{Class: class, Classes: 2}); err != nil {
		t.Fatal(err)
	}
	if w := h.Linear().Weight; w.Row(0)[1] != 0 || w.Row(1)[1] != 0 || w.Row(0)[0] == 0 {
		t.Errorf("weights %v", w.Data)
	}
}
