package onnx_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// pooled is the reference: sentence-transformers' pooling (models/Pooling.py) of x, N×L×D, by mask, N×L, in float64.
func pooled(how onnx.Pooling, x []float32, mask []int64, n, l, d int, normalize bool) []float32 {
	out := make([]float32, n*d)
	for i := range n {
		row := make([]float64, d)
		last, count := 0, 0.0
		for k := range l {
			if mask[i*l+k] == 1 {
				last = k
				count++
			}
		}
		for j := range d {
			at := func(k int) float64 { return float64(x[(i*l+k)*d+j]) }
			best := math.Inf(-1)
			for k := range l {
				on := float64(mask[i*l+k])
				switch how {
				case onnx.PoolMean:
					row[j] += on * at(k) / max(count, 1e-9)
				case onnx.PoolMax:
					if best = max(best, on*at(k)+(1-on)*-1e9); k == l-1 {
						row[j] = best
					}
				}
			}
			switch how {
			case onnx.PoolCLS:
				row[j] = at(0)
			case onnx.PoolLast:
				row[j] = at(last)
			}
		}
		norm := 0.0
		for _, v := range row {
			norm += v * v
		}
		if norm = math.Sqrt(norm); !normalize {
			norm = 1
		}
		for j, v := range row {
			out[i*d+j] = float32(v / max(norm, 1e-12))
		}
	}
	return out
}

// encoder builds x, N×L×4 of the given type → +0 → hidden, with a mask that nothing reads yet.
func encoder(opset int64, t onnx.DType, mask onnx.DType) *onnx.Model {
	m := &onnx.Model{Opsets: []onnx.Opset{{Version: opset}}}
	b := onnx.NewBuilder(m)
	x := b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Param("L"), onnx.Known(4))
	if mask != onnx.Undefined {
		b.Input("mask", mask, onnx.Param("N"), onnx.Param("L"))
	}
	b.Output(b.Cast(b.Neg(b.Neg(x)), t), "hidden")
	return m
}

func TestPoolingEqualsReference(t *testing.T) {
	const n, l, d = 3, 5, 4
	x := random(3, n, l, d)
	mask := []int64{1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0}
	for _, opset := range []int64{7, 8, 9, 11, 13, 17, 18, 21} {
		for _, how := range []onnx.Pooling{onnx.PoolMean, onnx.PoolMax, onnx.PoolCLS, onnx.PoolLast} {
			for _, normalize := range []bool{false, true} {
				t.Run(fmt.Sprint(opset, how, normalize), func(t *testing.T) {
					m := encoder(opset, onnx.Float32, onnx.Int64)
					o := onnx.FeatureOptions{Pooling: how, Mask: "mask", Normalize: normalize}
					v, err := onnx.MakeBackbone(m, onnx.Feature{Tensor: "hidden"}, o)
					if how == onnx.PoolLast && opset < 11 {
						if err == nil || !strings.Contains(err.Error(), "upgrade") {
							t.Fatalf("error %v, want one that says to upgrade", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if v.Name != "features" || len(m.Graph.Outputs) != 1 || m.Graph.Outputs[0].Shape[1].Size != d {
						t.Errorf("outputs %+v, want one called features, N×4", m.Graph.Outputs)
					}
					feeds := onnx.Feeds{"x": x}
					if how != onnx.PoolCLS {
						feeds["mask"] = onnx.NewTensor("mask", mask, n, l)
					}
					got := run(t, m, feeds)[0]
					nearFloats(t, floats(t, got), pooled(how, floats(t, x), mask, n, l, d, normalize), 1e-6)
				})
			}
		}
	}
}

func TestPoolingWithoutTokensGivesZeros(t *testing.T) {
	m := encoder(17, onnx.Float32, onnx.Int64)
	if _, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{Mask: "mask", Normalize: true}); err != nil {
		t.Fatal(err)
	}
	got := run(t, m, onnx.Feeds{"x": random(1, 1, 2, 4), "mask": onnx.NewTensor("", []int64{0, 0}, 1, 2)})[0]
	nearFloats(t, floats(t, got), make([]float32, 4), 0)
}

// TestPoolingNearZero has a mask of small weights and rows of small norm: the least divisors must not be felt.
func TestPoolingNearZero(t *testing.T) {
	for normalize, want := range map[bool][]float32{false: {3e-6, 0, 4e-6, 0}, true: {.6, 0, .8, 0}} {
		m := encoder(17, onnx.Float32, onnx.Float32)
		if _, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{Mask: "mask", Normalize: normalize}); err != nil {
			t.Fatal(err)
		}
		x := onnx.NewTensor("", []float32{3e-6, 0, 4e-6, 0, 1, 1, 1, 1}, 1, 2, 4)
		got := run(t, m, onnx.Feeds{"x": x, "mask": onnx.NewTensor("", []float32{1e-3, 0}, 1, 2)})[0]
		nearFloats(t, floats(t, got), want, float64(want[2])*1e-6)
	}
}

func TestPoolingOverAllTokens(t *testing.T) {
	const n, l, d = 2, 3, 4
	x := random(3, n, l, d)
	all := []int64{1, 1, 1, 1, 1, 1}
	for _, how := range []onnx.Pooling{"", onnx.PoolMax, onnx.PoolCLS, onnx.PoolLast} {
		m := encoder(13, onnx.Float32, onnx.Undefined)
		if _, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{Pooling: how, Name: "embedding"}); err != nil {
			t.Fatal(err)
		}
		want := how
		if how == "" {
			want = onnx.PoolMean
		}
		got := run(t, m, onnx.Feeds{"x": x}, "embedding")[0]
		nearFloats(t, floats(t, got), pooled(want, floats(t, x), all, n, l, d, false), 1e-6)
	}
}

// TestPoolingAddsMaskInput covers causal models, whose graphs have no mask: pooling brings one.
func TestPoolingAddsMaskInput(t *testing.T) {
	m := encoder(14, onnx.Float32, onnx.Undefined)
	if _, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{Pooling: onnx.PoolLast, Mask: "attention_mask"}); err != nil {
		t.Fatal(err)
	}
	x, mask := random(5, 2, 3, 4), []int64{1, 0, 0, 0, 1, 1} // the second is padded on the left
	got := run(t, m, onnx.Feeds{"x": x, "attention_mask": onnx.NewTensor("", mask, 2, 3)})[0]
	nearFloats(t, floats(t, got), pooled(onnx.PoolLast, floats(t, x), mask, 2, 3, 4, false), 0)
}

func TestPoolingOfFloat16AndOtherMasks(t *testing.T) {
	x := random(3, 2, 3, 4)
	mask := []int64{1, 1, 0, 1, 0, 0}
	masks := map[onnx.DType]*onnx.Tensor{
		onnx.Int32:   onnx.NewTensor("", []int32{1, 1, 0, 1, 0, 0}, 2, 3),
		onnx.Bool:    onnx.NewTensor("", []bool{true, true, false, true, false, false}, 2, 3),
		onnx.Float32: onnx.NewTensor("", []float32{1, 1, 0, 1, 0, 0}, 2, 3),
	}
	for kind, mt := range masks {
		m := encoder(17, onnx.Float16, kind)
		v, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{Mask: "mask"})
		if err != nil {
			t.Fatal(err)
		}
		if v.Type != onnx.Float32 {
			t.Errorf("features are %v, want float32", v.Type)
		}
		got := run(t, m, onnx.Feeds{"x": x, "mask": mt})[0]
		nearFloats(t, floats(t, got), pooled(onnx.PoolMean, floats(t, x), mask, 2, 3, 4, false), 2e-3)
	}
}

// TestBackboneOfPictures pools N×C×H×W and N×H×W×C, by hand here.
func TestBackboneOfPictures(t *testing.T) {
	x := random(4, 2, 3, 4, 5)
	want := make([]float32, 2*3)
	for i, v := range floats(t, x) {
		want[i/20] += v / 20
	}
	for _, last := range []bool{false, true} {
		m := &onnx.Model{}
		b := onnx.NewBuilder(m)
		kernel := onnx.NewTensor("", []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3, 1, 1)
		y := b.Conv(b.Input("x", onnx.Float32, onnx.Param("N"), onnx.Known(3), onnx.Known(4), onnx.Known(5)), b.Const("w", kernel), nil)
		if last {
			y = b.Abs(b.Transpose(y, 0, 2, 3, 1))
			y = b.Add(y, b.Neg(y)) // zero, of that layout
			y = b.Add(y, b.Transpose(b.Value(m.Graph.Nodes[0].Outputs[0]), 0, 2, 3, 1))
		}
		b.Output(y, "map")
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{}); err != nil {
			t.Fatal(err)
		}
		got := run(t, m, onnx.Feeds{"x": x})[0]
		if len(got.Shape) != 2 || got.Shape[1] != 3 {
			t.Fatalf("channels last %v: shape %v, want 2×3", last, got.Shape)
		}
		nearFloats(t, floats(t, got), want, 1e-6)
	}
}

// TestBackboneOfRealModels makes a backbone of each real model and looks at its only output.
func TestBackboneOfRealModels(t *testing.T) {
	for _, c := range realModels {
		t.Run(strings.Join(c.path[1:], "/"), func(t *testing.T) {
			m := load(t, c.path...).Clone()
			v, err := onnx.MakeBackbone(m, onnx.Feature{}, onnx.FeatureOptions{Normalize: true})
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, m, feedsFor(m, 3, 6))[0]
			if v.Type != onnx.Float32 || len(got.Shape) != 2 || got.Shape[0] != 3 || got.Shape[1] != c.want.Dim {
				t.Fatalf("%v of shape %v, want float32 3×%d", v.Type, got.Shape, c.want.Dim)
			}
			list := floats(t, got)
			for i := range 3 {
				norm := 0.0
				for _, x := range list[i*int(c.want.Dim) : (i+1)*int(c.want.Dim)] {
					norm += float64(x) * float64(x)
				}
				if math.Abs(norm-1) > 1e-5 {
					t.Errorf("row %d has norm² %g, want 1", i, norm)
				}
			}
		})
	}
}

func TestBackboneOfTokens(t *testing.T) {
	m := encoder(17, onnx.Float32, onnx.Undefined)
	v, err := onnx.MakeBackbone(m, onnx.Feature{Tensor: "hidden"}, onnx.FeatureOptions{Pooling: onnx.PoolTokens, Normalize: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Check(m); err != nil {
		t.Fatal(err)
	}
	if out := m.Graph.Outputs; len(out) != 1 || out[0].Name != "features" || len(out[0].Shape) != 3 || !out[0].Shape[2].Known || v == nil {
		t.Errorf("outputs %+v, want one, N×L×D", out)
	}
}

func TestBackboneErrors(t *testing.T) {
	for name, c := range map[string]struct {
		tensor string
		o      onnx.FeatureOptions
		says   string
	}{
		"unknown tensor":  {"hiden", onnx.FeatureOptions{}, `"hidden"`},
		"unknown pooling": {"hidden", onnx.FeatureOptions{Pooling: "median"}, "median"},
		"no pooling":      {"hidden", onnx.FeatureOptions{Pooling: onnx.PoolNone}, "needs a pooling"},
	} {
		_, err := onnx.MakeBackbone(encoder(17, onnx.Float32, onnx.Undefined), onnx.Feature{Tensor: c.tensor}, c.o)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %s", name, err, c.says)
		}
	}
}
