package finetune

import (
	"math"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// labelSets is the goal of any number of labels an example: each has a logit of its own, whose sigmoid is its probability.
type labelSets struct{}

func (labelSets) problem() Problem { return MultiLabel }

func (labelSets) targets(examples []truth, labels []string, _ []place) (heads.Targets, error) {
	y := heads.Targets{Labels: heads.NewMatrix(len(examples), len(labels))}
	index := indexOf(labels)
	for i, e := range examples {
		for _, label := range e.labels {
			k, ok := index[label]
			if !ok {
				return y, e.unknownLabel(label)
			}
			y.Labels.Row(i)[k] = 1
		}
	}
	return y, nil
}

func (g labelSets) report(examples []truth, labels []string, rows []place, logits heads.Matrix) (metrics.Report, error) {
	y, err := g.targets(examples, labels, rows)
	if err != nil {
		return metrics.Report{}, err
	}
	return metrics.MultiLabel(labels, y.Labels, logits)
}

func (labelSets) probabilities(b *onnx.Builder, logits *onnx.Value) *onnx.Value {
	return b.Sigmoid(logits)
}

func (labelSets) alike(a, b []float32, tolerance float64) bool {
	for k := range b {
		if (a[k] > 0) != (b[k] > 0) && math.Abs(float64(b[k])) > tolerance {
			return false
		}
	}
	return true
}

func (labelSets) tell(p *Prediction, labels []string, _ []place, logits heads.Matrix) error {
	scores := make([]float64, len(labels))
	p.Labels = []string{}
	for k, z := range logits.Row(0) {
		scores[k] = 1 / (1 + math.Exp(-float64(z)))
		if z > 0 {
			p.Labels = append(p.Labels, labels[k])
		}
	}
	p.Scores = named(labels, scores)
	return nil
}
