package onnxgo_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// floats returns n random numbers.
func floats(rnd *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rnd.NormFloat64())
	}
	return v
}

// randomHead draws a head: some layers, each a Gemm or MatMul and Add in one of the ways exporters write it, standardised
// or not, with an activation.
func randomHead(rnd *rand.Rand) (m *onnx.Model, columns int) {
	opset := int64(9 + rnd.IntN(9))
	m = &onnx.Model{IRVersion: 6, Opsets: []onnx.Opset{{Version: opset}}, Graph: &onnx.Graph{Name: "head"}}
	b := onnx.NewBuilder(m)
	columns = 1 + rnd.IntN(12)
	v, width := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(int64(columns))), columns
	for range 1 + rnd.IntN(3) {
		if rnd.IntN(3) == 0 {
			shift := b.Const("shift", onnx.NewTensor("", floats(rnd, width), int64(width)))
			scale := b.Const("scale", onnx.NewTensor("", floats(rnd, 1), 1))
			v = b.Mul(b.Sub(v, shift), scale)
		}
		next := 1 + rnd.IntN(9)
		bias := []int64{int64(next)}
		if rnd.IntN(2) == 0 {
			bias = []int64{1, int64(next)}
		}
		c := b.Const("bias", onnx.NewTensor("", floats(rnd, next), bias...))
		switch rnd.IntN(4) {
		case 0:
			w := b.Const("w", onnx.NewTensor("", floats(rnd, width*next), int64(width), int64(next)))
			v = b.Add(b.MatMul(v, w), c)
		case 1:
			w := b.Const("w", onnx.NewTensor("", floats(rnd, width*next), int64(width), int64(next)))
			v = b.Gemm(v, w, c, false)
		case 2:
			w := b.Const("w", onnx.NewTensor("", floats(rnd, width*next), int64(next), int64(width)))
			v = b.Op("Gemm", []*onnx.Value{v, w, c}, onnx.IntAttr("transB", 1), onnx.FloatAttr("alpha", rnd.Float32()), onnx.FloatAttr("beta", rnd.Float32()))
		default:
			w := b.Const("w", onnx.NewTensor("", floats(rnd, width*next), int64(next), int64(width)))
			v = b.Gemm(v, w, c, true)
		}
		width = next
		if f := []string{"Relu", "Tanh", "Sigmoid", "Identity", "Abs", "Neg", "Exp"}[rnd.IntN(7)]; f != "Identity" {
			v = b.Op(f, []*onnx.Value{v})
		}
	}
	switch rnd.IntN(3) {
	case 0:
		v = b.Softmax(v, 1)
	case 1:
		v = b.Div(v, b.Const("temperature", onnx.NewTensor("", []float32{2.5})))
	}
	b.Output(v, "y")
	if b.Err() != nil {
		panic(b.Err())
	}
	return m, columns
}

// TestAgreesWithORT compares the two engines on 150 random heads at five batch sizes each.
func TestAgreesWithORT(t *testing.T) {
	rt := orttest.Open(t).With(1)
	rnd := rand.New(rand.NewPCG(31, 32))
	ctx := context.Background()
	for i := range 150 {
		m, columns := randomHead(rnd)
		a, err := rt.NewSession(m)
		if err != nil {
			t.Fatal(err)
		}
		b, err := onnxgo.Runtime{}.NewSession(m)
		if err != nil {
			t.Fatalf("head %d: %v\n%s", i, err, listing(m))
		}
		for _, rows := range []int{1, 2, columns, 7, 1} {
			feeds := onnx.Feeds{"x": onnx.NewTensor("x", floats(rnd, rows*columns), int64(rows), int64(columns))}
			want, err := a.Run(ctx, feeds)
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.Run(ctx, feeds)
			if err == nil {
				err = same(got[0], want[0])
			}
			if err != nil {
				t.Errorf("head %d, %d rows: %v\n%s", i, rows, err, listing(m))
				break
			}
		}
		a.Close()
		b.Close()
	}
}

// same compares two float32 tensors to 1e-5, relative where they are large.
func same(got, want *onnx.Tensor) error {
	if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		return fmt.Errorf("shape %v, want %v", got.Shape, want.Shape)
	}
	g, err1 := onnx.View[float32](got)
	w, err2 := onnx.View[float32](want)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for i := range w {
		if w[i] == g[i] { // infinities of Exp too
			continue
		}
		if d := math.Abs(float64(g[i] - w[i])); !(d <= 1e-5*max(1, math.Abs(float64(w[i])))) {
			return fmt.Errorf("element %d is %g, want %g", i, g[i], w[i])
		}
	}
	return nil
}

// listing prints a graph for a failure's report.
func listing(m *onnx.Model) string {
	var b strings.Builder
	for _, w := range m.Graph.Initializers {
		fmt.Fprintf(&b, "%s %v\n", w.Name, w.Shape)
	}
	for _, n := range m.Graph.Nodes {
		fmt.Fprintf(&b, "%v = %s%v\n", n.Outputs, n.OpType, n.Inputs)
	}
	return b.String()
}

// TestRefusals lists what this runtime must refuse, with the operator's name where there is one, and never compute wrongly.
func TestRefusals(t *testing.T) {
	w := onnx.NewTensor("", make([]float32, 9), 3, 3)
	for _, c := range []struct {
		name, op string
		build    func(b *onnx.Builder, x *onnx.Value) *onnx.Value
	}{
		{"operator", "ReduceSum", func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.ReduceSum(x, true, 1) }},
		{"other axis", "Softmax", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Op("Softmax", []*onnx.Value{x}, onnx.IntAttr("axis", 0))
		}},
		{"flatten all", "Flatten", func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return b.Flatten(x, 0) }},
		{"transposed X", "Gemm", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Op("Gemm", []*onnx.Value{x, b.Const("w", w)}, onnx.IntAttr("transA", 1))
		}},
		{"computed weight", "Gemm", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Op("Gemm", []*onnx.Value{x, b.Neg(b.Const("w", w))})
		}},
		{"bias a column", "Gemm", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Op("Gemm", []*onnx.Value{x, b.Const("w", w), b.Const("c", onnx.NewTensor("", make([]float32, 3), 3, 1))})
		}},
		{"vector", "MatMul", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.MatMul(x, b.Const("w", onnx.NewTensor("", make([]float32, 3), 3)))
		}},
		{"float64", "Mul", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Op("Mul", []*onnx.Value{x, b.Const("w", onnx.NewTensor("", make([]float64, 3), 3))})
		}},
		{"cube", "Add", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			return b.Op("Add", []*onnx.Value{x, b.Const("w", onnx.NewTensor("", make([]float32, 3), 1, 1, 3))})
		}},
		{"other domain", "Relu", func(b *onnx.Builder, x *onnx.Value) *onnx.Value {
			y := b.Relu(x)
			m := b.Model()
			m.Opsets = append(m.Opsets, onnx.Opset{Domain: "com.example", Version: 1})
			m.Graph.Nodes[0].Domain = "com.example"
			return y
		}},
		{"input as output", "", func(b *onnx.Builder, x *onnx.Value) *onnx.Value { return x }},
	} {
		m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{Name: "g"}}
		b := onnx.NewBuilder(m)
		x := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(3))
		y := c.build(b, x)
		if b.Err() != nil {
			t.Fatalf("%s: %v", c.name, b.Err())
		}
		m.Graph.Outputs = append(m.Graph.Outputs, &onnx.Value{Name: y.Name, Type: onnx.Float32})
		s, err := onnxgo.Runtime{}.NewSession(m)
		var refused *onnx.UnsupportedError
		if !errors.As(err, &refused) || refused.Op != c.op {
			t.Errorf("%s: %v, want an *onnx.UnsupportedError of %q", c.name, err, c.op)
		}
		if err == nil {
			s.Close()
		}
	}
}

// TestOtherInputs refuses what is no matrix of float32.
func TestOtherInputs(t *testing.T) {
	for _, v := range []*onnx.Value{
		{Name: "x", Type: onnx.Int64, Shape: onnx.Shape{onnx.Param("N"), onnx.Known(3)}},
		{Name: "x", Type: onnx.Float32, Shape: onnx.Shape{onnx.Param("N"), onnx.Known(3), onnx.Known(2)}},
	} {
		m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
			Name: "g", Inputs: []*onnx.Value{v}, Outputs: []*onnx.Value{{Name: "y", Type: v.Type}},
			Nodes: []*onnx.Node{{OpType: "Abs", Inputs: []string{"x"}, Outputs: []string{"y"}}},
		}}
		var refused *onnx.UnsupportedError
		if _, err := (onnxgo.Runtime{}).NewSession(m); !errors.As(err, &refused) || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("input %v %v: %v, want an *onnx.UnsupportedError naming it", v.Type, v.Shape, err)
		}
	}
}

func BenchmarkHead(b *testing.B) {
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{Name: "g"}}
	rnd := rand.New(rand.NewPCG(1, 1))
	build := onnx.NewBuilder(m)
	x := build.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(384))
	w := build.Const("w", onnx.NewTensor("", floats(rnd, 384*77), 77, 384))
	build.Output(build.Gemm(x, w, build.Const("c", onnx.NewTensor("", floats(rnd, 77), 77)), true), "y")
	s, err := onnxgo.Runtime{}.NewSession(m)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, rows := range []int{1, 64, 1024} {
		feeds := onnx.Feeds{"x": onnx.NewTensor("x", floats(rnd, rows*384), int64(rows), 384)}
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Run(context.Background(), feeds); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
