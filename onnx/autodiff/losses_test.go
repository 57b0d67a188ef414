package autodiff_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/onnxtest/reference"
)

// Each loss against its definition, and its gradient against central differences in float64.
func TestLosses(t *testing.T) {
	const rows, cols = 4, 3
	mean := func(f func(z, y []float64) float64) func(z, y []float64) float64 {
		return func(z, y []float64) (sum float64) {
			for i := range rows {
				sum += f(z[i*cols:(i+1)*cols], y[i*cols:(i+1)*cols]) / rows
			}
			return sum
		}
	}
	for _, c := range []struct {
		name string
		loss autodiff.Loss
		want func(z, y []float64) float64
	}{
		{"cross-entropy", autodiff.CrossEntropy{}, func(z, y []float64) float64 {
			var sum, weight float64
			for i := range rows {
				total := 0.0
				for _, v := range z[i*cols : (i+1)*cols] {
					total += math.Exp(v)
				}
				for k := range cols {
					sum -= y[i*cols+k] * (z[i*cols+k] - math.Log(total))
					weight += y[i*cols+k]
				}
			}
			return sum / weight
		}},
		{"binary cross-entropy", autodiff.BinaryCrossEntropy{}, mean(func(z, y []float64) (sum float64) {
			for k, v := range z {
				p := 1 / (1 + math.Exp(-v))
				sum -= (y[k]*math.Log(p) + (1-y[k])*math.Log(1-p)) / cols
			}
			return sum
		})},
		{"squared error", autodiff.MeanSquaredError{}, mean(func(z, y []float64) (sum float64) {
			for k, v := range z {
				sum += (v - y[k]) * (v - y[k]) / cols
			}
			return sum
		})},
		{"cosine", autodiff.CosineDistance{}, mean(func(z, y []float64) float64 {
			var zy, zz, yy float64
			for k, v := range z {
				zy, zz, yy = zy+v*y[k], zz+v*v, yy+y[k]*y[k]
			}
			return 1 - zy/math.Sqrt(zz*yy)
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 20}}, Graph: &onnx.Graph{Name: "loss"}}
			b := onnx.NewBuilder(m)
			loss, err := c.loss.Append(b, b.Input("z", onnx.Float32, onnx.Known(rows), onnx.Known(cols)))
			if err != nil {
				t.Fatal(err)
			}
			b.Output(loss, "loss")
			r := rand.New(rand.NewPCG(5, 5))
			z, y := &reference.Array{Shape: []int{rows, cols}}, &reference.Array{Shape: []int{rows, cols}}
			for range rows * cols {
				z.F, y.F = append(z.F, r.NormFloat64()), append(y.F, r.Float64())
			}
			feeds := map[string]*reference.Array{"z": z, autodiff.TargetInput: y}
			shapes, err := autodiff.Measure(context.Background(), exact{}, m, tensors(feeds), tensors(feeds))
			if err != nil {
				t.Fatal(err)
			}
			g, err := autodiff.Gradient(m, "loss", []string{"z"}, shapes)
			if err != nil {
				t.Fatal(err)
			}
			got, err := reference.Evaluate(g, feeds)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.want(z.F, y.F); math.Abs(got["loss"].F[0]-want) > 1e-9 {
				t.Errorf("the loss is %v, want %v", got["loss"].F[0], want)
			}
			if d := distance(got[autodiff.GradientName("z")].F, differences(t, m, feeds, "z")); !(d < 1e-6) {
				t.Errorf("the gradient is off by %.2g relative", d)
			}
		})
	}
}
