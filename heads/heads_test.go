package heads_test

import (
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/heads/headstest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

func TestHeadsKeepTheContract(t *testing.T) {
	rt := orttest.Open(t)
	for _, c := range []struct {
		name    string
		task    heads.Task
		newHead func() heads.Head
	}{
		{"Logistic", heads.Classification, func() heads.Head { return &heads.Logistic{} }},
		{"Linear", heads.Classification, func() heads.Head { return &heads.Linear{} }},
		{"Logistic balanced", heads.Classification, func() heads.Head {
			return &heads.Logistic{C: 0.3, ClassWeight: heads.ClassWeight{Balanced: true}, Smoothing: 0.1}
		}},
		{"MultiLabelLogistic", heads.MultiLabel, func() heads.Head { return &heads.MultiLabelLogistic{} }},
		{"MultiLabelLogistic balanced", heads.MultiLabel, func() heads.Head { return &heads.MultiLabelLogistic{C: 5, Balanced: true} }},
		{"LinearSVM", heads.Classification, func() heads.Head { return &heads.LinearSVM{} }},
		{"LinearSVM scaled", heads.Classification, func() heads.Head { return &heads.LinearSVM{C: 0.1, Scale: 2.5} }},
		{"Ridge", heads.Regression, func() heads.Head { return &heads.Ridge{} }},
		{"Ridge of one α", heads.Regression, func() heads.Head { return &heads.Ridge{Alpha: 3} }},
		{"RidgeClassifier", heads.Classification, func() heads.Head { return &heads.RidgeClassifier{} }},
		{"RidgeClassifier scaled", heads.Classification, func() heads.Head { return &heads.RidgeClassifier{Scale: 3} }},
		{"Centroid", heads.Classification, func() heads.Head { return &heads.Centroid{} }},
		{"Centroid by cosine", heads.Classification, func() heads.Head { return &heads.Centroid{Metric: heads.Cosine} }},
		{"KNN", heads.Classification, func() heads.Head { return &heads.KNN{K: 1} }},
		{"KNN by cosine, by nearness", heads.Classification, func() heads.Head { return &heads.KNN{K: 7, Metric: heads.Cosine, Temperature: 0.07} }},
		{"KNN of labels", heads.MultiLabel, func() heads.Head { return &heads.KNN{} }},
		{"KNN of values", heads.Regression, func() heads.Head { return &heads.KNN{K: 3, Temperature: 0.05} }},
		{"MLP", heads.Classification, func() heads.Head { return &heads.MLP{Rate: 1e-2, Hidden: []int{24}} }},
		{"MLP of two layers", heads.Classification, func() heads.Head {
			return &heads.MLP{Hidden: []int{32, 16}, Activation: heads.ReLU, Dropout: 0.1, Rate: 1e-2, Seed: 3}
		}},
		{"MLP of labels", heads.MultiLabel, func() heads.Head { return &heads.MLP{Rate: 1e-2, Hidden: []int{24}} }},
		{"MLP of values", heads.Regression, func() heads.Head { return &heads.MLP{Rate: 1e-2, Hidden: []int{24}} }},
	} {
		t.Run(c.name, func(t *testing.T) { headstest.Run(t, rt, c.task, c.newHead) })
	}
}
