package tune_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// classProblem is a problem of two classes: class has those of each row, one or several.
func classProblem(m *onnx.Model, s sample, class [][]int, features, train int) *tune.Problem {
	rows := make([]int, len(class))
	for i := range rows {
		rows[i] = i
	}
	of := func(rows []int) (list []int) {
		for _, r := range rows {
			list = append(list, class[r]...)
		}
		return list
	}
	held := rows[train:]
	weight, r := heads.NewMatrix(2, features), rand.New(rand.NewPCG(7, 7))
	for i := range weight.Data {
		weight.Data[i] = float32(r.NormFloat64() / 10)
	}
	return &tune.Problem{
		Model: m, Weight: weight, Bias: make([]float32, 2), Loss: autodiff.CrossEntropy{}, Examples: s, Train: rows[:train], Validation: held,
		Targets: func(rows []int) (*onnx.Tensor, error) { return autodiff.CrossEntropy{}.Targets(of(rows), 2, 0, nil) },
		Score: func(logits heads.Matrix) float64 {
			right, want := 0.0, of(held)
			for i, k := range want {
				if logits.Row(i)[k] > logits.Row(i)[1-k] {
					right++
				}
			}
			return right / float64(len(want))
		},
	}
}

// pairProblem is one of pairs: do both have, or both lack, token 1?
func pairProblem(t *testing.T, pairs, train int) *tune.Problem {
	s := newSample(2 * pairs)
	class := make([][]int, pairs)
	for i := range class {
		class[i] = []int{0}
		if s.class[2*i] == s.class[2*i+1] {
			class[i] = []int{1}
		}
	}
	p := classProblem(attention(t), s, class, 4*12, train)
	p.Pairs = true
	return p
}

// tokenProblem is one of every second token: does 1 occur in its example, and is its own number even?
func tokenProblem(t *testing.T, examples, train int) *tune.Problem {
	s := newSample(examples)
	class, tokens := make([][]int, examples), make([][]int, examples)
	for i, ids := range s.ids {
		for at := i % 2; at < len(ids); at += 2 {
			class[i], tokens[i] = append(class[i], s.class[i]&int(1-ids[at]%2)), append(tokens[i], at)
		}
	}
	p := classProblem(attentionOver(t, false), s, class, 12, train)
	p.Tokens = tokens
	return p
}

func trained(t *testing.T, rt onnx.Runtime, p *tune.Problem, s tune.Settings) *tune.Result {
	t.Helper()
	r, err := tune.Run(context.Background(), rt, p, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func numbers(t *testing.T, w *onnx.Tensor) []float32 {
	t.Helper()
	v, err := w.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Heads that read pairs, or tokens, train the backbone under them, wholly and above frozen layers.
func TestReadings(t *testing.T) {
	rt := orttest.Open(t)
	for name, p := range map[string]*tune.Problem{"pairs": pairProblem(t, 700, 600), "tokens": tokenProblem(t, 500, 400)} {
		for unfreeze, least := range map[tune.Unfreeze]float64{{}: 0.9, {Top: 1}: 0.7} {
			r := trained(t, rt, p, tune.Settings{Unfreeze: unfreeze, Epochs: 15, LearningRate: 5e-3, HeadScale: 1, Seed: 3})
			first, best := *r.History[0].Score, *r.History[r.Best].Score
			t.Logf("%s, %s: score %.3f, trained %.3f", name, unfreeze, first, best)
			if best < least || best < first+0.1 {
				t.Errorf("%s, %s: score %.3f, from %.3f; want %.2f", name, unfreeze, best, first, least)
			}
		}
	}
}

// One step of plain descent goes along the gradient that central differences of the loss give; above cached layers too.
func TestReadingGradients(t *testing.T) {
	rt := orttest.Open(t)
	for name, p := range map[string]*tune.Problem{"pairs": pairProblem(t, 9, 9), "tokens": tokenProblem(t, 9, 9)} {
		for _, unfreeze := range []tune.Unfreeze{{}, {Top: 1}} {
			const rate, nesterov = 1e-2, 1.9 // of momentum 0.9, the first step goes 1 + 0.9 gradients
			run := func(p *tune.Problem) (float64, *tune.Result) {
				var loss float64
				s := tune.Settings{
					Unfreeze: unfreeze, Epochs: 1, BatchSize: 9, Optimizer: optim.KindSGD, LearningRate: rate, Schedule: optim.Constant,
					Warmup: -1, WeightDecay: -1, Clip: -1, Dropout: -1, Progress: func(s tune.Step) { loss = s.Loss },
				}
				return loss, trained(t, rt, p, s)
			}
			_, stepped := run(p)
			index := onnx.NewIndex(p.Model.Graph)
			for _, w := range stepped.Changed {
				before := numbers(t, index.Weight(w.Name))
				after := numbers(t, w)
				at := 0 // the number that moved most
				for i := range after {
					if math.Abs(float64(after[i]-before[i])) > math.Abs(float64(after[at]-before[at])) {
						at = i
					}
				}
				const away = 3e-4 // farther off a Relu turns
				var loss [2]float64
				for side, sign := range []float32{-1, 1} {
					moved := *p
					moved.Model = p.Model.Clone()
					for i, v := range moved.Model.Graph.Initializers {
						if v.Name == w.Name {
							data := slices.Clone(before)
							data[at] += sign * away
							moved.Model.Graph.Initializers[i] = onnx.NewTensor(w.Name, data, w.Shape...)
						}
					}
					loss[side], _ = run(&moved)
				}
				got, want := float64(before[at]-after[at])/(rate*nesterov), (loss[1]-loss[0])/(2*away)
				if math.Abs(got-want) > 0.02*math.Abs(want)+2e-4 {
					t.Errorf("%s, %s: %s[%d] has the gradient %.5f, differences say %.5f", name, unfreeze, w.Name, at, got, want)
				}
			}
			if len(stepped.Changed) < 4 {
				t.Errorf("%s, %s: %d weights moved", name, unfreeze, len(stepped.Changed))
			}
		}
	}
}

func TestReadingsRefuse(t *testing.T) {
	rt := orttest.Open(t)
	for says, change := range map[string]func(p *tune.Problem, s *tune.Settings){
		"an even number":          func(p *tune.Problem, s *tune.Settings) { p.Pairs, p.Tokens = true, nil },
		"not both":                func(p *tune.Problem, s *tune.Settings) { p.Pairs = true },
		"tokens of 3 examples":    func(p *tune.Problem, s *tune.Settings) { p.Tokens = p.Tokens[:3] },
		"may move or drop":        func(p *tune.Problem, s *tune.Settings) { p.View = func(int) tune.Examples { return p.Examples } },
		"mixup mixes":             func(p *tune.Problem, s *tune.Settings) { s.Mixup = 0.5 },
		"reads no token of row 2": func(p *tune.Problem, s *tune.Settings) { p.Tokens[2] = nil },
	} {
		p, s := tokenProblem(t, 9, 9), tune.Settings{}
		change(p, &s)
		if _, err := tune.Run(context.Background(), rt, p, s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want one that says %q", err, says)
		}
	}
}
