package onnxtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/onnx-graft/graft/onnx"
)

// A matrix is the reference's idea of a tensor: float64, row by row.
type matrix struct {
	rows, cols int
	v          []float64
}

func newMatrix(rows, cols int) matrix { return matrix{rows, cols, make([]float64, rows*cols)} }

// randomMatrix returns float32 numbers around zero.
func randomMatrix(rnd *rand.Rand, rows, cols int) matrix {
	m := newMatrix(rows, cols)
	for i := range m.v {
		m.v[i] = float64(float32(rnd.NormFloat64()))
	}
	return m
}

// tensor returns a fresh float32 tensor of the same numbers.
func (m matrix) tensor() *onnx.Tensor {
	data := make([]float32, len(m.v))
	for i, v := range m.v {
		data[i] = float32(v)
	}
	return onnx.NewTensor("", data, int64(m.rows), int64(m.cols))
}

// equal says how a runtime's result differs from the reference.
func (m matrix) equal(t *onnx.Tensor) error {
	if t.Type != onnx.Float32 || len(t.Shape) != 2 || t.Shape[0] != int64(m.rows) || t.Shape[1] != int64(m.cols) {
		return fmt.Errorf("got %v %v, want float32 [%d %d]", t.Type, t.Shape, m.rows, m.cols)
	}
	got, err := onnx.View[float32](t)
	if err != nil {
		return err
	}
	for i, want := range m.v {
		if d := math.Abs(float64(got[i]) - want); !(d <= Tolerance*max(1, math.Abs(want))) {
			return fmt.Errorf("element [%d %d] is %g, want %g", i/m.cols, i%m.cols, got[i], want)
		}
	}
	return nil
}

// each applies f to every element.
func (m matrix) each(f func(float64) float64) matrix {
	out := newMatrix(m.rows, m.cols)
	for i, v := range m.v {
		out.v[i] = f(v)
	}
	return out
}

// with combines every row with the row r, element by element.
func (m matrix) with(r matrix, f func(a, b float64) float64) matrix {
	out := newMatrix(m.rows, m.cols)
	for i, v := range m.v {
		out.v[i] = f(v, r.v[i%m.cols])
	}
	return out
}

// times is the matrix product.
func (m matrix) times(w matrix) matrix {
	out := newMatrix(m.rows, w.cols)
	for i := range m.rows {
		for j := range w.cols {
			for k := range m.cols {
				out.v[i*w.cols+j] += m.v[i*m.cols+k] * w.v[k*w.cols+j]
			}
		}
	}
	return out
}

func (m matrix) transposed() matrix {
	out := newMatrix(m.cols, m.rows)
	for i := range m.rows {
		for j := range m.cols {
			out.v[j*m.rows+i] = m.v[i*m.cols+j]
		}
	}
	return out
}

// softmax normalises each row.
func (m matrix) softmax() matrix {
	out := newMatrix(m.rows, m.cols)
	for i := range m.rows {
		row, top, sum := m.v[i*m.cols:(i+1)*m.cols], math.Inf(-1), 0.0
		for _, v := range row {
			top = max(top, v)
		}
		for j, v := range row {
			out.v[i*m.cols+j] = math.Exp(v - top)
			sum += out.v[i*m.cols+j]
		}
		for j := range row {
			out.v[i*m.cols+j] /= sum
		}
	}
	return out
}

func add(a, b float64) float64      { return a + b }
func subtract(a, b float64) float64 { return a - b }
func multiply(a, b float64) float64 { return a * b }
func divide(a, b float64) float64   { return a / b }
func relu(v float64) float64        { return max(v, 0) }
func sigmoid(v float64) float64     { return 1 / (1 + math.Exp(-v)) }

// A formula is what a graph computes, in float64.
type formula func(x matrix) matrix

// graph starts a model with one input x of that many columns.
func graph(opset int64, columns int) (*onnx.Model, *onnx.Builder, *onnx.Value) {
	m := &onnx.Model{IRVersion: 4, Opsets: []onnx.Opset{{Version: opset}}, Graph: &onnx.Graph{Name: "test"}}
	b := onnx.NewBuilder(m)
	return m, b, b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(int64(columns)))
}

// vector returns a row as a tensor of rank 1.
func (m matrix) vector() *onnx.Tensor {
	t := m.tensor()
	t.Shape = []int64{int64(len(m.v))}
	return t
}

// A headCase is a small graph with one output y.
type headCase struct {
	name    string
	columns int // of x
	emit    func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula)
}

// build makes the case's model for an opset.
func (c headCase) build(opset int64, rnd *rand.Rand) (*onnx.Model, formula) {
	m, b, x := graph(opset, c.columns)
	y, f := c.emit(b, x, rnd)
	b.Output(y, "y")
	if err := b.Err(); err != nil {
		return &onnx.Model{}, f // NewSession refuses it
	}
	return m, f
}

// withRow is a case that combines x with a constant row.
func withRow(name string, op func(b *onnx.Builder, x, y *onnx.Value) *onnx.Value, f func(a, b float64) float64) headCase {
	return headCase{name, 5, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		r := randomMatrix(rnd, 1, 5).each(func(v float64) float64 { return v + math.Copysign(1, v) })
		return op(b, x, b.Const("r", r.vector())), func(x matrix) matrix { return x.with(r, f) }
	}}
}

// onEach is a case that applies a function to x.
func onEach(name string, op func(b *onnx.Builder, x *onnx.Value) *onnx.Value, f func(float64) float64) headCase {
	return headCase{name, 5, func(b *onnx.Builder, x *onnx.Value, _ *rand.Rand) (*onnx.Value, formula) {
		return op(b, x), func(x matrix) matrix { return x.each(f) }
	}}
}

// headCases are the operators of classification heads.
var headCases = []headCase{
	withRow("Add", (*onnx.Builder).Add, add),
	withRow("Sub", (*onnx.Builder).Sub, subtract),
	withRow("Mul", (*onnx.Builder).Mul, multiply),
	withRow("Div", (*onnx.Builder).Div, divide),
	onEach("Relu", (*onnx.Builder).Relu, relu),
	onEach("Sigmoid", (*onnx.Builder).Sigmoid, sigmoid),
	onEach("Tanh", (*onnx.Builder).Tanh, math.Tanh),
	{"MatMul", 7, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		w := randomMatrix(rnd, 7, 4)
		return b.MatMul(x, b.Const("w", w.tensor())), func(x matrix) matrix { return x.times(w) }
	}},
	{"Gemm", 7, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		w, c := randomMatrix(rnd, 4, 7), randomMatrix(rnd, 1, 4)
		y := b.Gemm(x, b.Const("w", w.tensor()), b.Const("c", c.vector()), true)
		return y, func(x matrix) matrix { return x.times(w.transposed()).with(c, add) }
	}},
	{"Gemm with factors", 7, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		w, c := randomMatrix(rnd, 7, 4), randomMatrix(rnd, 1, 4)
		y := b.Op("Gemm", []*onnx.Value{x, b.Const("w", w.tensor()), b.Const("c", c.tensor())},
			onnx.FloatAttr("alpha", 0.5), onnx.FloatAttr("beta", 2))
		return y, func(x matrix) matrix {
			return x.times(w).each(func(v float64) float64 { return v / 2 }).with(c, func(a, b float64) float64 { return a + 2*b })
		}
	}},
	{"Gemm to one column", 7, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		w, c := randomMatrix(rnd, 1, 7), randomMatrix(rnd, 1, 1)
		y := b.Gemm(x, b.Const("w", w.tensor()), b.Const("c", c.vector()), true)
		return y, func(x matrix) matrix { return x.times(w.transposed()).with(c, add) }
	}},
	{"Softmax", 6, func(b *onnx.Builder, x *onnx.Value, _ *rand.Rand) (*onnx.Value, formula) {
		return b.Softmax(x, 1), matrix.softmax
	}},
	{"Softmax of large logits", 6, func(b *onnx.Builder, x *onnx.Value, _ *rand.Rand) (*onnx.Value, formula) {
		big := matrix{1, 6, []float64{1000, 1000, 1000, 1000, 1000, 1000}}
		y := b.Softmax(b.Add(x, b.Const("big", big.vector())), 1)
		return y, func(x matrix) matrix { // float32 loses the digits of x here, and so must the reference
			return x.with(big, add).each(func(v float64) float64 { return float64(float32(v)) }).softmax()
		}
	}},
	{"standardised Gemm, Softmax", 5, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		mean, w, c := randomMatrix(rnd, 1, 5), randomMatrix(rnd, 5, 5), randomMatrix(rnd, 1, 5)
		z := b.Sub(x, b.Const("mean", mean.vector()))
		y := b.Softmax(b.Gemm(z, b.Const("w", w.tensor()), b.Const("c", c.vector()), true), 1)
		return y, func(x matrix) matrix { return x.with(mean, subtract).times(w.transposed()).with(c, add).softmax() }
	}},
	{"one bias for two layers", 4, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		w, c := randomMatrix(rnd, 4, 4), randomMatrix(rnd, 1, 4)
		wv, cv := b.Const("w", w.tensor()), b.Const("c", c.vector())
		y := b.Gemm(b.Relu(b.Gemm(x, wv, cv, true)), wv, cv, true)
		layer := func(x matrix) matrix { return x.times(w.transposed()).with(c, add) }
		return y, func(x matrix) matrix { return layer(layer(x).each(relu)) }
	}},
	{"a value used twice", 5, func(b *onnx.Builder, x *onnx.Value, _ *rand.Rand) (*onnx.Value, formula) {
		return b.Mul(x, x), func(x matrix) matrix { return x.each(func(v float64) float64 { return v * v }) }
	}},
}

// mlp is x (8 columns) through MatMul, Add, Relu, Gemm, Sigmoid to 3 columns.
func mlp(opset int64, rnd *rand.Rand) (*onnx.Model, formula) {
	c := headCase{"", 8, func(b *onnx.Builder, x *onnx.Value, rnd *rand.Rand) (*onnx.Value, formula) {
		w1, c1 := randomMatrix(rnd, 8, 16), randomMatrix(rnd, 1, 16)
		w2, c2 := randomMatrix(rnd, 3, 16), randomMatrix(rnd, 1, 3)
		h := b.Relu(b.Add(b.MatMul(x, b.Const("w1", w1.tensor())), b.Const("c1", c1.vector())))
		y := b.Sigmoid(b.Gemm(h, b.Const("w2", w2.tensor()), b.Const("c2", c2.vector()), true))
		return y, func(x matrix) matrix {
			return x.times(w1).with(c1, add).each(relu).times(w2.transposed()).with(c2, add).each(sigmoid)
		}
	}}
	return c.build(opset, rnd)
}

// twoOutputs is x (6 columns) through a Gemm to logits (3 columns), and those through Softmax to probabilities.
func twoOutputs(rnd *rand.Rand) (m *onnx.Model, logits, probabilities formula) {
	w, c := randomMatrix(rnd, 3, 6), randomMatrix(rnd, 1, 3)
	m, b, x := graph(13, 6)
	l := b.Output(b.Gemm(x, b.Const("w", w.tensor()), b.Const("c", c.vector()), true), "logits")
	b.Output(b.Softmax(l, 1), "probabilities")
	logits = func(x matrix) matrix { return x.times(w.transposed()).with(c, add) }
	return m, logits, func(x matrix) matrix { return logits(x).softmax() }
}
