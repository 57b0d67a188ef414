package finetune

import (
	"fmt"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// A Problem is what a model's logits mean, in the words of transformers' config.json.
type Problem string

const (
	SingleLabel Problem = "single_label_classification"
	MultiLabel  Problem = "multi_label_classification"
	Regression  Problem = "regression"
)

// A goal is what a head is taught of one kind of target, and how its answers are read. What it knows nothing of is where
// rows of features come from: that is a [form]. Rows have as many answers as there are labels.
type goal interface {
	// problem is what config.json says.
	problem() Problem
	// targets are what rows of features should be mapped to.
	targets(examples []truth, labels []string, rows []place) (heads.Targets, error)
	// report judges answers.
	report(examples []truth, labels []string, rows []place, answers heads.Matrix) (metrics.Report, error)
	// probabilities appends nodes that make probabilities, N×K or N×L×K, of logits; nil where there are none.
	probabilities(b *onnx.Builder, logits *onnx.Value) *onnx.Value
	// alike tells whether two answers for a row decide alike, ties within the tolerance aside.
	alike(a, b []float32, tolerance float64) bool
	// tell puts the answer for one example into a prediction: a row for each word of the example that has one.
	tell(p *Prediction, labels []string, rows []place, answers heads.Matrix) error
}

// goals are the goals by target.
var goals = map[dataset.Target]goal{
	dataset.Classes: classes{}, dataset.Labels: labelSets{}, dataset.Values: values{}, dataset.Tags: tags{},
}

func goalOf(target dataset.Target) (goal, error) {
	g, ok := goals[target]
	if !ok {
		return nil, fmt.Errorf("finetune: targets of the kind %q cannot be learned", target)
	}
	return g, nil
}

// A truth is what an example should be answered with.
type truth struct {
	id     string
	label  string
	labels []string
	value  float64
	words  []dataset.Word
}

func truths[T any](examples []dataset.Example[T]) []truth {
	out := make([]truth, len(examples))
	for i, e := range examples {
		out[i] = truth{e.ID, e.Label, e.Labels, e.Value, e.Words}
	}
	return out
}

// unknownLabel says that an example has a label that there is no class for.
func (t truth) unknownLabel(label string) error {
	return &dataset.RowError{File: t.id, Err: fmt.Errorf("%w: the model has no class %q", dataset.ErrUnknownLabel, label)}
}

// indexOf returns the place of each label.
func indexOf(labels []string) map[string]int {
	index := make(map[string]int, len(labels))
	for k, label := range labels {
		index[label] = k
	}
	return index
}
