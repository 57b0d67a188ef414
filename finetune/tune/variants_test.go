package tune_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// drawings are 3×6×6 pictures; the class is whether a bright column stands in the first channel or in the second.
type drawings struct {
	pixels [][]float32
	class  []int
	shift  int // columns all are moved by
}

func newDrawings(n int) drawings {
	r := rand.New(rand.NewPCG(4, 4))
	var d drawings
	for range n {
		x := make([]float32, 3*6*6)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		class, column := r.IntN(2), r.IntN(6)
		for y := range 6 {
			x[class*36+y*6+column] += 2
		}
		d.pixels, d.class = append(d.pixels, x), append(d.class, class)
	}
	return d
}

func (d drawings) Len() int     { return len(d.class) }
func (d drawings) Size(int) int { return 1 }

func (d drawings) Feeds(rows []int) (onnx.Feeds, error) {
	var data []float32
	for _, r := range rows {
		for i := range d.pixels[r] {
			data = append(data, d.pixels[r][i-i%6+(i+d.shift)%6])
		}
	}
	return onnx.Feeds{"data": onnx.NewTensor("data", data, int64(len(rows)), 3, 6, 6)}, nil
}

// network is a random backbone for drawings: a 3×3 convolution, one of 1×1 with a stride, a Gemm of each orientation.
func (d drawings) network(t *testing.T) *onnx.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(6, 6))
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	weight := func(name string, shape ...int64) *onnx.Value {
		n, in := int64(1), int64(1)
		for i, s := range shape {
			n *= s
			if i > 0 {
				in *= s
			}
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.NormFloat64() / math.Sqrt(float64(in)))
		}
		return b.Const(name, onnx.NewTensor(name, data, shape...))
	}
	x := b.Input("data", onnx.Float32, onnx.Param("batch"), onnx.Known(3), onnx.Known(6), onnx.Known(6))
	x = b.Relu(b.Conv(x, weight("wide", 8, 3, 3, 3), weight("c", 8), onnx.IntsAttr("pads", 1, 1, 1, 1)))
	x = b.Relu(b.Conv(x, weight("narrow", 12, 8, 1, 1), nil, onnx.IntsAttr("strides", 2, 2)))
	x = b.Flatten(b.GlobalAveragePool(x), 1)
	x = b.Relu(b.Gemm(x, weight("up", 12, 12), weight("e", 12), false))
	x = b.Op("Gemm", []*onnx.Value{x, weight("down", 12, 12)}, onnx.IntAttr("transB", 1), onnx.FloatAttr("alpha", 2))
	b.Output(x, "features")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (d drawings) problem(m *onnx.Model, train int) *tune.Problem {
	p := sample{ids: make([][]int64, len(d.class)), class: d.class}.problem(m, train)
	p.Examples = d
	p.Targets = func(rows []int) (*onnx.Tensor, error) {
		classes := make([]int, len(rows))
		for i, r := range rows {
			classes[i] = d.class[r]
		}
		return autodiff.CrossEntropy{}.Targets(classes, 2, 0, nil)
	}
	p.View = func(view int) tune.Examples {
		moved := d
		moved.shift = view % 6
		return moved
	}
	return p
}

// scored runs a trained backbone and its head over the validation examples.
func scored(t *testing.T, p *tune.Problem, r *tune.Result) float64 {
	t.Helper()
	s, err := orttest.Open(t).NewSession(r.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	logits := heads.NewMatrix(len(p.Validation), 2)
	for i, row := range p.Validation {
		feeds, err := p.Examples.Feeds([]int{row})
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Run(context.Background(), feeds)
		if err != nil {
			t.Fatal(err)
		}
		x, err := onnx.View[float32](out[0])
		if err != nil {
			t.Fatal(err)
		}
		for k := range 2 {
			logits.Row(i)[k] = r.Bias[k]
			for j, v := range x {
				logits.Row(i)[k] += v * r.Weight.Row(k)[j]
			}
		}
	}
	return p.Score(logits)
}

// TestVariants: each way to train learns, and what is written back answers as what was judged, in a graph that has the nodes
// and names it had.
func TestVariants(t *testing.T) {
	rt := orttest.Open(t)
	words, pictures := newSample(400), newDrawings(300)
	views := func(p *tune.Problem) *tune.Problem { return p }
	plain := func(p *tune.Problem) *tune.Problem {
		p.View = nil
		return p
	}
	for _, c := range []struct {
		name    string
		picture func(*tune.Problem) *tune.Problem // nil: words
		least   float64
		set     func(s *tune.Settings)
	}{
		{"lora", nil, 0.85, func(s *tune.Settings) { s.LoRA.Rank = 4 }},
		{"lora, top layer", nil, 0.7, func(s *tune.Settings) { s.LoRA.Rank, s.Unfreeze.Top = 4, 1 }},
		{"lora, convolutions", plain, 0.7, func(s *tune.Settings) { s.LoRA.Rank = 3 }},
		{"running mean", nil, 0.9, func(s *tune.Settings) { s.Average = 0.95 }},
		{"accumulated", nil, 0.85, func(s *tune.Settings) { s.BatchSize, s.Accumulate = 5, 3 }},
		{"momentum", nil, 0.8, func(s *tune.Settings) { s.Optimizer, s.LearningRate = optim.KindSGD, 0.05 }},
		{"found rate", nil, 0.85, func(s *tune.Settings) { s.FindRate = true }},
		{"layer decay", nil, 0.85, func(s *tune.Settings) { s.LayerDecay = 0.8 }},
		{"mixup", plain, 0.8, func(s *tune.Settings) { s.Mixup = 0.4 }},
		{"views", views, 0.8, func(*tune.Settings) {}},
		{"two views", views, 0.8, func(s *tune.Settings) { s.Views = 2 }},
		{"views of the top", views, 0.5, func(s *tune.Settings) { s.Unfreeze.Kind = "none" }},
		{"two views of the top", views, 0.5, func(s *tune.Settings) { s.Unfreeze.Kind, s.Views = "none", 2 }},
		{"mixup of the top", plain, 0.45, func(s *tune.Settings) { s.Unfreeze.Kind, s.Mixup = "none", 0.4 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tune.Settings{Epochs: 10, LearningRate: 5e-3, HeadScale: 1, Dropout: -1, Seed: 3}
			c.set(&s)
			p := words.problem(attention(t), 300)
			if c.picture != nil {
				p = c.picture(pictures.problem(pictures.network(t), 220))
			}
			r, err := tune.Run(context.Background(), rt, p, s)
			if err != nil {
				t.Fatal(err)
			}
			best := *r.History[r.Best].Score
			t.Logf("score %.3f after epoch %d of %d numbers, rate %g", best, r.Best, r.Trained, r.Settings.LearningRate)
			if best < c.least {
				t.Errorf("score %.3f, want %.2f", best, c.least)
			}
			if got := scored(t, p, r); math.Abs(got-best) > 1.5/float64(len(p.Validation)) {
				t.Errorf("the backbone written back scores %.3f, judged was %.3f", got, best)
			}
			if want, got := structure(p.Model), structure(r.Model); want != got {
				t.Errorf("the graph is\n%s\nwas\n%s", got, want)
			}
			again, err := tune.Run(context.Background(), rt, p, s)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := r.Model.Bytes()
			b, _ := again.Model.Bytes()
			if !bytes.Equal(a, b) {
				t.Error("the same seed gives other weights")
			}
		})
	}
}

// structure is all of a graph but its numbers.
func structure(m *onnx.Model) string {
	var b strings.Builder
	for _, n := range m.Graph.Nodes {
		b.WriteString(strings.Join(append([]string{n.OpType, n.Name}, append(n.Inputs, n.Outputs...)...), " ") + "\n")
	}
	for _, t := range m.Graph.Initializers {
		b.WriteString(t.Name + " " + t.Type.String() + "\n")
	}
	return b.String()
}

// TestAccumulated: two batches of half the size make the step of one.
func TestAccumulated(t *testing.T) {
	s := newSample(64)
	run := func(batch, accumulate int) *tune.Result {
		p := s.problem(attention(t), 64)
		p.Validation = nil
		r, err := tune.Run(context.Background(), orttest.Open(t), p, tune.Settings{
			Epochs: 1, BatchSize: batch, Accumulate: accumulate, Dropout: -1, Warmup: -1, LearningRate: 1e-2, Optimizer: optim.KindSGD,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, two := run(64, 1), run(32, 2)
	for i, v := range one.Weight.Data {
		if d := math.Abs(float64(v - two.Weight.Data[i])); d > 1e-5 {
			t.Fatalf("number %d differs by %g", i, d)
		}
	}
}

// TestKept: a second run on the same examples runs no frozen layer, gives the same bytes, and a damaged file is made again.
func TestKept(t *testing.T) {
	rt, s := orttest.Open(t), newSample(200)
	kept := &tune.Kept{Dir: filepath.Join(t.TempDir(), "kept"), Identity: "sample"}
	var first []byte
	run := func(kept *tune.Kept, rate float64) []byte {
		p := s.problem(attention(t), 150)
		p.Kept = kept
		r, err := tune.Run(context.Background(), rt, p, tune.Settings{Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 2, LearningRate: rate})
		if err != nil {
			t.Fatal(err)
		}
		data, err := r.Model.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	files := func() []string {
		names, _ := filepath.Glob(filepath.Join(kept.Dir, "*.activations"))
		return names
	}
	want := run(nil, 1e-3)
	if first = run(kept, 1e-3); !bytes.Equal(first, want) || len(files()) != 1 {
		t.Fatalf("files %v, same bytes %v", files(), bytes.Equal(first, want))
	}
	before, _ := os.Stat(files()[0])
	run(kept, 1e-2)
	if again := run(kept, 1e-3); !bytes.Equal(again, want) {
		t.Error("kept activations give other weights")
	}
	if after, _ := os.Stat(files()[0]); len(files()) != 1 || !os.SameFile(before, after) {
		t.Errorf("they were computed again: %v", files())
	}
	data, _ := os.ReadFile(files()[0])
	data[7] ^= 1
	if err := os.WriteFile(files()[0], data, 0o666); err != nil {
		t.Fatal(err)
	}
	if again := run(kept, 1e-3); !bytes.Equal(again, want) {
		t.Error("damaged activations were used")
	}
	other := &tune.Kept{Dir: kept.Dir, Identity: "another"}
	if run(other, 1e-3); len(files()) != 2 {
		t.Errorf("other examples share a file: %v", files())
	}
	list, err := tune.ListKept(kept.Dir)
	if err != nil || len(list) != 2 || list[0].Rows != 200 || list[0].Bytes == 0 {
		t.Errorf("listed: %+v, %v", list, err)
	}
}

// TestCausal trains a small language model of the GPT class by its last token, whole and by adapters.
func TestCausal(t *testing.T) {
	path := onnxtest.Shared(t, "assets", "text-models", "stories260k_llama", "model.onnx")
	s := newSample(120)
	for i, ids := range s.ids { // all of one length: the graph has no mask
		for len(ids) < 8 {
			ids = append(ids, 2)
		}
		s.ids[i] = ids
	}
	for name, settings := range map[string]tune.Settings{"all": {}, "top": {Unfreeze: tune.Unfreeze{Top: 2}}, "lora": {LoRA: tune.LoRA{Rank: 4}}} {
		m, err := onnx.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := onnx.MakeBackbone(m, onnx.Feature{Tensor: "last_hidden_state", Rank: 3, Dim: 64}, onnx.FeatureOptions{Pooling: onnx.PoolLast}); err != nil {
			t.Fatal(err)
		}
		p := s.problem(m, 90)
		p.Weight = heads.NewMatrix(2, 64)
		settings.Epochs, settings.LearningRate = 6, 2e-3
		r, err := tune.Run(context.Background(), orttest.Open(t), p, settings)
		if err != nil {
			t.Fatal(err)
		}
		first, last := *r.History[1].Loss, *r.History[6].Loss
		t.Logf("%s: %d numbers, loss %.3f to %.3f, score %.3f", name, r.Trained, first, last, *r.History[r.Best].Score)
		if last > 0.8*first {
			t.Errorf("%s: the loss went from %.3f to %.3f", name, first, last)
		}
	}
}

func TestRefused(t *testing.T) {
	words := newSample(40)
	for want, s := range map[string]tune.Settings{
		"dropout is 1, want below 1":      {Dropout: 1},
		"mixup is 2, want from 0 to 1":    {Mixup: 2},
		"mixup mixes pictures":            {Mixup: 0.2},
		"LoRA adapts the matrices":        {LoRA: tune.LoRA{Rank: 2}, Unfreeze: tune.Unfreeze{Kind: "norm"}},
		"nothing makes views":             {Views: 2},
		"epochs is -1, want 1 or more":    {Epochs: -1},
		"label smoothing is 1, want from": {Smoothing: 1},
	} {
		_, err := tune.Run(context.Background(), orttest.Open(t), words.problem(attention(t), 30), s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
