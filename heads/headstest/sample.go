package headstest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// A sample is features and targets that a head can learn well but not perfectly.
type sample struct {
	task heads.Task
	x    heads.Matrix
	y    heads.Targets
}

// draw returns n rows of d features, with k classes, labels or values. The same arguments draw the same sample.
func draw(task heads.Task, n, d, k int) sample {
	r := rand.New(rand.NewPCG(uint64(n), uint64(d*100+k)))
	normal := func() float32 { return float32(r.NormFloat64()) }
	s := sample{task: task, x: heads.NewMatrix(n, d)}
	for i := range s.x.Data {
		s.x.Data[i] = normal()
	}
	switch task {
	case heads.MultiLabel:
		s.y.Labels = heads.NewMatrix(n, k)
	case heads.Regression:
		s.y.Values = heads.NewMatrix(n, k)
	default:
		s.y.Class, s.y.Classes = make([]int, n), k
	}
	for i := range n {
		row := s.x.Row(i)
		for j := range k {
			switch task {
			case heads.MultiLabel:
				if r.IntN(2) == 0 {
					s.y.Labels.Row(i)[j] = 1
					row[j] += 4
				}
			case heads.Regression:
				s.y.Values.Row(i)[j] = 2*row[j] - row[(j+1)%d] + 5 + 0.2*normal()
			}
		}
		if task == heads.Classification {
			s.y.Class[i] = i % k
			row[i%k] += 4
		}
		for j := range row { // columns of unequal scale, some correlated
			row[j] = float32(j%3+1)*row[j] + 0.3*row[0] - float32(j)
		}
	}
	return s
}

func (s sample) clone() sample {
	s.x.Data = slices.Clone(s.x.Data)
	s.y.Class = slices.Clone(s.y.Class)
	s.y.Labels.Data = slices.Clone(s.y.Labels.Data)
	s.y.Values.Data = slices.Clone(s.y.Values.Data)
	s.y.Weights = slices.Clone(s.y.Weights)
	return s
}

// score is the share of classes or labels that are right, or R².
func (s sample) score(z heads.Matrix) float64 {
	switch s.task {
	case heads.MultiLabel:
		right := 0
		for i, v := range z.Data {
			if (v > 0) == (s.y.Labels.Data[i] == 1) {
				right++
			}
		}
		return float64(right) / float64(len(z.Data))
	case heads.Regression:
		return s.determination(z)
	}
	right := 0
	for i, c := range s.y.Class {
		if row := z.Row(i); slices.Index(row, slices.Max(row)) == c {
			right++
		}
	}
	return float64(right) / float64(z.Rows)
}

func (s sample) determination(z heads.Matrix) float64 {
	mean := make([]float64, z.Cols)
	for i := range z.Rows {
		for j, v := range s.y.Values.Row(i) {
			mean[j] += float64(v) / float64(z.Rows)
		}
	}
	var wrong, total float64
	for i, v := range z.Data {
		y := float64(s.y.Values.Data[i])
		wrong += (y - float64(v)) * (y - float64(v))
		total += (y - mean[i%z.Cols]) * (y - mean[i%z.Cols])
	}
	return 1 - wrong/total
}

// close compares with a tolerance relative to the larger of 1 and the matrix's largest element.
func close(t *testing.T, what string, got, want heads.Matrix, tolerance float64) {
	t.Helper()
	if got.Rows != want.Rows || got.Cols != want.Cols {
		t.Fatalf("%s: %d×%d, want %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	scale := 1.0
	for _, v := range want.Data {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i, v := range got.Data {
		if d := math.Abs(float64(v - want.Data[i])); !(d <= tolerance*scale) {
			t.Fatalf("%s: row %d column %d: %v, want %v", what, i/got.Cols, i%got.Cols, v, want.Data[i])
		}
	}
}
