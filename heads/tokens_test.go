package heads_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

func TestDecodeBIO(t *testing.T) {
	for _, c := range []struct {
		tags string
		want []heads.Span
	}{
		{"", nil},
		{"O O", nil},
		{"B-a I-a O B-b", []heads.Span{{"a", 0, 2}, {"b", 3, 4}}},
		{"B-a B-a I-a", []heads.Span{{"a", 0, 1}, {"a", 1, 3}}},
		{"I-a I-a", []heads.Span{{"a", 0, 2}}},
		{"B-a I-b I-b", []heads.Span{{"a", 0, 1}, {"b", 1, 3}}},
		{"B-a O I-a", []heads.Span{{"a", 0, 1}, {"a", 2, 3}}},
		{"B-x-y I-x-y", []heads.Span{{"x-y", 0, 2}}},
	} {
		got, err := heads.DecodeBIO(strings.Fields(c.tags))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %v, %v; want %v", c.tags, got, err, c.want)
		}
	}
	for _, bad := range []string{"B", "X-a", "B-", "o"} {
		if _, err := heads.DecodeBIO([]string{"O", bad}); err == nil || !strings.Contains(err.Error(), "token 1") {
			t.Errorf("%q: error %v, want one that names token 1", bad, err)
		}
	}
}

// TagBIO against all sequences tried one by one.
func TestTagBIOFindsTheBestLegalSequence(t *testing.T) {
	labels := []string{"I-b", "O", "B-a", "I-a", "B-b"}
	legal := func(tags []string) bool {
		last := "O"
		for _, tag := range tags {
			if tag[0] == 'I' && (last == "O" || last[2:] != tag[2:]) {
				return false
			}
			last = tag
		}
		return true
	}
	r := rand.New(rand.NewPCG(8, 9))
	const length = 4
	for range 200 {
		z := heads.NewMatrix(length, len(labels))
		for i := range z.Data {
			z.Data[i] = float32(r.NormFloat64())
		}
		var best []string
		highest := math.Inf(-1)
		for code := range 625 {
			tags, score := make([]string, length), 0.0
			for i := range tags {
				j := code % 5
				code /= 5
				tags[i] = labels[j]
				score += float64(z.Row(i)[j]) // log-softmax only takes off a number that is the same for every tag
			}
			if legal(tags) && score > highest {
				best, highest = tags, score
			}
		}
		got, err := heads.TagBIO(labels, z)
		if err != nil || !slices.Equal(got, best) {
			t.Fatalf("got %v, %v; want %v", got, err, best)
		}
	}
	if _, err := heads.TagBIO([]string{"B-a", "I-a"}, heads.NewMatrix(2, 2)); err == nil {
		t.Error("labels without O accepted")
	}
	var shape *heads.ShapeError
	if _, err := heads.TagBIO(labels, heads.NewMatrix(2, 4)); !errors.As(err, &shape) {
		t.Errorf("four columns for five labels: %v, want a ShapeError", err)
	}
	if tags, err := heads.TagBIO(labels, heads.Matrix{Cols: 5}); err != nil || len(tags) != 0 {
		t.Errorf("no tokens: %v, %v", tags, err)
	}
}

func normalMatrix(r *rand.Rand, rows, cols int) heads.Matrix {
	m := heads.NewMatrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// evaluate runs a model that build makes of inputs of the shapes given.
func evaluate(t *testing.T, inputs map[string]*onnx.Tensor, build func(b *onnx.Builder, in map[string]*onnx.Value) *onnx.Value) *onnx.Tensor {
	t.Helper()
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	values := map[string]*onnx.Value{}
	for _, name := range []string{"u", "v"} {
		if in := inputs[name]; in != nil {
			dims := make([]onnx.Dim, len(in.Shape))
			for i, n := range in.Shape {
				if dims[i] = onnx.Param(name + string(rune('a'+i))); i+1 == len(dims) {
					dims[i] = onnx.Known(n)
				}
			}
			values[name] = b.Input(name, onnx.Float32, dims...)
		}
	}
	b.Output(build(b, values), "out")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	s, err := orttest.Open(t).NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(t.Context(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func TestTokensAreClassifiedOneByOne(t *testing.T) {
	const n, l, d = 3, 5, 4
	r := rand.New(rand.NewPCG(1, 5))
	x := normalMatrix(r, n*l, d)
	y := heads.Targets{Class: make([]int, n*l), Classes: 3}
	for i := range y.Class {
		y.Class[i] = i % 3
	}
	var h heads.Logistic
	if err := h.Fit(t.Context(), x, y); err != nil {
		t.Fatal(err)
	}
	want, err := h.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	out := evaluate(t, map[string]*onnx.Tensor{"u": onnx.NewTensor("u", x.Data, n, l, d)},
		func(b *onnx.Builder, in map[string]*onnx.Value) *onnx.Value {
			v, err := heads.EmitTokens(b, &h, in["u"], d)
			if err != nil {
				t.Fatal(err)
			}
			return v
		})
	if !slices.Equal(out.Shape, []int64{n, l, 3}) {
		t.Fatalf("shape %v, want %v", out.Shape, []int64{n, l, 3})
	}
	compareOutput(t, out, want)
}

func TestPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 5))
	u, v := normalMatrix(r, 3, 2), normalMatrix(r, 3, 2)
	want, err := heads.Pairs(u, v)
	if err != nil {
		t.Fatal(err)
	}
	a, b := u.Row(1), v.Row(1)
	abs := func(f float32) float32 { return float32(math.Abs(float64(f))) }
	hand := []float32{a[0], a[1], b[0], b[1], abs(a[0] - b[0]), abs(a[1] - b[1]), a[0] * b[0], a[1] * b[1]}
	if !slices.Equal(want.Row(1), hand) {
		t.Errorf("row 1: got %v, want %v", want.Row(1), hand)
	}
	out := evaluate(t, map[string]*onnx.Tensor{"u": onnx.NewTensor("u", u.Data, 3, 2), "v": onnx.NewTensor("v", v.Data, 3, 2)},
		func(b *onnx.Builder, in map[string]*onnx.Value) *onnx.Value {
			return heads.EmitPairs(b, in["u"], in["v"])
		})
	compareOutput(t, out, want)
	var shape *heads.ShapeError
	if _, err := heads.Pairs(u, heads.NewMatrix(3, 3)); !errors.As(err, &shape) {
		t.Errorf("unequal columns: %v, want a ShapeError", err)
	}
}

func compareOutput(t *testing.T, out *onnx.Tensor, want heads.Matrix) {
	t.Helper()
	got, err := onnx.View[float32](out)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want.Data {
		if math.Abs(float64(got[i]-v)) > 1e-5 {
			t.Fatalf("number %d: got %v, want %v", i, got[i], v)
		}
	}
}
