package autodiff

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// A Loss appends a mean loss to a graph: from a head's N×K outputs and the targets it declares as a graph input, to one
// number of shape [1].
type Loss interface {
	// Append adds the loss's nodes and its targets as the input TargetInput, and returns the loss.
	Append(b *onnx.Builder, outputs *onnx.Value) (*onnx.Value, error)
}

// TargetInput is the name of the graph input that takes a batch's targets.
const TargetInput = "targets"

// CrossEntropy is softmax cross-entropy of N×K logits, averaged over rows by their weights. Its targets are an N×K
// matrix of probabilities: one-hot rows, smoothed or mixed as [CrossEntropy.Targets] makes them. A row of zeros counts
// nothing, which is how rows are ignored.
type CrossEntropy struct{}

// Append implements [Loss]: −Σ t·log softmax(z) / Σ t.
func (CrossEntropy) Append(b *onnx.Builder, outputs *onnx.Value) (*onnx.Value, error) {
	b = b.Scope("loss")
	targets := targetsLike(b, outputs)
	logs := b.Op("LogSoftmax", []*onnx.Value{outputs}, onnx.IntAttr("axis", -1))
	total := sumAll(b, b.Mul(logs, targets))
	return b.Div(b.Op("Neg", []*onnx.Value{total}), sumAll(b, targets)), b.Err()
}

// BinaryCrossEntropy is the cross-entropy of sigmoids of N×K logits with N×K targets of 0 to 1, averaged over all.
type BinaryCrossEntropy struct{}

// Append implements [Loss] in the form that does not overflow: softplus(z) − t·z.
func (BinaryCrossEntropy) Append(b *onnx.Builder, outputs *onnx.Value) (*onnx.Value, error) {
	b = b.Scope("loss")
	targets := targetsLike(b, outputs)
	return meanAll(b, b.Sub(b.Op("Softplus", []*onnx.Value{outputs}), b.Mul(targets, outputs))), b.Err()
}

// MeanSquaredError is the mean of the squared difference of N×T outputs and targets.
type MeanSquaredError struct{}

// Append implements [Loss].
func (MeanSquaredError) Append(b *onnx.Builder, outputs *onnx.Value) (*onnx.Value, error) {
	b = b.Scope("loss")
	d := b.Sub(outputs, targetsLike(b, outputs))
	return meanAll(b, b.Mul(d, d)), b.Err()
}

// CosineDistance is 1 − the cosine between each row of N×D outputs and of the targets, averaged over rows.
type CosineDistance struct{}

// Append implements [Loss].
func (CosineDistance) Append(b *onnx.Builder, outputs *onnx.Value) (*onnx.Value, error) {
	b = b.Scope("loss")
	targets := targetsLike(b, outputs)
	norms := b.Op("Sqrt", []*onnx.Value{b.Mul(rowSum(b, b.Mul(outputs, outputs)), rowSum(b, b.Mul(targets, targets)))})
	tiny := b.Const("epsilon", onnx.NewTensor("", []float32{1e-12}))
	cosine := b.Div(rowSum(b, b.Mul(outputs, targets)), b.Add(norms, tiny))
	one := b.Const("one", onnx.NewTensor("", []float32{1}))
	return meanAll(b, b.Sub(one, cosine)), b.Err()
}

// Targets writes classes (0 to k−1, −1 for a row to be ignored) as the N×K matrix [CrossEntropy] takes. smoothing, 0 to 1, is
// spread evenly over all classes (Szegedy et al., arXiv:1512.00567); weights, nil for 1 each, say what a row of each
// class counts. A class out of range is an error naming the row.
func (CrossEntropy) Targets(classes []int, k int, smoothing float64, weights []float64) (*onnx.Tensor, error) {
	data := make([]float32, len(classes)*k)
	for i, c := range classes {
		if c == -1 {
			continue
		}
		if c < 0 || c >= k {
			return nil, fmt.Errorf("autodiff: row %d: its class is %d, want 0 to %d, or -1 to ignore it", i, c, k-1)
		}
		weight := 1.0
		if weights != nil {
			weight = weights[c]
		}
		row := data[i*k : (i+1)*k]
		for j := range row {
			row[j] = float32(weight * smoothing / float64(k))
		}
		row[c] += float32(weight * (1 - smoothing))
	}
	return onnx.NewTensor(TargetInput, data, int64(len(classes)), int64(k)), nil
}

// targetsLike declares the targets, of the outputs' shape.
func targetsLike(b *onnx.Builder, outputs *onnx.Value) *onnx.Value {
	shape := outputs.Shape
	if len(shape) != 2 {
		shape = onnx.Shape{onnx.Param("batch"), onnx.Param("outputs")}
	}
	return b.Input(TargetInput, onnx.Float32, shape...)
}

// sumAll adds up all elements of a matrix, to shape [1].
func sumAll(b *onnx.Builder, v *onnx.Value) *onnx.Value {
	return b.Reshape(b.ReduceSum(v, true, 0, 1), 1)
}

// meanAll averages all elements of a matrix, to shape [1].
func meanAll(b *onnx.Builder, v *onnx.Value) *onnx.Value {
	return b.Reshape(b.ReduceMean(v, true, 0, 1), 1)
}

// rowSum adds up each row of a matrix, to N×1.
func rowSum(b *onnx.Builder, v *onnx.Value) *onnx.Value { return b.ReduceSum(v, true, 1) }
