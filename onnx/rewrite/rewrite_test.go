package rewrite_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/onnx/rewrite"
)

// A textModel is a shared model that takes tokens.
type textModel struct {
	path  []string
	vocab int64
	found map[string]int // places each pass finds
}

var textModels = []textModel{
	{[]string{"minis", "text", "model.onnx"}, 10000, map[string]int{"fuse": 4}},
	{[]string{"assets", "text-models", "minilm-l6", "onnx", "model.onnx"}, 30522,
		map[string]int{"fuse": 19, "key-bias": 6, "value-bias": 6, "gemm": 36}},
	{[]string{"assets", "text-models", "chrome_topics_bert_l6_h96", "model.onnx"}, 16754,
		map[string]int{"fuse": 19, "key-bias": 6, "value-bias": 6, "gemm": 36}},
	{[]string{"assets", "text-models", "stories260k_llama", "model.onnx"}, 512, map[string]int{}},
}

func load(t testing.TB, c textModel) *onnx.Model {
	t.Helper()
	m, err := onnx.Load(onnxtest.Shared(t, c.path...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// tokens makes a batch of rows·length random tokens; all but the first row end in padding.
func tokens(m *onnx.Model, rows, length int, vocab int64, padded bool) onnx.Feeds {
	r := rand.New(rand.NewPCG(5, uint64(rows)))
	ids, mask, types := make([]int64, rows*length), make([]int64, rows*length), make([]int64, rows*length)
	for i := range ids {
		ids[i], mask[i] = 1+r.Int64N(vocab-1), 1
		if padded && i%length > length-1-i/length%length {
			ids[i], mask[i] = 0, 0
		}
	}
	feeds := onnx.Feeds{}
	for _, in := range m.Graph.Inputs {
		data := map[string][]int64{"input_ids": ids, "attention_mask": mask, "token_type_ids": types}[in.Name]
		feeds[in.Name] = onnx.NewTensor(in.Name, data, int64(rows), int64(length))
	}
	return feeds
}

func run(t testing.TB, rt onnx.Runtime, m *onnx.Model, feeds onnx.Feeds) []*onnx.Tensor {
	t.Helper()
	s, err := rt.NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), feeds)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// difference is the largest difference between two lists of tensors, relative to the largest value of each.
func difference(t testing.TB, got, want []*onnx.Tensor) float64 {
	t.Helper()
	worst := 0.0
	for i := range want {
		a, err := got[i].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		b, err := want[i].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[i].Shape, want[i].Shape) {
			t.Fatalf("output %d has shape %v, want %v", i, got[i].Shape, want[i].Shape)
		}
		top, apart := 1e-30, 0.0
		for j := range b {
			top = max(top, math.Abs(float64(b[j])))
			if d := math.Abs(float64(a[j]) - float64(b[j])); d > apart || math.IsNaN(d) {
				apart = d
			}
		}
		worst = max(worst, apart/top)
		if math.IsNaN(apart) {
			return apart
		}
	}
	return worst
}

// TestPasses holds each pass alone, and all together, to the model's own answers on padded batches of three shapes.
func TestPasses(t *testing.T) {
	rt := orttest.Open(t)
	for _, c := range textModels {
		t.Run(c.path[len(c.path)-2], func(t *testing.T) {
			m := load(t, c)
			batches := []onnx.Feeds{tokens(m, 1, 1, c.vocab, false), tokens(m, 3, 17, c.vocab, true), tokens(m, 2, 64, c.vocab, true)}
			var want [][]*onnx.Tensor
			for _, b := range batches {
				want = append(want, run(t, rt, m, b))
			}
			compare := func(t *testing.T, faster *onnx.Model) {
				t.Helper()
				for i, b := range batches {
					d := difference(t, run(t, rt, faster, b), want[i])
					t.Logf("batch %d: %.1e", i, d)
					if !(d <= 1e-5) {
						t.Errorf("batch %d: differs by %.1e of the largest value, want 1e-5 at most", i, d)
					}
				}
			}
			for _, p := range rewrite.Passes() {
				t.Run(p.Name, func(t *testing.T) {
					found := 0
					counting := rewrite.Pass{Name: p.Name, Apply: func(m *onnx.Model) (int, error) {
						n, err := p.Apply(m)
						found = n
						return n, err
					}}
					faster, err := rewrite.Apply(m, counting)
					if err != nil {
						t.Fatal(err)
					}
					if found != c.found[p.Name] {
						t.Errorf("found %d places, want %d", found, c.found[p.Name])
					}
					if found > 0 {
						compare(t, faster)
					}
				})
			}
			faster, err := rewrite.Speed(m)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.found) == 0 {
				if faster != m {
					t.Error("nothing was found, yet the model is another")
				}
				return
			}
			if err := onnx.Check(faster); err != nil {
				t.Error(err)
			}
			compare(t, faster)
		})
	}
}
