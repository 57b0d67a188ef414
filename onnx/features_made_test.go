package onnx_test

import (
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// made builds a graph by a builder.
func made(t *testing.T, opset int64, build func(b *onnx.Builder)) *onnx.Model {
	t.Helper()
	m := &onnx.Model{Opsets: []onnx.Opset{{Version: opset}}}
	b := onnx.NewBuilder(m)
	build(b)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func pixels(b *onnx.Builder) *onnx.Value {
	return b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(3), onnx.Known(8), onnx.Known(8))
}

// conv adds a convolution of random weights with kernel k×k.
func conv(b *onnx.Builder, x *onnx.Value, in, out, k int64) *onnx.Value {
	return b.Conv(x, b.Const("kernel", random(uint64(in*out), out, in, k, k)), b.Const("bias", random(1, out)))
}

// dense adds MatMul and Add, the constant first where turned.
func dense(b *onnx.Builder, x *onnx.Value, in, out int64, turned bool) *onnx.Value {
	y := b.MatMul(x, b.Const("dense", random(uint64(in+out), in, out)))
	if turned {
		return b.Add(b.Const("bias", random(2, out)), y)
	}
	return b.Add(y, b.Const("bias", random(2, out)))
}

// bert builds two layers of something with tokens that ends in N×L×8, and a pooler over the first token.
func bert(b *onnx.Builder) (hidden, pooled *onnx.Value) {
	ids := b.Input("input_ids", onnx.Int64, onnx.Param("N"), onnx.Param("L"))
	hidden = b.Gather(b.Const("words", random(3, 100, 8)), ids, 0)
	hidden = b.Add(hidden, dense(b, hidden, 8, 8, true))
	hidden = b.Mul(b.Sub(hidden, b.ReduceMean(hidden, true, -1)), b.Const("gamma", random(4, 8)))
	hidden = b.Add(hidden, b.Const("beta", random(5, 8)))
	first := b.Gather(hidden, b.Int(0), 1)
	return hidden, b.Tanh(b.Gemm(first, b.Const("pooler", random(6, 8, 8)), b.Const("pooler_bias", random(7, 8)), true))
}

// TestFeaturesOfMadeGraphs names the wanted tensor by an output that must not be looked at: "want" is the inner tensor, and
// is taken from the outputs before the search.
func TestFeaturesOfMadeGraphs(t *testing.T) {
	for name, c := range map[string]struct {
		opset int64
		build func(b *onnx.Builder) (want *onnx.Value)
		kind  onnx.FeatureKind
		dim   int64
	}{
		"MatMul and Add": {13, func(b *onnx.Builder) *onnx.Value {
			f := b.Flatten(b.GlobalAveragePool(b.Relu(conv(b, pixels(b), 3, 5, 3))), 1)
			b.Output(b.Softmax(dense(b, f, 5, 3, true), -1), "a")
			return f
		}, onnx.Penultimate, 5},
		"two-layer head": {17, func(b *onnx.Builder) *onnx.Value {
			x := b.Flatten(b.GlobalAveragePool(b.Relu(conv(b, pixels(b), 3, 5, 3))), 1)
			f := b.Relu(dense(b, x, 5, 7, false))
			b.Output(b.Sigmoid(dense(b, f, 7, 2, false)), "a")
			return f
		}, onnx.Penultimate, 7},
		"the label alone comes out": {13, func(b *onnx.Builder) *onnx.Value {
			f := b.Flatten(b.GlobalAveragePool(b.Relu(conv(b, pixels(b), 3, 5, 3))), 1)
			b.Output(b.ArgMax(b.Softmax(dense(b, f, 5, 3, false), -1), 1, false), "a")
			return f
		}, onnx.Penultimate, 5},
		"dropout before the layer": {13, func(b *onnx.Builder) *onnx.Value {
			f := b.ReduceMean(b.Relu(conv(b, pixels(b), 3, 5, 3)), false, 2, 3)
			y := b.Op("Dropout", []*onnx.Value{b.Identity(f)})
			b.Output(b.Gemm(y, b.Const("w", random(1, 10, 5)), nil, true), "a")
			return f
		}, onnx.Penultimate, 5},
		"temperature after the layer": {13, func(b *onnx.Builder) *onnx.Value {
			f := b.Flatten(b.GlobalAveragePool(conv(b, pixels(b), 3, 5, 3)), 1)
			b.Output(b.Div(b.Gemm(f, b.Const("w", random(1, 10, 5)), nil, true), b.Float(0.7)), "a")
			return f
		}, onnx.Penultimate, 5},
		"convolution without activation": {11, func(b *onnx.Builder) *onnx.Value {
			f := b.Relu(conv(b, pixels(b), 3, 6, 3))
			b.Output(b.Softmax(b.Flatten(b.GlobalAveragePool(conv(b, f, 6, 16, 1)), 1), -1), "a")
			return f
		}, onnx.Penultimate, 6},
		"widening convolution of a backbone": {13, func(b *onnx.Builder) *onnx.Value {
			narrow := conv(b, b.Relu(conv(b, pixels(b), 3, 6, 3)), 6, 4, 1)
			f := b.Flatten(b.GlobalAveragePool(b.Clip(conv(b, narrow, 4, 10, 1), 0, 6)), 1)
			b.Output(f, "a")
			return f
		}, onnx.PooledOutput, 10},
		"pointwise convolution of a backbone": {13, func(b *onnx.Builder) *onnx.Value {
			wide := b.Relu(conv(b, pixels(b), 3, 6, 3))
			f := b.ReduceMean(b.Relu(conv(b, wide, 6, 32, 1)), false, 2, 3)
			b.Output(f, "a")
			return f
		}, onnx.PooledOutput, 32},
		"convolution with activation as a classifier": {13, func(b *onnx.Builder) *onnx.Value {
			f := b.Relu(conv(b, pixels(b), 3, 6, 3))
			b.Output(b.ReduceMean(b.Relu(conv(b, f, 6, 10, 1)), false, 2, 3), "a")
			return f
		}, onnx.Penultimate, 6},
		"hidden layer as the end of a backbone": {13, func(b *onnx.Builder) *onnx.Value {
			f := b.Relu(dense(b, b.Flatten(pixels(b), 1), 192, 20, false))
			b.Output(f, "a")
			return f
		}, onnx.Output, 20},
		"tf2onnx: NHWC in, MatMul at the end": {12, func(b *onnx.Builder) *onnx.Value {
			x := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(8), onnx.Known(8), onnx.Known(3))
			y := b.Relu(conv(b, b.Transpose(x, 0, 3, 1, 2), 3, 5, 3))
			f := b.ReduceMean(b.Transpose(y, 0, 2, 3, 1), false, 1, 2)
			b.Output(b.Softmax(dense(b, f, 5, 4, false), -1), "a")
			return f
		}, onnx.Penultimate, 5},
		"tf2onnx: NHWC in, map out": {12, func(b *onnx.Builder) *onnx.Value {
			x := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(8), onnx.Known(8), onnx.Known(3))
			f := b.Relu(b.Transpose(conv(b, b.Transpose(x, 0, 3, 1, 2), 3, 5, 3), 0, 2, 3, 1))
			b.Output(f, "a")
			return f
		}, onnx.Output, 5},
		"BERT of opset 7 with pooler": {7, func(b *onnx.Builder) *onnx.Value {
			hidden, pooled := bert(b)
			b.Output(pooled, "a")
			b.Output(hidden, "b")
			return hidden
		}, onnx.LastHiddenState, 8},
		"pooler alone": {7, func(b *onnx.Builder) *onnx.Value {
			_, pooled := bert(b)
			b.Output(pooled, "a")
			return pooled
		}, onnx.PooledOutput, 8},
		"BERT classifier": {14, func(b *onnx.Builder) *onnx.Value {
			_, pooled := bert(b)
			b.Output(b.Gemm(pooled, b.Const("w", random(1, 2, 8)), nil, true), "a")
			return pooled
		}, onnx.Penultimate, 8},
		"language model": {14, func(b *onnx.Builder) *onnx.Value {
			hidden, _ := bert(b)
			b.Output(b.MatMul(hidden, b.Transpose(b.Const("tied", random(1, 100, 8)), 1, 0)), "a")
			return hidden
		}, onnx.Penultimate, 8},
		"ViT with a class token": {17, func(b *onnx.Builder) *onnx.Value {
			patches := b.Transpose(b.Reshape(conv(b, pixels(b), 3, 6, 4), 0, 6, -1), 0, 2, 1)
			cls := b.Op("Expand", []*onnx.Value{b.Const("cls", random(1, 1, 1, 6)),
				b.Concat(0, b.Slice(b.Shape(patches), []int64{0}, []int64{1}, []int64{0}), b.Ints(1, 6))})
			h := b.LayerNormalization(b.Concat(1, cls, patches), b.Const("g", random(2, 6)), b.Const("b", random(3, 6)), 1e-5)
			f := b.Gather(h, b.Int(0), 1)
			b.Output(b.Gemm(f, b.Const("w", random(4, 10, 6)), nil, true), "a")
			return f
		}, onnx.Penultimate, 6},
		"sentence encoder with its own pooling": {14, func(b *onnx.Builder) *onnx.Value {
			hidden, _ := bert(b)
			f := b.ReduceMean(hidden, false, 1)
			b.Output(f, "a")
			return f
		}, onnx.PooledOutput, 8},
		"ResNet of Hugging Face: map and pool": {14, func(b *onnx.Builder) *onnx.Value {
			y := b.Relu(conv(b, pixels(b), 3, 5, 3))
			f := b.GlobalAveragePool(y)
			b.Output(y, "a")
			b.Output(f, "b")
			return f
		}, onnx.PooledOutput, 5},
		"float16 weights behind Cast": {17, func(b *onnx.Builder) *onnx.Value {
			f := b.Flatten(b.GlobalAveragePool(b.Relu(conv(b, pixels(b), 3, 5, 3))), 1)
			w := onnx.NewTensor("", make([]uint16, 50), 10, 5)
			w.Type = onnx.Float16
			b.Output(b.Gemm(f, b.Cast(b.Const("half", w), onnx.Float32), nil, true), "a")
			return f
		}, onnx.Penultimate, 5},
	} {
		t.Run(name, func(t *testing.T) {
			var want *onnx.Value
			m := made(t, c.opset, func(b *onnx.Builder) { want = c.build(b) })
			found := onnx.Features(m)
			if len(found) == 0 || found[0].Tensor != want.Name || found[0].Kind != c.kind || found[0].Dim != c.dim {
				t.Fatalf("found %+v, want first %s, %s of %d", found, want.Name, c.kind, c.dim)
			}
			if _, err := onnx.MakeBackbone(m, found[0], onnx.FeatureOptions{}); err != nil {
				t.Fatal(err)
			}
			batch := feedsFor(m, 2, 5)
			if got := run(t, m, batch)[0]; len(got.Shape) != 2 || got.Shape[0] != 2 || got.Shape[1] != c.dim {
				t.Errorf("backbone gives shape %v, want 2×%d", got.Shape, c.dim)
			}
		})
	}
}

func TestFeatureAt(t *testing.T) {
	m := load(t, "assets", "vision-models", "squeezenet1_1", "model.onnx")
	for tensor, want := range map[string]onnx.Feature{
		"/f.7/Concat_output_0": {Tensor: "/f.7/Concat_output_0", Dim: 512, Kind: onnx.Penultimate, Rank: 4},
		"/f.6/Concat_output_0": {Tensor: "/f.6/Concat_output_0", Dim: 512, Kind: onnx.Output, Rank: 4},
	} {
		if got, err := onnx.FeatureAt(m, tensor); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	for tensor, says := range map[string]string{"/f.7/Concat": "/f.7/Concat_output_0", "cl.bias": "shape"} {
		if _, err := onnx.FeatureAt(m, tensor); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one that says %s", err, says)
		}
	}
}

// TestFeaturesListsTheRest looks at what comes after the first.
func TestFeaturesListsTheRest(t *testing.T) {
	m := made(t, 14, func(b *onnx.Builder) {
		hidden, pooled := bert(b)
		b.Output(hidden, "hidden")
		b.Output(pooled, "pooled")
	})
	var kinds []onnx.FeatureKind
	for _, f := range onnx.Features(m) {
		kinds = append(kinds, f.Kind)
	}
	want := []onnx.FeatureKind{onnx.LastHiddenState, onnx.PooledOutput, onnx.CLS}
	if len(kinds) != len(want) || kinds[0] != want[0] || kinds[1] != want[1] || kinds[2] != want[2] {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}

// TestQuantisedFeatures cuts inside an integer network: the tensor is of uint8, and its reader knows the scale.
func TestQuantisedFeatures(t *testing.T) {
	m := made(t, 13, func(b *onnx.Builder) {
		scale, zero := b.Float(0.05), b.Const("zero", onnx.NewTensor("", []uint8{128}))
		q := b.Op("QuantizeLinear", []*onnx.Value{b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(4)), scale, zero})
		w := b.Const("w", onnx.NewTensor("", []uint8{120, 140, 100, 130, 128, 127, 126, 125}, 4, 2))
		y := b.Op("QLinearMatMul", []*onnx.Value{q, scale, zero, w, scale, zero, scale, zero})
		b.Output(b.Op("DequantizeLinear", []*onnx.Value{y, scale, zero}), "logits")
	})
	x := onnx.NewTensor("", []float32{0.1, -0.2, 0.3, 1.05, 0, 0.5, -0.55, 0.25}, 2, 4)
	found := onnx.Features(m)
	if found[0].Kind != onnx.Penultimate || found[0].Dim != 4 {
		t.Fatalf("found %+v", found)
	}
	v, err := onnx.MakeBackbone(m, found[0], onnx.FeatureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Type != onnx.Float32 {
		t.Errorf("features are %v, want float32", v.Type)
	}
	near(t, run(t, m, onnx.Feeds{"x": x})[0], x, 1e-6)
}
