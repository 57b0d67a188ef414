package finetune

import (
	"cmp"
	"math"
	"slices"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// A lesson is what a backbone is trained to answer: a loss, the targets it takes, and a score of answers.
type lesson struct {
	loss    autodiff.Loss
	targets func(rows []int) (*onnx.Tensor, error) // rows count through training and then validation examples
	score   func(answers heads.Matrix) float64     // of the validation examples; higher is better

	// Numbers are learned as (v − center) / scale, so that a rate suits any unit; both are nil for classes.
	center, scale []float64
}

// newLesson returns the lesson of training and validation targets: cross-entropy of classes, binary cross-entropy of labels,
// squared error of numbers.
func newLesson(train, validation heads.Targets, classes int, smoothing float64, weights []float64) lesson {
	switch train.Task() {
	case heads.MultiLabel:
		return lesson{
			loss:    autodiff.BinaryCrossEntropy{},
			targets: targetRows(slices.Concat(train.Labels.Data, validation.Labels.Data), train.Labels.Cols, smoothing/2, 1-smoothing),
			score:   func(answers heads.Matrix) float64 { return -binaryLoss(answers, validation.Labels) },
		}
	case heads.Regression:
		l := lesson{loss: autodiff.MeanSquaredError{}}
		scaled := heads.NewMatrix(train.Values.Rows+validation.Values.Rows, train.Values.Cols)
		copy(scaled.Data, train.Values.Data)
		copy(scaled.Data[len(train.Values.Data):], validation.Values.Data)
		l.center, l.scale = moments(train.Values)
		for j, variance := range l.scale {
			l.scale[j] = math.Sqrt(cmp.Or(variance, 1)) // a constant has none
		}
		for i := range scaled.Data {
			j := i % scaled.Cols
			scaled.Data[i] = float32((float64(scaled.Data[i]) - l.center[j]) / l.scale[j])
		}
		held := scaled.Data[len(train.Values.Data):]
		l.targets = targetRows(scaled.Data, scaled.Cols, 0, 1)
		l.score = func(answers heads.Matrix) float64 { return -squaredLoss(answers.Data, held) }
		return l
	}
	class := slices.Concat(train.Class, validation.Class)
	return lesson{
		loss: autodiff.CrossEntropy{},
		targets: func(rows []int) (*onnx.Tensor, error) {
			of := make([]int, len(rows))
			for i, r := range rows {
				of[i] = class[r]
			}
			return autodiff.CrossEntropy{}.Targets(of, classes, smoothing, weights)
		},
		score: func(answers heads.Matrix) float64 { return -logLoss(answers, validation.Class) },
	}
}

// targetRows gives rows of a matrix as targets, each number v as low + v·span.
func targetRows(data []float32, cols int, low, span float64) func(rows []int) (*onnx.Tensor, error) {
	return func(rows []int) (*onnx.Tensor, error) {
		out := make([]float32, 0, len(rows)*cols)
		for _, r := range rows {
			for _, v := range data[r*cols : (r+1)*cols] {
				out = append(out, float32(low+span*float64(v)))
			}
		}
		return onnx.NewTensor(autodiff.TargetInput, out, int64(len(rows)), int64(cols)), nil
	}
}

// learned returns the head as it is trained, and answered the head of what was trained: they undo each other.
func (l lesson) learned(h *heads.Linear) *heads.Linear {
	return l.affine(h, func(v float64, j int) float64 { return v / l.scale[j] }, func(v float64, j int) float64 { return (v - l.center[j]) / l.scale[j] })
}

func (l lesson) answered(h *heads.Linear) *heads.Linear {
	return l.affine(h, func(v float64, j int) float64 { return v * l.scale[j] }, func(v float64, j int) float64 { return v*l.scale[j] + l.center[j] })
}

func (l lesson) affine(h *heads.Linear, weight, bias func(v float64, j int) float64) *heads.Linear {
	if l.scale == nil {
		return h
	}
	out := &heads.Linear{Weight: heads.NewMatrix(h.Weight.Rows, h.Weight.Cols), Bias: make([]float32, len(h.Bias))}
	for j := range out.Bias {
		out.Bias[j] = float32(bias(float64(h.Bias[j]), j))
		for i, v := range h.Weight.Row(j) {
			out.Weight.Row(j)[i] = float32(weight(float64(v), j))
		}
	}
	return out
}

// logLoss is the mean cross-entropy of the rows' classes.
func logLoss(logits heads.Matrix, class []int) float64 {
	var sum float64
	for i, k := range class {
		sum -= math.Log(max(softmax(logits.Row(i))[k], 1e-300))
	}
	return sum / float64(len(class))
}

// binaryLoss is the mean cross-entropy of the sigmoids of logits.
func binaryLoss(logits, labels heads.Matrix) float64 {
	var sum float64
	for i, z := range logits.Data {
		z := float64(z)
		sum += max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - z*float64(labels.Data[i])
	}
	return sum / float64(len(logits.Data))
}

// squaredLoss is the mean squared difference.
func squaredLoss(answers, values []float32) float64 {
	var sum float64
	for i, v := range answers {
		d := float64(v) - float64(values[i])
		sum += d * d
	}
	return sum / float64(len(answers))
}
