package finetune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onnx-graft/graft/onnx"
)

// fakeWords is a Preprocessor of texts: one token a word, padded with 0 to the longest.
type fakeWords struct {
	print string
	bad   string // Feeds refuses texts that contain it
}

func (p fakeWords) Feeds(batch []string) (onnx.Feeds, error) {
	longest := 0
	for _, x := range batch {
		longest = max(longest, p.Size(x))
		if p.bad != "" && strings.Contains(x, p.bad) {
			return nil, errors.New("cannot read this")
		}
	}
	ids := make([]int64, len(batch)*longest)
	for i, x := range batch {
		for j, word := range strings.Fields(x) {
			h := fnv.New32a()
			h.Write([]byte(word))
			ids[i*longest+j] = int64(h.Sum32())
		}
	}
	return onnx.Feeds{"input_ids": onnx.NewTensor("input_ids", ids, int64(len(batch)), int64(longest))}, nil
}

func (p fakeWords) Content(x string) ([]byte, error) { return []byte(x), nil }
func (p fakeWords) Fingerprint() string              { return "fake words " + p.print }
func (p fakeWords) Size(x string) int                { return len(strings.Fields(x)) }

// fakeRuntime answers each row with a function of its tokens and of the length of the batch, and counts.
type fakeRuntime struct {
	cols     int
	into     bool          // sessions are IntoRunners
	poison   int64         // a token whose row is NaN
	hold     chan struct{} // nil, or: a run waits for it
	err      error
	scale    float64 // of every answer; 0: 1
	sessions atomic.Int64
	rows     atomic.Int64

	mu     sync.Mutex
	shapes [][]int64
}

func (r *fakeRuntime) NewSession(*onnx.Model) (onnx.Session, error) {
	r.sessions.Add(1)
	if r.into {
		return fakeIntoSession{fakeSession{r}}, nil
	}
	return fakeSession{r}, nil
}

type fakeSession struct{ r *fakeRuntime }

func (s fakeSession) Close() error { return nil }

func (s fakeSession) Run(ctx context.Context, feeds onnx.Feeds, outputs ...string) ([]*onnx.Tensor, error) {
	n := feeds["input_ids"].Shape[0]
	out := onnx.NewTensor("features", make([]float32, n*int64(s.r.cols)), n, int64(s.r.cols))
	return []*onnx.Tensor{out}, s.fill(ctx, feeds, out)
}

func (s fakeSession) fill(ctx context.Context, feeds onnx.Feeds, out *onnx.Tensor) error {
	r := s.r
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.err != nil {
		return r.err
	}
	in := feeds["input_ids"]
	ids, err := onnx.View[int64](in)
	if err != nil {
		return err
	}
	rows, err := onnx.View[float32](out)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.shapes = append(r.shapes, slices.Clone(in.Shape))
	r.mu.Unlock()
	n, length := int(in.Shape[0]), int(in.Shape[1])
	r.rows.Add(int64(n))
	for i := range n {
		for j := range r.cols {
			v := float64(length)
			for k, id := range ids[i*length : (i+1)*length] {
				if r.poison != 0 && id == r.poison {
					v = math.NaN()
				}
				v += math.Sin(float64(id%1000) * float64(j+1) * float64(k+1))
			}
			rows[i*r.cols+j] = float32(v * cmp.Or(r.scale, 1))
		}
	}
	return nil
}

type fakeIntoSession struct{ fakeSession }

func (s fakeIntoSession) RunInto(ctx context.Context, feeds, outputs onnx.Feeds) error {
	return s.fill(ctx, feeds, outputs["features"])
}

// fakeBackbone is a graph nobody runs, with the one output a backbone has. Name is part of the graph.
func fakeBackbone(name string, cols int) *Backbone[string] {
	g := &onnx.Graph{
		Name:    name,
		Nodes:   []*onnx.Node{{OpType: "Cast", Inputs: []string{"input_ids"}, Outputs: []string{"features"}}},
		Inputs:  []*onnx.Value{{Name: "input_ids", Type: onnx.Int64, Shape: onnx.Shape{onnx.Param("batch"), onnx.Param("length")}}},
		Outputs: []*onnx.Value{{Name: "features", Type: onnx.Float32, Shape: onnx.Shape{onnx.Param("batch"), onnx.Known(int64(cols))}}},
	}
	if cols == 0 {
		g.Outputs[0].Shape = nil
	}
	return &Backbone[string]{
		Name: name, Task: TextClassification, Feature: "last_hidden_state", Preprocessor: fakeWords{},
		Model: &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: g},
	}
}

// recorder is a Progress that remembers.
type recorder struct {
	mu       sync.Mutex
	stages   []Stage
	steps    int
	warnings []string
	on       func(Stage)
}

func (r *recorder) Start(stage Stage, total int) {
	r.mu.Lock()
	r.stages, r.steps = append(r.stages, stage), 0
	r.mu.Unlock()
	if r.on != nil {
		r.on(stage)
	}
}

func (r *recorder) Add(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps += n
}

func (r *recorder) Warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warnings = append(r.warnings, text)
}

// sentences makes n texts of 1 to 9 words.
func sentences(n int) []string {
	xs := make([]string, n)
	for i := range xs {
		var b strings.Builder
		for j := range 1 + i*7%9 {
			fmt.Fprintf(&b, "w%d ", (i*31+j*17)%5003)
		}
		xs[i] = b.String()
	}
	return xs
}
