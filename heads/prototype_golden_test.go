package heads_test

import (
	"math"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

type prototypeGolden struct {
	Name       string
	X, Held    wide
	Y          []int
	Classes    int
	Values     wide
	Euclidean  []int
	HeldY      []int `json:"held_y"`
	Cosine     wide
	KNN        wide
	KNNCosine  wide `json:"knn_cosine"`
	KNNValues  wide `json:"knn_values"`
	classified heads.Targets
}

func prototypes(t *testing.T) []prototypeGolden {
	t.Helper()
	var g struct{ Prototypes []prototypeGolden }
	goldens(t, &g)
	for i := range g.Prototypes {
		g.Prototypes[i].classified = heads.Targets{Class: g.Prototypes[i].Y, Classes: g.Prototypes[i].Classes}
	}
	return g.Prototypes
}

// held fits h and predicts the rows held out.
func held(t *testing.T, h heads.Head, c prototypeGolden, y heads.Targets) heads.Matrix {
	t.Helper()
	if err := h.Fit(t.Context(), c.X.matrix(), y); err != nil {
		t.Fatal(err)
	}
	z, err := h.Predict(c.Held.matrix())
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestCentroidAgreesWithNearestCentroid(t *testing.T) {
	for _, c := range prototypes(t) {
		t.Run(c.Name, func(t *testing.T) {
			z := held(t, &heads.Centroid{}, c, c.classified)
			for i, want := range c.Euclidean {
				best := 0
				for k, v := range z.Row(i) {
					if v > z.Row(i)[best] {
						best = k
					}
				}
				if best != want {
					t.Errorf("row %d: class %d, want %d", i, best, want)
				}
			}
			nearMatrix(t, "cosines", held(t, &heads.Centroid{Metric: heads.Cosine, Scale: 1}, c, c.classified), c.Cosine, 1e-5)
		})
	}
}

// shares undoes the logarithm of KNN's logits.
func shares(z heads.Matrix) heads.Matrix {
	for i, v := range z.Data {
		z.Data[i] = float32(math.Exp(float64(v)) - 1e-3)
	}
	return z
}

func TestKNNAgreesWithScikitLearn(t *testing.T) {
	for _, c := range prototypes(t) {
		t.Run(c.Name, func(t *testing.T) {
			nearMatrix(t, "shares", shares(held(t, &heads.KNN{K: 7}, c, c.classified)), c.KNN, 1e-6)
			nearMatrix(t, "shares by cosine", shares(held(t, &heads.KNN{K: 4, Metric: heads.Cosine}, c, c.classified)), c.KNNCosine, 1e-6)
			nearMatrix(t, "values", held(t, &heads.KNN{K: 3}, c, heads.Targets{Values: c.Values.matrix()}), c.KNNValues, 1e-5)
		})
	}
}

// The scale a Centroid chooses makes held-out rows likelier than a tenth or ten times of it does.
func TestCentroidChoosesAScaleThatFits(t *testing.T) {
	for _, metric := range []heads.Metric{heads.Euclidean, heads.Cosine} {
		c := prototypes(t)[0]
		var h heads.Centroid
		h.Metric = metric
		best := logLoss(held(t, &h, c, c.classified), c.HeldY)
		for _, factor := range []float64{0.1, 10} {
			other := heads.Centroid{Metric: metric, Scale: factor * h.Chosen()}
			if l := logLoss(held(t, &other, c, c.classified), c.HeldY); l < best {
				t.Errorf("%s: scale %g loses %.4f, %g times that %.4f", metric, h.Chosen(), best, factor, l)
			}
		}
	}
}

func logLoss(z heads.Matrix, class []int) float64 {
	var sum float64
	for i, k := range class {
		var total float64
		for _, v := range z.Row(i) {
			total += math.Exp(float64(v - z.Row(i)[k]))
		}
		sum += math.Log(total)
	}
	return sum / float64(len(class))
}
