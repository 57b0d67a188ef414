package onnx_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// TestBuilderComputesTheSameInEveryOpset runs each operator whose form changed in opset after opset, against a formula in
// Go on the same 2×3×4 numbers.
func TestBuilderComputesTheSameInEveryOpset(t *testing.T) {
	x := random(21, 2, 3, 4)
	in := floats(t, x)
	at := func(i, j, k int) float64 { return float64(in[(i*3+j)*4+k]) }
	each := func(f func(i, j, k int) float64) []float32 {
		out := make([]float32, 24)
		for n := range out {
			out[n] = float32(f(n/12, n/4%3, n%4))
		}
		return out
	}
	// over sums f along one axis.
	over := func(axis int, i, j, k int, f func(v float64) float64) (sum float64) {
		for n := range []int{2, 3, 4}[axis] {
			switch axis {
			case 1:
				sum += f(at(i, n, k))
			case 2:
				sum += f(at(i, j, n))
			}
		}
		return sum
	}
	self := func(v float64) float64 { return v }
	type op struct {
		build func(b *onnx.Builder, x *onnx.Value) *onnx.Value
		want  []float32
	}
	cases := map[string]op{
		"Softmax 1": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.Softmax(x, 1) },
			each(func(i, j, k int) float64 { return math.Exp(at(i, j, k)) / over(1, i, j, k, math.Exp) })},
		"LogSoftmax -1": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.LogSoftmax(x, -1) },
			each(func(i, j, k int) float64 { return at(i, j, k) - math.Log(over(2, i, j, k, math.Exp)) })},
		"LayerNormalization": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.LayerNormalization(x, b.Floats(1, 2, 3, 4), b.Floats(.1, .2, .3, .4), 1e-5)
		}, each(func(i, j, k int) float64 {
			mean := over(2, i, j, k, self) / 4
			variance := over(2, i, j, k, func(v float64) float64 { return (v - mean) * (v - mean) }) / 4
			return (at(i, j, k)-mean)/math.Sqrt(variance+1e-5)*float64(k+1) + float64(k+1)/10
		})},
		"Clip": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.Clip(x, -.5, .25) },
			each(func(i, j, k int) float64 { return min(max(at(i, j, k), -.5), .25) })},
		"Sub of ReduceMean": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.Sub(x, b.ReduceMean(x, true, -1)) },
			each(func(i, j, k int) float64 { return at(i, j, k) - over(2, i, j, k, self)/4 })},
		"Sub of ReduceSum": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Sub(x, b.Unsqueeze(b.ReduceSum(x, false, 1), 1))
		}, each(func(i, j, k int) float64 { return at(i, j, k) - over(1, i, j, k, self) })},
		"Split, Slice, Concat": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			parts := b.Split(x, 2, 1, 3)
			return b.Concat(2, b.Slice(parts[1], []int64{1}, []int64{-1}, []int64{2}), parts[0], parts[1])
		}, nil},
		"Gemm": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			w := b.Const("w", onnx.NewTensor("", []float32{1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4}, 4, 4))
			return b.Reshape(b.Gemm(b.Reshape(x, -1, 4), w, nil, true), 2, 3, 4)
		}, each(func(i, j, k int) float64 { return at(i, j, k) * float64(k+1) })},
		"Gelu": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.Gelu(x) },
			each(func(i, j, k int) float64 { return at(i, j, k) * (1 + math.Erf(at(i, j, k)/math.Sqrt2)) / 2 })},
		"Pad": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Slice(b.Pad(x, 0, 1, 0, 0, 1, 0), []int64{1}, []int64{4}, []int64{1})
		}, in},
		"Squeeze": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.Squeeze(b.Unsqueeze(x, -1, 0), 0, -1) }, in},
		"TopK": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value { v, _ := b.TopK(x, 1, -1); return b.Sub(x, v) },
			each(func(i, j, k int) float64 {
				best := math.Inf(-1)
				for n := range 4 {
					best = max(best, at(i, j, n))
				}
				return at(i, j, k) - best
			})},
		"ArgMax": {func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Sub(x, b.Cast(b.ArgMax(x, 2, true), onnx.Float32))
		}, each(func(i, j, k int) float64 {
			best := 0
			for n := range 4 {
				if at(i, j, n) > at(i, j, best) {
					best = n
				}
			}
			return at(i, j, k) - float64(best)
		})},
	}
	for name, c := range cases {
		for _, opset := range []int64{7, 9, 10, 11, 12, 13, 16, 17, 18, 20, 21, 23} {
			if name == "Gelu" && opset < 9 {
				continue // Erf came with opset 9
			}
			t.Run(fmt.Sprint(name, " in ", opset), func(t *testing.T) {
				m := made(t, opset, func(b *onnx.Builder) {
					b.Output(c.build(b, b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(3), onnx.Known(4))), "y")
				})
				got := floats(t, run(t, m, onnx.Feeds{"x": x})[0])
				if c.want != nil {
					nearFloats(t, got, c.want, 2e-6)
					return
				}
				for i := range 6 { // columns 2 and 3 of each row, then 0, then 1 to 3
					row := in[4*i : 4*i+4]
					nearFloats(t, got[5*i:5*i+5], []float32{row[2], row[0], row[1], row[2], row[3]}, 0)
				}
			})
		}
	}
}

func TestInspect(t *testing.T) {
	m := chain(t)
	m.Functions[0].Nodes = []*onnx.Node{{OpType: "Neg"}, {OpType: "Own", Domain: "local"}}
	info := onnx.Inspect(m)
	for op, n := range map[string]int{"If": 1, "Add": 2, "Sub": 1, "Relu": 1, "MatMul": 1, "Gemm": 1, "Neg": 1, "local.Own": 1} {
		if info.Ops[op] != n {
			t.Errorf("%d times %s, want %d (all: %v)", info.Ops[op], op, n, info.Ops)
		}
	}
	if want := int64(3 + 9*9*9 + 3*4 + 2*4); info.Parameters != want {
		t.Errorf("%d parameters, want %d", info.Parameters, want)
	}
	if len(info.Inputs) != 2 || len(info.Outputs) != 2 || info.Opsets[0].Version != 17 {
		t.Errorf("%+v", info)
	}
}

// TestInspectRealModels compares with parameters counted in the frameworks the models come from.
func TestInspectRealModels(t *testing.T) {
	for _, c := range []struct {
		path []string
		want int64
	}{
		{[]string{"assets", "vision-models", "squeezenet1_1", "model.onnx"}, 1235496},             // torchvision's squeezenet1_1
		{[]string{"assets", "text-models", "minilm-l6", "onnx", "model.onnx"}, 22713216 - 147840}, // BertModel less its pooler
	} {
		got := onnx.Inspect(load(t, c.path...)).Parameters
		if got < c.want || got > c.want+200 { // Constant nodes hold a few scalars more
			t.Errorf("%v: %d parameters, want %d", c.path, got, c.want)
		}
	}
}

func TestCloneSharesOnlyTensorData(t *testing.T) {
	m := chain(t)
	before, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	c := m.Clone()
	c.Graph.Nodes[0].Inputs[0] = "other"
	c.Graph.Nodes[0].Attributes[0].Graph.Nodes[0].OpType = "Mul"
	c.Graph.Inputs[0].Shape[0] = onnx.Known(9)
	c.Graph.Initializers[0].Shape[0] = 7
	c.Functions[0].Name = "G"
	c.Opsets[0].Version = 3
	c.Graph.Outputs = c.Graph.Outputs[:1]
	if after, err := m.Bytes(); err != nil || string(after) != string(before) {
		t.Errorf("editing the clone changed the original (%v)", err)
	}
	if &m.Graph.Initializers[1].Data[0] != &c.Graph.Initializers[1].Data[0] {
		t.Error("tensor data was copied")
	}
}
