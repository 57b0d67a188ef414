package onnxtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// Tolerance is how far a runtime's float32 results may be from the same formulas in float64.
const Tolerance = 1e-5

// Runtime tests that rt keeps the contract of [onnx.Runtime] on graphs of the kind a classification head is: matrices of
// float32, one example a row. A runtime that can do more is tested for that in its own package.
func Runtime(t *testing.T, rt onnx.Runtime) {
	t.Run("operators", func(t *testing.T) { testOperators(t, rt) })
	t.Run("batch sizes", func(t *testing.T) { testBatches(t, rt) })
	t.Run("outputs", func(t *testing.T) { testOutputs(t, rt) })
	t.Run("feeds", func(t *testing.T) { testFeeds(t, rt) })
	t.Run("initializers as inputs", func(t *testing.T) { testDefaults(t, rt) })
	t.Run("memory", func(t *testing.T) { testMemory(t, rt) })
	t.Run("same bits", func(t *testing.T) { testSameBits(t, rt) })
	t.Run("concurrency", func(t *testing.T) { testConcurrency(t, rt) })
	t.Run("context", func(t *testing.T) { testContext(t, rt) })
	t.Run("close", func(t *testing.T) { testClose(t, rt) })
	t.Run("bad models", func(t *testing.T) { testBadModels(t, rt) })
	t.Run("results in place", func(t *testing.T) { testInto(t, rt) })
	t.Run("from a file", func(t *testing.T) { testFile(t, rt) })
}

// open makes a session that lives as long as the test.
func open(t *testing.T, rt onnx.Runtime, m *onnx.Model) onnx.Session {
	t.Helper()
	s, err := rt.NewSession(m)
	if err != nil {
		t.Fatalf("NewSession: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// run computes outputs from one input x.
func run(t *testing.T, s onnx.Session, x matrix, outputs ...string) []*onnx.Tensor {
	t.Helper()
	out, err := s.Run(context.Background(), onnx.Feeds{"x": x.tensor()}, outputs...)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return out
}

func testOperators(t *testing.T, rt onnx.Runtime) {
	for _, c := range headCases {
		t.Run(c.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			for _, opset := range []int64{9, 11, 13, 17} {
				m, formula := c.build(opset, rnd)
				s := open(t, rt, m)
				for _, rows := range []int{3, c.columns, 1} {
					x := randomMatrix(rnd, rows, c.columns)
					want := formula(x)
					got := run(t, s, x)
					if len(got) != 1 {
						t.Fatalf("opset %d: %d outputs, want 1", opset, len(got))
					}
					if err := want.equal(got[0]); err != nil {
						t.Errorf("opset %d, %d rows: %v", opset, rows, err)
					}
				}
			}
		})
	}
}

func testBatches(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(3, 4))
	m, formula := mlp(13, rnd)
	s := open(t, rt, m)
	for _, rows := range []int{1, 5, 2, 64, 5, 1, 257} {
		x := randomMatrix(rnd, rows, 8)
		if err := formula(x).equal(run(t, s, x)[0]); err != nil {
			t.Errorf("%d rows: %v", rows, err)
		}
	}
}

func testOutputs(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(5, 6))
	m, logits, probabilities := twoOutputs(rnd)
	s := open(t, rt, m)
	x := randomMatrix(rnd, 4, 6)
	want := map[string]matrix{"logits": logits(x), "probabilities": probabilities(x)}
	for _, names := range [][]string{nil, {"logits", "probabilities"}, {"probabilities"}, {"logits"}, {"probabilities", "logits"}} {
		got := run(t, s, x, names...)
		expect := names
		if names == nil {
			expect = []string{"logits", "probabilities"}
		}
		if len(got) != len(expect) {
			t.Fatalf("outputs %v: got %d", names, len(got))
		}
		for i, name := range expect {
			if got[i].Name != name {
				t.Errorf("outputs %v: tensor %d is called %q, want %q", names, i, got[i].Name, name)
			}
			if err := want[name].equal(got[i]); err != nil {
				t.Errorf("outputs %v: %s: %v", names, name, err)
			}
		}
	}
	_, err := s.Run(context.Background(), onnx.Feeds{"x": x.tensor()}, "logits", "no_such_output")
	wantError(t, "unknown output", err, "no_such_output")
}

func testFeeds(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(7, 8))
	m, _ := mlp(13, rnd)
	s := open(t, rt, m)
	x := randomMatrix(rnd, 2, 8)
	short := x.tensor()
	short.Data = short.Data[:len(short.Data)-1]
	for _, c := range []struct {
		name  string
		feeds onnx.Feeds
		says  []string
	}{
		{"none", nil, []string{`"x"`}},
		{"unknown", onnx.Feeds{"x": x.tensor(), "stranger": x.tensor()}, []string{"stranger"}},
		{"nil", onnx.Feeds{"x": nil}, []string{`"x"`}},
		{"type", onnx.Feeds{"x": onnx.NewTensor("", make([]int64, 16), 2, 8)}, []string{`"x"`, "int64", "float32"}},
		{"strings", onnx.Feeds{"x": {Type: onnx.String, Shape: []int64{1, 8}, Strs: make([][]byte, 8)}}, []string{`"x"`, "string"}},
		{"rank", onnx.Feeds{"x": onnx.NewTensor("", make([]float32, 16), 2, 4, 2)}, []string{`"x"`, "[2 4 2]"}},
		{"fixed dimension", onnx.Feeds{"x": onnx.NewTensor("", make([]float32, 14), 2, 7)}, []string{`"x"`, "[2 7]", "8"}},
		{"too little data", onnx.Feeds{"x": short}, []string{`"x"`}},
		{"negative dimension", onnx.Feeds{"x": onnx.NewTensor("", make([]float32, 16), -2, 8)}, []string{`"x"`}},
		{"overflowing shape", onnx.Feeds{"x": onnx.NewTensor("", make([]float32, 16), math.MaxInt64, 8)}, []string{`"x"`}},
	} {
		_, err := s.Run(context.Background(), c.feeds)
		wantError(t, c.name, err, c.says...)
	}
	run(t, s, x) // the session is none the worse for it
}

// testDefaults runs a model of the old kind, which lists its weights among the inputs.
func testDefaults(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(9, 10))
	m, formula := mlp(9, rnd)
	for _, w := range m.Graph.Initializers {
		shape := onnx.Shape{}
		for _, d := range w.Shape {
			shape = append(shape, onnx.Known(d))
		}
		m.Graph.Inputs = append(m.Graph.Inputs, &onnx.Value{Name: w.Name, Type: w.Type, Shape: shape})
	}
	x := randomMatrix(rnd, 3, 8)
	if err := formula(x).equal(run(t, open(t, rt, m), x)[0]); err != nil {
		t.Error(err)
	}
}

// testMemory expects feeds to be read only, results to belong to the caller, and the model to be free after NewSession.
func testMemory(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(11, 12))
	m, formula := mlp(13, rnd)
	s := open(t, rt, m)
	for _, w := range m.Graph.Initializers {
		clear(w.Data)
	}
	m.Graph.Nodes = nil
	x := randomMatrix(rnd, 4, 8)
	feed := x.tensor()
	before := slices.Clone(feed.Data)
	first, err := s.Run(context.Background(), onnx.Feeds{"x": feed})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, feed.Data) {
		t.Error("Run changed a feed")
	}
	kept := slices.Clone(first[0].Data)
	run(t, s, randomMatrix(rnd, 4, 8))
	clear(feed.Data)
	if !slices.Equal(kept, first[0].Data) {
		t.Error("a result changed after it was returned")
	}
	if err := formula(x).equal(first[0]); err != nil {
		t.Error(err)
	}
	odd := append([]byte{0}, x.tensor().Data...)[1:] // memory that float32 may not lie at
	got, err := s.Run(context.Background(), onnx.Feeds{"x": {Type: onnx.Float32, Shape: []int64{4, 8}, Data: odd}})
	if err != nil || !slices.Equal(got[0].Data, kept) {
		t.Errorf("a feed at an odd address: %v, or other results", err)
	}
}

func testSameBits(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(13, 14))
	m, _ := mlp(13, rnd)
	x := randomMatrix(rnd, 33, 8)
	want := run(t, open(t, rt, m), x)[0].Data
	for range 2 {
		s := open(t, rt, m)
		for range 3 {
			if !slices.Equal(run(t, s, x)[0].Data, want) {
				t.Fatal("the same feeds gave other bits")
			}
		}
	}
}

func testConcurrency(t *testing.T, rt onnx.Runtime) {
	m, formula := mlp(13, rand.New(rand.NewPCG(15, 16)))
	s := open(t, rt, m)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			rnd := rand.New(rand.NewPCG(17, uint64(worker)))
			for i := range 10 {
				x := randomMatrix(rnd, 1+(worker+i)%4, 8)
				got, err := s.Run(context.Background(), onnx.Feeds{"x": x.tensor()})
				if err == nil {
					err = formula(x).equal(got[0])
				}
				if err != nil {
					t.Errorf("worker %d: %v", worker, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

func testContext(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(19, 20))
	m, _ := mlp(13, rnd)
	s := open(t, rt, m)
	x := randomMatrix(rnd, 2, 8)
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := s.Run(ctx, onnx.Feeds{"x": x.tensor()}); err != nil {
		t.Errorf("a context that can be cancelled: %v", err)
	}
	cancel()
	if _, err := s.Run(ctx, onnx.Feeds{"x": x.tensor()}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v, want context.Canceled", err)
	}
	run(t, s, x)
}

func testClose(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(21, 22))
	m, formula := mlp(13, rnd)
	s, err := rt.NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	x := randomMatrix(rnd, 16, 8)
	want := formula(x)
	var wait sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 { // whatever begins before Close ends well; whatever begins after it is an error
		wait.Go(func() {
			for i := 0; ; i++ {
				got, err := s.Run(context.Background(), onnx.Feeds{"x": x.tensor()})
				if i == 0 {
					started <- struct{}{}
				}
				if err != nil {
					return
				}
				if err := want.equal(got[0]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wait.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := s.Run(context.Background(), onnx.Feeds{"x": x.tensor()}); err == nil {
		t.Error("Run after Close succeeded")
	}
}

func testBadModels(t *testing.T, rt onnx.Runtime) {
	for _, m := range []*onnx.Model{nil, {}, {IRVersion: 8, Graph: &onnx.Graph{}}} {
		if s, err := rt.NewSession(m); err == nil {
			t.Errorf("NewSession(%+v) succeeded", m)
			s.Close()
		}
	}
	m, _ := mlp(13, rand.New(rand.NewPCG(23, 24)))
	m.Graph.Nodes[1].OpType = "Frobnicate"
	_, err := rt.NewSession(m)
	var unsupported *onnx.UnsupportedError
	if !errors.As(err, &unsupported) || !strings.Contains(fmt.Sprint(err), "Frobnicate") {
		t.Errorf("an operator nobody knows: %v, want an *onnx.UnsupportedError naming it", err)
	}
	m, _ = mlp(13, rand.New(rand.NewPCG(23, 24)))
	m.Graph.Nodes[0].Inputs[1] = "nobody_makes_this"
	if s, err := rt.NewSession(m); err == nil {
		t.Error("a node whose input nobody makes: NewSession succeeded")
		s.Close()
	}
}

// testFile loads a model from its file, by runtimes that read it themselves as by others.
func testFile(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(27, 28))
	m, logits, _ := twoOutputs(rnd)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := onnx.NewFileSession(rt, path, m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x := randomMatrix(rnd, 4, 6)
	out, err := s.Run(context.Background(), onnx.Feeds{"x": x.tensor()}, "logits")
	if err != nil {
		t.Fatal(err)
	}
	if err := logits(x).equal(out[0]); err != nil {
		t.Error(err)
	}
	if reads, ok := rt.(onnx.FileRuntime); ok {
		_, err := reads.NewFileSession(path+".gone", m)
		wantError(t, "no such file", err, ".gone")
	}
}

// testInto is for runtimes whose sessions are IntoRunners.
func testInto(t *testing.T, rt onnx.Runtime) {
	rnd := rand.New(rand.NewPCG(25, 26))
	m, logits, probabilities := twoOutputs(rnd)
	s := open(t, rt, m)
	into, ok := s.(onnx.IntoRunner)
	if !ok {
		t.Skip("the sessions of this runtime are not onnx.IntoRunners")
	}
	ctx := context.Background()
	x := randomMatrix(rnd, 5, 6)
	l, p := newMatrix(5, 3).tensor(), newMatrix(5, 3).tensor()
	at := &l.Data[0]
	if err := into.RunInto(ctx, onnx.Feeds{"x": x.tensor()}, onnx.Feeds{"logits": l, "probabilities": p}); err != nil {
		t.Fatal(err)
	}
	if &l.Data[0] != at {
		t.Error("RunInto moved the result to other memory")
	}
	if err := errors.Join(logits(x).equal(l), probabilities(x).equal(p)); err != nil {
		t.Error(err)
	}
	x = randomMatrix(rnd, 5, 6)
	outputs := onnx.Feeds{"logits": l, "probabilities": nil}
	if err := into.RunInto(ctx, onnx.Feeds{"x": x.tensor()}, outputs); err != nil || outputs["probabilities"] == nil {
		t.Fatalf("an output without a tensor: %v, %v; want one made for it", outputs["probabilities"], err)
	}
	if err := errors.Join(logits(x).equal(l), probabilities(x).equal(outputs["probabilities"])); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name    string
		outputs onnx.Feeds
		says    string
	}{
		{"no outputs", nil, "output"},
		{"unknown output", onnx.Feeds{"stranger": l}, "stranger"},
		{"wrong type", onnx.Feeds{"logits": onnx.NewTensor("", make([]int64, 15), 5, 3)}, "logits"},
		{"wrong width", onnx.Feeds{"logits": newMatrix(5, 4).tensor()}, "logits"},
		{"wrong rows", onnx.Feeds{"logits": newMatrix(4, 3).tensor()}, "logits"},
	} {
		wantError(t, c.name, into.RunInto(ctx, onnx.Feeds{"x": x.tensor()}, c.outputs), c.says)
	}
}

// wantError expects an error that mentions certain things.
func wantError(t *testing.T, name string, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: error %q does not mention %q", name, err, s)
		}
	}
}
