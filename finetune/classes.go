package finetune

import (
	"math"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// classes is the goal of one class an example.
type classes struct{}

func (classes) problem() Problem { return SingleLabel }

func (classes) targets(examples []truth, labels []string, _ []place) (heads.Targets, error) {
	y := heads.Targets{Class: make([]int, len(examples)), Classes: len(labels)}
	index := indexOf(labels)
	for i, e := range examples {
		k, ok := index[e.label]
		if !ok {
			return y, e.unknownLabel(e.label)
		}
		y.Class[i] = k
	}
	return y, nil
}

func (g classes) report(examples []truth, labels []string, rows []place, logits heads.Matrix) (metrics.Report, error) {
	y, err := g.targets(examples, labels, rows)
	if err != nil {
		return metrics.Report{}, err
	}
	return metrics.Classification(labels, y.Class, logits)
}

func (classes) probabilities(b *onnx.Builder, logits *onnx.Value) *onnx.Value {
	return b.Softmax(logits, -1)
}

func (classes) alike(a, b []float32, tolerance float64) bool {
	i, j := argmax(a), argmax(b)
	return i == j || math.Abs(float64(b[j])-float64(b[i])) <= tolerance
}

func (classes) tell(p *Prediction, labels []string, _ []place, logits heads.Matrix) error {
	row := logits.Row(0)
	scores := softmax(row)
	best := argmax(row)
	p.Label, p.Score, p.Scores = labels[best], scores[best], named(labels, scores)
	return nil
}

// named returns scores by label.
func named(labels []string, scores []float64) map[string]float64 {
	out := make(map[string]float64, len(labels))
	for k, label := range labels {
		out[label] = scores[k]
	}
	return out
}
