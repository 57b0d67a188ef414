package heads

import (
	"math"

	"github.com/onnx-graft/graft/onnx"
)

// Pairs returns the N×4D features [u, v, |u−v|, u·v] of pairs of rows, as sentence-pair heads learn from (Conneau et al.
// 2017). u and v are N×D.
func Pairs(u, v Matrix) (Matrix, error) {
	if err := u.Check(); err != nil {
		return Matrix{}, err
	}
	if err := v.Check(); err != nil {
		return Matrix{}, err
	}
	if u.Rows != v.Rows || u.Cols != v.Cols {
		return Matrix{}, &ShapeError{What: "second features of pairs", Got: shape(v.Rows, v.Cols), Want: shape(u.Rows, u.Cols) + ", as the first"}
	}
	d := u.Cols
	out := NewMatrix(u.Rows, 4*d)
	for i := range u.Rows {
		to, b := out.Row(i), v.Row(i)
		for j, a := range u.Row(i) {
			to[j], to[d+j] = a, b[j]
			to[2*d+j], to[3*d+j] = float32(math.Abs(float64(a-b[j]))), a*b[j]
		}
	}
	return out, nil
}

// EmitPairs appends what [Pairs] computes to the graph under b, for two N×D values.
func EmitPairs(b *onnx.Builder, u, v *onnx.Value) *onnx.Value {
	return b.Concat(1, u, v, b.Abs(b.Sub(u, v)), b.Mul(u, v))
}
