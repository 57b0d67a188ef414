package finetune

import (
	"fmt"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// values is the goal of a number an example. The logits are the numbers.
type values struct{}

func (values) problem() Problem { return Regression }

func (values) targets(examples []truth, _ []string, _ []place) (heads.Targets, error) {
	y := heads.Targets{Values: heads.NewMatrix(len(examples), 1)}
	for i, e := range examples {
		v := float32(e.value)
		if v-v != 0 {
			return y, &dataset.RowError{File: e.id, Err: fmt.Errorf("%w: %g", dataset.ErrNumber, e.value)}
		}
		y.Values.Data[i] = v
	}
	return y, nil
}

func (g values) report(examples []truth, labels []string, rows []place, answers heads.Matrix) (metrics.Report, error) {
	y, err := g.targets(examples, labels, rows)
	if err != nil {
		return metrics.Report{}, err
	}
	return metrics.Regression(y.Values, answers)
}

func (values) probabilities(*onnx.Builder, *onnx.Value) *onnx.Value { return nil }

func (values) alike(_, _ []float32, _ float64) bool { return true }

func (values) tell(p *Prediction, _ []string, _ []place, answers heads.Matrix) error {
	p.Value = new(float64(answers.Row(0)[0]))
	return nil
}
