package finetune

import (
	"cmp"
	"math"

	"github.com/onnx-graft/graft/heads"
)

// A rowScore is how wrong a head was about a row.
type rowScore struct {
	loss   float64 // cross-entropy, or squared error over the target's variance
	wrong  float64 // 1 where another class was predicted; for other tasks the loss again
	weight float64
	unit   int // rows of one unit are no independent evidence
}

// mostLoss bounds the cross-entropy of a row.
const mostLoss = 36

// scoreRows judges predictions of the held rows of a fold. scale multiplies logits.
func (f *fold) scoreRows(scores []rowScore, z heads.Matrix, weight []float64, scale float64) []rowScore {
	y := f.heldY
	task := y.Task()
	var variance []float64
	if task == heads.Regression {
		variance = variances(f.y.Values)
	}
	for i := range z.Rows {
		r := rowScore{weight: weight[i], unit: f.units[i]}
		switch row := z.Row(i); task {
		case heads.Classification:
			var best int
			r.loss, best = crossEntropy(row, y.Class[i], scale)
			if best != y.Class[i] {
				r.wrong = 1
			}
		case heads.MultiLabel:
			for k, v := range row {
				if y.Labels.Row(i)[k] == 1 {
					v = -v
				}
				r.loss += min(math.Log1p(math.Exp(-math.Abs(float64(v))))+max(0, float64(v)), mostLoss) / float64(len(row))
			}
			r.wrong = r.loss
		default:
			for k, v := range row {
				d := float64(v - y.Values.Row(i)[k])
				r.loss += d * d / variance[k] / float64(len(row))
			}
			r.wrong = r.loss
		}
		scores = append(scores, r)
	}
	return scores
}

// crossEntropy of the softmax of scaled logits, and the class predicted.
func crossEntropy(row []float32, class int, scale float64) (loss float64, best int) {
	for k, v := range row {
		if v > row[best] {
			best = k
		}
	}
	var total float64
	top := float64(row[best])
	for _, v := range row {
		total += math.Exp(scale * (float64(v) - top))
	}
	return min(math.Log(total)-scale*(float64(row[class])-top), mostLoss), best
}

// variances of the columns, 1 for one that is constant.
func variances(v heads.Matrix) []float64 {
	_, variance := moments(v)
	for k := range variance {
		variance[k] = cmp.Or(variance[k], 1)
	}
	return variance
}

// moments returns mean and variance of each column.
func moments(m heads.Matrix) (mean, variance []float64) {
	mean, variance = make([]float64, m.Cols), make([]float64, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			mean[j] += float64(v) / float64(m.Rows)
		}
	}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			variance[j] += (float64(v) - mean[j]) * (float64(v) - mean[j]) / float64(m.Rows)
		}
	}
	return mean, variance
}

// heldWeights are what the held rows count: their own weights times their classes', 0 for a class that there was nothing to
// learn of.
func (f *fold) heldWeights(c heads.ClassWeight) ([]float64, error) {
	w := make([]float64, f.heldX.Rows)
	for i := range w {
		w[i] = 1
		if f.heldY.Weights != nil {
			w[i] = float64(f.heldY.Weights[i])
		}
	}
	if f.heldY.Task() != heads.Classification {
		return w, nil
	}
	each, err := c.PerClass(f.y)
	if err != nil {
		return nil, err
	}
	seen := make([]bool, f.y.Classes)
	for _, k := range f.y.Class {
		seen[k] = true
	}
	for i, k := range f.heldY.Class {
		if !seen[k] {
			w[i] = 0
		} else if each != nil {
			w[i] *= each[k]
		}
	}
	return w, nil
}

// lossOf and wrongOf are what scores are compared by.
func lossOf(s rowScore) float64  { return s.loss }
func wrongOf(s rowScore) float64 { return s.wrong }

// mean returns the weighted mean of what of(scores[i]) is above of(than[i]), or above 0 where than is nil, with its
// standard error. Rows of a unit are one observation.
func mean(scores, than []rowScore, of func(rowScore) float64) (value, se float64) {
	type observation struct{ sum, weight float64 }
	place := map[int]int{}
	var all []observation
	var total observation
	for i, s := range scores {
		v := of(s)
		if than != nil {
			v -= of(than[i])
		}
		at, ok := place[s.unit]
		if !ok {
			at = len(all)
			place[s.unit] = at
			all = append(all, observation{})
		}
		all[at].sum += s.weight * v
		all[at].weight += s.weight
		total.sum += s.weight * v
		total.weight += s.weight
	}
	if total.weight == 0 {
		return 0, 0
	}
	value = total.sum / total.weight
	var square float64
	for _, o := range all {
		d := o.sum - value*o.weight
		square += d * d
	}
	return value, math.Sqrt(square) / total.weight
}
