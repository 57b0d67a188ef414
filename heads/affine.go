package heads

import (
	"context"
	"math"

	"github.com/onnx-graft/graft/onnx"
)

// An affine is a fitted map of features to outputs, (x − shift)·Wᵀ + b, that knows how to compute and write itself.
type affine struct {
	cols, outs int
	weight     []float32 // K×D
	bias       []float32 // K
	shift      []float32 // D; nil: nothing is subtracted
}

// shiftAbove is the rounding error of a float32 Gemm, estimated, from which the mean is subtracted before it.
const shiftAbove = 1e-5

// newAffine folds the standardisation s into weights w (K×D) and b (K) that were fitted on standardised features.
//
// Where some feature lies many standard deviations from 0, W·x and b are large and cancel, which float32 does not bear:
// then a Sub of the mean goes before the Gemm.
func newAffine(s *scaling, w, b []float64) *affine {
	d, k := len(s.mean), len(b)
	a := &affine{cols: d, outs: k, weight: make([]float32, k*d), bias: make([]float32, k)}
	shift, rounding := make([]float32, d), 0.0
	for j, m := range s.mean {
		shift[j] = float32(m)
	}
	for i := range k {
		offset, square := b[i], 0.0
		for j := range d {
			v := w[i*d+j] * s.inv[j]
			a.weight[i*d+j] = float32(v)
			offset -= float64(a.weight[i*d+j]) * s.mean[j]
			square += v * s.mean[j] * v * s.mean[j]
		}
		a.bias[i] = float32(offset)
		rounding = max(rounding, math.Sqrt(square)/(1<<23), math.Abs(offset-b[i])/(1<<23))
	}
	if rounding <= shiftAbove {
		return a
	}
	a.shift = shift
	for i := range k {
		offset := b[i]
		for j := range d {
			offset -= float64(a.weight[i*d+j]) * (s.mean[j] - float64(shift[j]))
		}
		a.bias[i] = float32(offset)
	}
	return a
}

// times multiplies the outputs by a factor; 0 counts as 1.
func (a *affine) times(factor float64) *affine {
	if factor == 0 || factor == 1 {
		return a
	}
	for i, w := range a.weight {
		a.weight[i] = float32(factor * float64(w))
	}
	for i, b := range a.bias {
		a.bias[i] = float32(factor * float64(b))
	}
	return a
}

// predict computes the map for each row of x, adding up in float64.
func (a *affine) predict(x Matrix) (Matrix, error) {
	if a == nil {
		return Matrix{}, ErrNotFitted
	}
	if err := checkFeatures(x, a.cols); err != nil {
		return Matrix{}, err
	}
	out := NewMatrix(x.Rows, a.outs)
	cut := newPartition(x.Rows, 64)
	err := eachPart(context.Background(), cut.parts, func(_, p int) {
		wide := make([]float64, a.cols)
		for i, hi := cut.bounds(p); i < hi; i++ {
			for j, v := range x.Row(i) {
				wide[j] = float64(v)
				if a.shift != nil {
					wide[j] = float64(v - a.shift[j])
				}
			}
			for k := range a.outs {
				out.Data[i*a.outs+k] = float32(float64(a.bias[k]) + dot(wide, a.weight[k*a.cols:(k+1)*a.cols]))
			}
		}
	})
	return out, err
}

// dot adds up x·w in four lanes, in float64.
func dot(x []float64, w []float32) float64 {
	w = w[:len(x)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * float64(w[i])
		b += x[i+1] * float64(w[i+1])
		c += x[i+2] * float64(w[i+2])
		d += x[i+3] * float64(w[i+3])
	}
	for ; i < len(x); i++ {
		a += x[i] * float64(w[i])
	}
	return a + b + (c + d)
}

// emit writes the map as a Gemm, after a Sub where features are far from 0.
func (a *affine) emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	if a == nil {
		return nil, ErrNotFitted
	}
	b = b.Scope("head")
	if a.shift != nil {
		features = b.Sub(features, b.Const("mean", onnx.NewTensor("mean", a.shift, int64(a.cols))))
	}
	w := b.Const("weight", onnx.NewTensor("weight", a.weight, int64(a.outs), int64(a.cols)))
	bias := b.Const("bias", onnx.NewTensor("bias", a.bias, int64(a.outs)))
	return b.Gemm(features, w, bias, true), b.Err()
}
