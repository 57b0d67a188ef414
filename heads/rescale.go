package heads

import (
	"context"
	"math"

	"github.com/onnx-graft/graft/onnx"
)

// A Metric says how near two rows of standardised features are.
type Metric string

const (
	Euclidean Metric = "euclidean" // straight distance; also what the empty string means
	Cosine    Metric = "cosine"    // angle
)

// check tells whether m is a metric.
func (m Metric) check(field string) error {
	switch m {
	case "", Euclidean, Cosine:
		return nil
	}
	return &SettingError{Field: field, Value: string(m), Want: `"euclidean" or "cosine"`}
}

// A rescaling is a scaling in float32, for heads that are more than an affine map: (x − shift) · scale, and where unit is
// set, divided by the row's length.
type rescaling struct {
	shift, scale []float32 // D
	unit         bool
}

// shortest is the length below which a row has no direction.
const shortest = 1e-12

func newRescaling(s *scaling, m Metric) *rescaling {
	return &rescaling{shift: narrow(s.mean), scale: narrow(s.inv), unit: m == Cosine}
}

// row sets to, as long as x and perhaps longer, to x rescaled.
func (r *rescaling) row(to []float32, x []float32) {
	var square float64
	for j, v := range x {
		to[j] = (v - r.shift[j]) * r.scale[j]
		square += float64(to[j]) * float64(to[j])
	}
	if !r.unit {
		return
	}
	length := max(math.Sqrt(square), shortest)
	for j := range x {
		to[j] = float32(float64(to[j]) / length)
	}
}

// apply returns x rescaled, with columns of 0 up to a multiple of lanes.
func (r *rescaling) apply(ctx context.Context, x Matrix) (Matrix, error) {
	z := NewMatrix(x.Rows, roundUp(x.Cols))
	cut := newPartition(x.Rows, 64)
	err := eachPart(ctx, cut.parts, func(_, p int) {
		for i, hi := cut.bounds(p); i < hi; i++ {
			r.row(z.Row(i), x.Row(i))
		}
	})
	return z, err
}

// emit writes the rescaling of an N×D value.
func (r *rescaling) emit(b *onnx.Builder, x *onnx.Value) *onnx.Value {
	d := int64(len(r.shift))
	x = b.Sub(x, b.Const("mean", onnx.NewTensor("mean", r.shift, d)))
	x = b.Mul(x, b.Const("scale", onnx.NewTensor("scale", r.scale, d)))
	if !r.unit {
		return x
	}
	return b.Div(x, b.Max(b.ReduceL2(x, true, 1), b.Float(shortest)))
}
