package tune_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// A sample is random token lists of 3 to 8 tokens for a network of our own; the class is whether token 1 occurs.
type sample struct {
	ids   [][]int64
	class []int
}

func newSample(n int) sample {
	r := rand.New(rand.NewPCG(1, 1))
	var s sample
	for range n {
		row := make([]int64, 3+r.IntN(6))
		for i := range row {
			row[i] = 2 + r.Int64N(18)
		}
		class := r.IntN(2)
		if class == 1 {
			row[r.IntN(len(row))] = 1
		}
		s.ids, s.class = append(s.ids, row), append(s.class, class)
	}
	return s
}

func (s sample) Len() int       { return len(s.ids) }
func (s sample) Size(i int) int { return len(s.ids[i]) }

func (s sample) Feeds(rows []int) (onnx.Feeds, error) {
	longest := 0
	for _, r := range rows {
		longest = max(longest, len(s.ids[r]))
	}
	ids, mask := make([]int64, len(rows)*longest), make([]int64, len(rows)*longest)
	for i, r := range rows {
		for j, id := range s.ids[r] {
			ids[i*longest+j], mask[i*longest+j] = id, 1
		}
	}
	shape := []int64{int64(len(rows)), int64(longest)}
	return onnx.Feeds{"input_ids": onnx.NewTensor("input_ids", ids, shape...), "attention_mask": onnx.NewTensor("attention_mask", mask, shape...)}, nil
}

// attention is a random backbone of two layers of one-headed self-attention behind an embedding, mean-pooled.
func attention(t *testing.T) *onnx.Model { return attentionOver(t, true) }

// attentionOver is attention's backbone, or that without its pooling: N×L×D.
func attentionOver(t *testing.T, pooled bool) *onnx.Model {
	t.Helper()
	const d = 12
	r := rand.New(rand.NewPCG(2, 2))
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	weight := func(name string, scale float64, shape ...int64) *onnx.Value {
		n := int64(1)
		for _, s := range shape {
			n *= s
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(scale * r.NormFloat64())
		}
		return b.Const(name, onnx.NewTensor(name, data, shape...))
	}
	ids := b.Input("input_ids", onnx.Int64, onnx.Param("batch"), onnx.Param("tokens"))
	mask := b.Cast(b.Input("attention_mask", onnx.Int64, onnx.Param("batch"), onnx.Param("tokens")), onnx.Float32)
	x := b.Gather(weight("table", 1, 20, d), ids, 0)
	away := b.Mul(b.Sub(b.Unsqueeze(mask, 1), b.Float(1)), b.Float(1e4))
	for range 2 {
		q, k, v := b.MatMul(x, weight("q", 0.3, d, d)), b.MatMul(x, weight("k", 0.3, d, d)), b.MatMul(x, weight("v", 0.3, d, d))
		scores := b.Add(b.MatMul(q, b.Transpose(k, 0, 2, 1)), away)
		x = b.Add(x, b.MatMul(b.Softmax(scores, -1), v))
		x = b.Add(x, b.Relu(b.MatMul(x, weight("w", 0.3, d, d))))
	}
	if pooled {
		weights := b.Unsqueeze(mask, 2)
		x = b.Div(b.ReduceSum(b.Mul(x, weights), false, 1), b.ReduceSum(weights, false, 1))
	}
	b.Output(x, "features")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (s sample) problem(m *onnx.Model, train int) *tune.Problem {
	rows := make([]int, len(s.ids))
	for i := range rows {
		rows[i] = i
	}
	held := rows[train:]
	return &tune.Problem{
		Model: m, Weight: heads.NewMatrix(2, 12), Bias: make([]float32, 2), Loss: autodiff.CrossEntropy{},
		Targets: func(rows []int) (*onnx.Tensor, error) {
			classes := make([]int, len(rows))
			for i, r := range rows {
				classes[i] = s.class[r]
			}
			return autodiff.CrossEntropy{}.Targets(classes, 2, 0, nil)
		},
		Examples: s, Train: rows[:train], Validation: held,
		Score: func(logits heads.Matrix) float64 {
			right := 0.0
			for i, r := range held {
				if (logits.Row(i)[1] > logits.Row(i)[0]) == (s.class[r] == 1) {
					right++
				}
			}
			return right / float64(len(held))
		},
	}
}

// TestRun: training all weights learns what the frozen backbone cannot show, and training the top layer alone, from cached
// activations, gives the same first step as the same layer of the whole.
func TestRun(t *testing.T) {
	rt := orttest.Open(t)
	s := newSample(500)
	m := attention(t)
	before, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		unfreeze string
		least    float64
	}{{"all", 0.95}, {"top:1", 0.8}, {"none", 0.5}} {
		u, err := tune.ParseUnfreeze(c.unfreeze)
		if err != nil {
			t.Fatal(err)
		}
		settings := tune.Settings{Unfreeze: u, Epochs: 12, LearningRate: 5e-3, HeadScale: 1, Dropout: -1, Seed: 3}
		a, err := tune.Run(context.Background(), rt, s.problem(m, 400), settings)
		if err != nil {
			t.Fatal(err)
		}
		best := a.History[a.Best]
		t.Logf("%s: score %.3f after epoch %d, %d numbers trained", c.unfreeze, *best.Score, best.Number, a.Trained)
		if *best.Score < c.least {
			t.Errorf("%s: score %.3f, want %.2f", c.unfreeze, *best.Score, c.least)
		}
		again, err := tune.Run(context.Background(), rt, s.problem(m, 400), settings)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := a.Model.Bytes()
		y, _ := again.Model.Bytes()
		if !slices.Equal(x, y) || !slices.Equal(a.Weight.Data, again.Weight.Data) {
			t.Errorf("%s: the same seed gives other weights", c.unfreeze)
		}
	}
	if after, _ := m.Bytes(); !slices.Equal(before, after) {
		t.Error("training changed the backbone it was given")
	}
}

// Validation examples may have lengths that no training example has.
func TestOneLengthToTrainOn(t *testing.T) {
	rt := orttest.Open(t)
	s := newSample(300)
	for i := range 250 {
		s.ids[i] = s.ids[i][:3]
		s.class[i] = 0
		if slices.Contains(s.ids[i], 1) {
			s.class[i] = 1
		}
	}
	for _, u := range []tune.Unfreeze{{}, {Top: 1}, {Kind: "none"}} {
		settings := tune.Settings{Unfreeze: u, Epochs: 8, LearningRate: 5e-3, HeadScale: 1, Seed: 3}
		r, err := tune.Run(context.Background(), rt, s.problem(attention(t), 250), settings)
		if err != nil {
			t.Errorf("%s: %v", u, err)
			continue
		}
		if first, best := *r.History[0].Score, *r.History[r.Best].Score; best <= first {
			t.Errorf("%s: score %.3f, from %.3f", u, best, first)
		}
	}
}

func TestDiverged(t *testing.T) {
	s := newSample(64)
	p := s.problem(attention(t), 64)
	p.Validation = nil
	_, err := tune.Run(context.Background(), orttest.Open(t), p, tune.Settings{LearningRate: 1e30, Clip: -1, Warmup: -1})
	var gone *tune.DivergedError
	if !errors.As(err, &gone) {
		t.Errorf("error %v, want a DivergedError", err)
	}
}

func TestCancel(t *testing.T) {
	s := newSample(64)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := tune.Run(ctx, orttest.Open(t), s.problem(attention(t), 32), tune.Settings{Progress: func(tune.Step) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestParseUnfreeze(t *testing.T) {
	for _, text := range []string{"all", "none", "norm", "bias", "top:2", "from:3"} {
		u, err := tune.ParseUnfreeze(text)
		if err != nil || u.String() != text {
			t.Errorf("%q is read as %q (%v)", text, u, err)
		}
	}
	for _, text := range []string{"top", "top:0", "from:-1", "top:x", "some"} {
		if _, err := tune.ParseUnfreeze(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
