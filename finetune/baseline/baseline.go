// Package baseline answers without a backbone: by what is commonest, by the words of a text, by a few plain numbers of an
// input. Whoever ships a backbone should know what these come to on the same rows.
package baseline

import (
	"math"

	"github.com/onnx-graft/graft/heads"
)

// Constant answers every one of n rows alike, with what is best known of the training targets: the logarithm of each
// class's share, the log odds of each label's share, the mean of each value. The class it predicts is the commonest.
func Constant(y heads.Targets, n int) heads.Matrix {
	k := y.Outputs()
	row := make([]float64, k)
	total := float64(max(y.Rows(), 1))
	switch y.Task() {
	case heads.Classification:
		for _, class := range y.Class {
			row[class]++
		}
		for j, count := range row {
			row[j] = math.Log(max(count, 0.5) / total)
		}
	case heads.MultiLabel:
		for j, mean := range means(y.Labels) {
			p := min(max(mean, 0.5/total), 1-0.5/total)
			row[j] = math.Log(p / (1 - p))
		}
	default:
		row = means(y.Values)
	}
	out := heads.NewMatrix(n, k)
	for i := range n {
		for j, v := range row {
			out.Row(i)[j] = float32(v)
		}
	}
	return out
}

// means returns the mean of each column.
func means(m heads.Matrix) []float64 {
	mean := make([]float64, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			mean[j] += float64(v) / float64(m.Rows)
		}
	}
	return mean
}
