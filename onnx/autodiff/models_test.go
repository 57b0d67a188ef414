package autodiff_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/onnxtest/reference"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// A realModel is a shared backbone and how to feed it.
type realModel struct {
	path   []string
	fused  int     // layer normalisations and GELUs that are written out in it
	vocab  int64   // texts: input_ids below this
	size   int64   // pictures: height and width
	within float64 // bound of float32's relative error; 1e-6 unless said
}

var realModels = []realModel{
	{path: []string{"minis", "text", "model.onnx"}, fused: 4, vocab: 10000},
	{path: []string{"minis", "image", "model.onnx"}, size: 64},
	{path: []string{"assets", "text-models", "minilm-l6", "onnx", "model.onnx"}, fused: 19, vocab: 30522},
	{path: []string{"assets", "text-models", "chrome_topics_bert_l6_h96", "model.onnx"}, fused: 19, vocab: 16754,
		within: 2e-6}, // its embeddings vary so little that the normalisation behind them magnifies every rounding error,
	{path: []string{"assets", "text-models", "stories260k_llama", "model.onnx"}, vocab: 512},
	{path: []string{"assets", "vision-models", "resnet18_layer3", "model.onnx"}, size: 224},
	{path: []string{"assets", "vision-models", "mobilenetv2_gluon_backbone", "model.onnx"}, size: 224},
	{path: []string{"assets", "vision-models", "squeezenet1_1", "model.onnx"}, size: 224},
	{path: []string{"assets", "vision-models", "mobilenetv1_0.25_128", "model.onnx"}, size: 128},
	{path: []string{"assets", "vision-models", "resnet20_cifar10", "model.onnx"}, size: 32},
}

// TestModels differentiates each real model with respect to all its weights. The gradient graph run by ONNX Runtime in
// float32 must agree with the same graph evaluated in float64, norm-wise over all weights, and that with the central
// difference of the untouched forward graph along a random direction.
func TestModels(t *testing.T) {
	rt := orttest.Open(t)
	for i, c := range realModels {
		t.Run(c.path[len(c.path)-2], func(t *testing.T) {
			m, err := onnx.Load(onnxtest.Shared(t, c.path...))
			if err != nil {
				t.Fatal(err)
			}
			jitter(t, m, rand.New(rand.NewPCG(11, uint64(i))))
			original := m.Clone()
			withLoss(t, original)
			if err := onnx.Upgrade(m, 20); err != nil {
				t.Fatal(err)
			}
			withLoss(t, m)
			fused, err := autodiff.Fuse(m)
			if err != nil {
				t.Fatal(err)
			}
			if fused != c.fused {
				t.Errorf("fused %d layer normalisations and GELUs, want %d", fused, c.fused)
			}
			r := rand.New(rand.NewPCG(7, uint64(i)))
			small, large := c.feeds(m, r, 2, 5), c.feeds(m, r, 3, 7)
			shapes, err := autodiff.Measure(context.Background(), rt, m, small, large)
			if err != nil {
				t.Fatal(err)
			}
			weights := allWeights(t, m)
			g, err := autodiff.Gradient(m, "loss", weights, shapes)
			if err != nil {
				t.Fatal(err)
			}
			within := 1e-6
			if c.within > 0 {
				within = c.within
			}
			compare(t, rt, g, original, weights, c.feeds(m, r, 1, 6), r, within)
		})
	}
}

// compare holds the three ways to a gradient against each other.
func compare(t *testing.T, rt onnx.Runtime, g, forward *onnx.Model, weights []string, feeds onnx.Feeds, r *rand.Rand, within float64) {
	t.Helper()
	session, err := rt.NewSession(g)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	got, err := session.Run(context.Background(), feeds)
	if err != nil {
		t.Fatal(err)
	}
	want, err := reference.Evaluate(g, arrays(t, feeds))
	if err != nil {
		t.Fatal(err)
	}
	var off, norm, slope, length float64
	direction := map[string][]float64{}
	for i, name := range weights {
		exact := want[autodiff.GradientName(name)].F
		single, err := got[i+1].Float32s()
		if err != nil || len(single) != len(exact) {
			t.Fatalf("gradient of %s has %d numbers, want %d (%v)", name, len(single), len(exact), err)
		}
		d := make([]float64, len(exact))
		for j, v := range exact {
			off += (float64(single[j]) - v) * (float64(single[j]) - v)
			norm += v * v
			d[j] = r.NormFloat64()
			slope += d[j] * v
			length += d[j] * d[j]
		}
		direction[name] = d
	}
	length = math.Sqrt(length)
	for _, d := range direction { // of length 1 all together, so that few kinks are crossed
		for j := range d {
			d[j] /= length
		}
	}
	slope /= length
	relative := math.Sqrt(off / norm)
	t.Logf("%d weights, gradient norm %.4g, float32 against float64: %.2g relative", len(weights), math.Sqrt(norm), relative)
	if !(relative < within) {
		t.Errorf("float32 gradient is off by %.2g relative, want less than %g", relative, within)
	}
	difference := directional(t, forward, arrays(t, feeds), direction)
	if d := math.Abs(difference-slope) / max(math.Abs(slope), 1e-3*math.Sqrt(norm)/length); !(d < 1e-5) {
		t.Errorf("slope along a random direction is %.9g, the central difference %.9g", slope, difference)
	}
}

// TestRowGradient: the gradients of looked-up rows, summed, are the tables'; all else is as Gradient has it.
func TestRowGradient(t *testing.T) {
	m := must[*onnx.Model](t)(onnx.Load(onnxtest.Shared(t, "minis", "text", "model.onnx")))
	withLoss(t, m)
	if err := autodiff.Prepare(m); err != nil {
		t.Fatal(err)
	}
	ctx, rt, r := context.Background(), orttest.Open(t), rand.New(rand.NewPCG(5, 5))
	c := realModels[0]
	shapes := must[*autodiff.Shapes](t)(autodiff.Measure(ctx, rt, m, c.feeds(m, r, 2, 5), c.feeds(m, r, 3, 7)))
	weights, feeds := allWeights(t, m), c.feeds(m, r, 4, 11)
	run := func(g *onnx.Model) map[string]*onnx.Tensor {
		session := must[onnx.Session](t)(rt.NewSession(g))
		defer session.Close()
		named := map[string]*onnx.Tensor{}
		for i, v := range must[[]*onnx.Tensor](t)(session.Run(ctx, feeds)) {
			named[g.Graph.Outputs[i].Name] = v
		}
		return named
	}
	want := run(must[*onnx.Model](t)(autodiff.Gradient(m, "loss", weights, shapes)))
	g, tables, err := autodiff.RowGradient(m, "loss", weights, shapes)
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) < 2 {
		t.Errorf("tables of embeddings: %q, want those of words and of places", tables)
	}
	got := run(g)
	for _, name := range weights {
		full := must[[]float32](t)(want[autodiff.GradientName(name)].Float32s())
		sum := make([]float32, len(full))
		if slices.Contains(tables, name) {
			rows, indices := got[autodiff.RowsName(name)], must[[]int64](t)(onnx.View[int64](got[autodiff.IndicesName(name)]))
			width := int(rows.Shape[1])
			for i, v := range must[[]float32](t)(rows.Float32s()) {
				sum[int(indices[i/width])*width+i%width] += v
			}
		} else {
			sum = must[[]float32](t)(got[autodiff.GradientName(name)].Float32s())
		}
		for i, v := range full {
			if d := math.Abs(float64(sum[i] - v)); !(d <= 1e-6) {
				t.Fatalf("%s: number %d is %v, want %v", name, i, sum[i], v)
			}
		}
	}
}

// must returns v, or ends the test with the error beside it.
func must[V any](t testing.TB) func(v V, err error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// directional is the central difference of the loss when all weights move along a direction.
func directional(t *testing.T, m *onnx.Model, feeds map[string]*reference.Array, direction map[string][]float64) float64 {
	t.Helper()
	const h = 1e-6
	loss := func(step float64) float64 {
		moved := map[string]*reference.Array{}
		for name, a := range feeds {
			moved[name] = a
		}
		index := onnx.NewIndex(m.Graph)
		for name, d := range direction {
			a, err := reference.FromTensor(index.Weight(name))
			if err != nil {
				t.Fatal(err)
			}
			for i := range d {
				a.F[i] += step * d[i]
			}
			moved[name] = a
		}
		v, err := reference.Evaluate(m, moved)
		if err != nil {
			t.Fatal(err)
		}
		return v["loss"].F[0]
	}
	return (loss(h) - loss(-h)) / (2 * h)
}

// jitter moves every weight a little, so that no activation lies exactly in the corner of a Relu, as those of a channel
// whose weights are all zero do.
func jitter(t *testing.T, m *onnx.Model, r *rand.Rand) {
	t.Helper()
	layers, err := autodiff.Layers(m, m.Graph.Outputs[len(m.Graph.Outputs)-1].Name)
	if err != nil {
		t.Fatal(err)
	}
	index := onnx.NewIndex(m.Graph)
	for _, l := range layers {
		for _, name := range l.Weights {
			w := index.Weight(name)
			if w.Type != onnx.Float32 {
				continue
			}
			data, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			moved := make([]float32, len(data))
			for i, v := range data {
				moved[i] = v + float32(1e-3*r.NormFloat64())
			}
			w.Data = onnx.NewTensor("", moved, w.Shape...).Data
		}
	}
}

// withLoss makes loss the model's only output: the mean of the last output, each feature weighed by a cosine.
func withLoss(t *testing.T, m *onnx.Model) {
	t.Helper()
	last := m.Graph.Outputs[len(m.Graph.Outputs)-1].Name
	b := onnx.NewBuilder(m)
	y := b.Value(last)
	width := y.Shape[len(y.Shape)-1].Size
	weights := make([]float32, width)
	for i := range weights {
		weights[i] = float32(math.Cos(float64(i)))
	}
	weighed := b.Reshape(b.Mul(y, b.Const("weights", onnx.NewTensor("", weights, width))), 1, -1)
	b.Output(b.Reshape(b.ReduceMean(weighed, true, 0, 1), 1), "loss")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Cut(m, "loss"); err != nil {
		t.Fatal(err)
	}
}

// allWeights are the weights of every layer, sorted.
func allWeights(t *testing.T, m *onnx.Model) []string {
	t.Helper()
	layers, err := autodiff.Layers(m, "loss")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range layers {
		names = append(names, l.Weights...)
	}
	slices.Sort(names)
	return names
}

// feeds are random inputs of rows texts of tokens tokens, the last text padded, or of rows pictures.
func (c realModel) feeds(m *onnx.Model, r *rand.Rand, rows, tokens int64) onnx.Feeds {
	feeds := onnx.Feeds{}
	for _, in := range m.Graph.Inputs {
		if c.size > 0 {
			data := make([]float32, rows*3*c.size*c.size)
			for i := range data {
				data[i] = float32(r.NormFloat64())
			}
			feeds[in.Name] = onnx.NewTensor(in.Name, data, rows, 3, c.size, c.size)
			continue
		}
		data := make([]int64, rows*tokens)
		for i := range data {
			switch in.Name {
			case "input_ids":
				data[i] = r.Int64N(c.vocab)
			case "attention_mask":
				if int64(i) < rows*tokens-2 || rows == 1 {
					data[i] = 1
				}
			}
		}
		feeds[in.Name] = onnx.NewTensor(in.Name, data, rows, tokens)
	}
	return feeds
}

func arrays(t *testing.T, feeds onnx.Feeds) map[string]*reference.Array {
	t.Helper()
	out := map[string]*reference.Array{}
	for name, f := range feeds {
		a, err := reference.FromTensor(f)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = a
	}
	return out
}
