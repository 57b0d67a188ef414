package ort_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// A node is one line of a graph written as in "y = Relu(x)".
func node(op string, inputs, outputs []string, attributes ...*onnx.Attribute) *onnx.Node {
	return &onnx.Node{Name: "the_" + op, OpType: op, Inputs: inputs, Outputs: outputs, Attributes: attributes}
}

// value is a graph's input or output.
func value(name string, t onnx.DType, dims ...onnx.Dim) *onnx.Value {
	return &onnx.Value{Name: name, Type: t, Shape: append(onnx.Shape{}, dims...)}
}

// model wraps a graph at opset 17.
func model(g *onnx.Graph) *onnx.Model {
	g.Name = "test"
	return &onnx.Model{IRVersion: 9, Opsets: []onnx.Opset{{Version: 17}, {Domain: "ai.onnx.ml", Version: 3}}, Graph: g}
}

func open(t testing.TB, rt *ort.Runtime, m *onnx.Model) onnx.Session {
	t.Helper()
	s, err := rt.NewSession(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// run runs a session whose feeds and outputs are in order.
func run(t testing.TB, s onnx.Session, feeds onnx.Feeds, outputs ...string) []*onnx.Tensor {
	t.Helper()
	out, err := s.Run(context.Background(), feeds, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTypes passes every element type of fixed size through a graph, at rank 0, 1 and 2, empty too, with the output's
// shape known beforehand and not known.
func TestTypes(t *testing.T) {
	rt := orttest.Open(t).With(1)
	for _, elem := range []onnx.DType{
		onnx.Float32, onnx.Float64, onnx.Float16, onnx.BFloat16, onnx.Bool,
		onnx.Int8, onnx.Int16, onnx.Int32, onnx.Int64, onnx.Uint8, onnx.Uint16, onnx.Uint32, onnx.Uint64,
	} {
		for _, shape := range [][]int64{{}, {0}, {1}, {3}, {2, 3}, {0, 3}} {
			for _, declared := range []bool{true, false} {
				in, out := value("x", elem), value("y", elem)
				for i := range shape {
					d := onnx.Param(fmt.Sprint("d", i))
					in.Shape, out.Shape = append(in.Shape, d), append(out.Shape, d)
				}
				if !declared {
					out.Shape = nil
				}
				s := open(t, rt, model(&onnx.Graph{
					Inputs: []*onnx.Value{in}, Outputs: []*onnx.Value{out},
					Nodes: []*onnx.Node{node("Identity", []string{"x"}, []string{"y"})},
				}))
				x := &onnx.Tensor{Type: elem, Shape: shape}
				n, err := x.Len()
				if err != nil {
					t.Fatal(err)
				}
				x.Data = make([]byte, int(n)*elem.Size())
				for i := range x.Data {
					x.Data[i] = byte(i % 2)
				}
				got := run(t, s, onnx.Feeds{"x": x})[0]
				if got.Type != elem || !slices.Equal(got.Shape, shape) || !bytes.Equal(got.Data, x.Data) {
					t.Errorf("%v %v (declared %v): got %v %v %v, want %v", elem, shape, declared, got.Type, got.Shape, got.Data, x.Data)
				}
			}
		}
	}
}

// TestShapesNotKnown runs a graph whose output sizes depend on the data.
func TestShapesNotKnown(t *testing.T) {
	s := open(t, orttest.Open(t).With(1), model(&onnx.Graph{
		Inputs:  []*onnx.Value{value("x", onnx.Float32, onnx.Param("N"))},
		Outputs: []*onnx.Value{value("where", onnx.Int64, onnx.Known(1), onnx.Param("M")), value("sum", onnx.Float32)},
		Nodes: []*onnx.Node{
			node("NonZero", []string{"x"}, []string{"where"}),
			node("ReduceSum", []string{"x"}, []string{"sum"}, onnx.IntAttr("keepdims", 0)),
		},
	}))
	for _, c := range []struct {
		x     []float32
		where []int64
		sum   float32
	}{{[]float32{0, 2, 0, 3}, []int64{1, 3}, 5}, {[]float32{0, 0}, []int64{}, 0}, {[]float32{1}, []int64{0}, 1}} {
		out := run(t, s, onnx.Feeds{"x": onnx.NewTensor("", c.x, int64(len(c.x)))})
		where, err := onnx.View[int64](out[0])
		if err != nil || !slices.Equal(where, c.where) || !slices.Equal(out[0].Shape, []int64{1, int64(len(c.where))}) {
			t.Errorf("where %v: got %v %v %v", c.x, where, out[0].Shape, err)
		}
		if sum, err := onnx.View[float32](out[1]); err != nil || sum[0] != c.sum || len(out[1].Shape) != 0 {
			t.Errorf("sum of %v: got %v %v", c.x, sum, err)
		}
	}
}

// TestMisleadingShapes runs graphs whose declared output shape is not what they compute.
func TestMisleadingShapes(t *testing.T) {
	x := value("x", onnx.Float32, onnx.Param("N"), onnx.Param("M"))
	m := model(&onnx.Graph{
		Inputs:       []*onnx.Value{x},
		Outputs:      []*onnx.Value{value("y", onnx.Float32, onnx.Param("M"), onnx.Param("N")), value("z", onnx.Float32, onnx.Param("N"), onnx.Param("M"))},
		Initializers: []*onnx.Tensor{onnx.NewTensor("shape", []int64{-1, 2}, 2)},
		Nodes: []*onnx.Node{
			node("Reshape", []string{"x", "shape"}, []string{"y"}),
			node("Relu", []string{"x"}, []string{"z"}),
		},
	})
	s := open(t, orttest.Open(t).With(1), m)
	for range 3 {
		out := run(t, s, onnx.Feeds{"x": onnx.NewTensor("", []float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 4)})
		if !slices.Equal(out[0].Shape, []int64{4, 2}) || !slices.Equal(out[1].Shape, []int64{2, 4}) {
			t.Fatalf("shapes %v and %v", out[0].Shape, out[1].Shape)
		}
		out = run(t, s, onnx.Feeds{"x": onnx.NewTensor("", []float32{1, 2, 3, 4, 5, 6}, 1, 6)})
		if y, err := onnx.View[float32](out[0]); err != nil || !slices.Equal(out[0].Shape, []int64{3, 2}) || !slices.Equal(y, []float32{1, 2, 3, 4, 5, 6}) {
			t.Fatalf("got %v %v, %v", out[0].Shape, y, err)
		}
	}
	_, err := s.Run(context.Background(), onnx.Feeds{"x": onnx.NewTensor("", []float32{1, 2, 3}, 1, 3)})
	var failed *ort.RunError
	if !errors.As(err, &failed) || failed.Op != "Reshape" || failed.Node != "the_Reshape" {
		t.Errorf("3 elements to [-1 2]: %v, want a *RunError of node the_Reshape", err)
	}
}

func TestNoInputs(t *testing.T) {
	s := open(t, orttest.Open(t).With(1), model(&onnx.Graph{
		Outputs:      []*onnx.Value{value("y", onnx.Float32, onnx.Known(2))},
		Initializers: []*onnx.Tensor{onnx.NewTensor("c", []float32{-1, 1}, 2)},
		Nodes:        []*onnx.Node{node("Relu", []string{"c"}, []string{"y"})},
	}))
	if y, err := onnx.View[float32](run(t, s, nil)[0]); err != nil || !slices.Equal(y, []float32{0, 1}) {
		t.Errorf("got %v, %v", y, err)
	}
}

func TestUnsupportedValues(t *testing.T) {
	rt := orttest.Open(t).With(1)
	x := []*onnx.Value{value("x", onnx.Float32, onnx.Known(2))}
	text := open(t, rt, model(&onnx.Graph{
		Inputs: x, Outputs: []*onnx.Value{value("y", onnx.String, onnx.Known(2)), value("z", onnx.Float32, onnx.Known(2))},
		Nodes: []*onnx.Node{
			node("Cast", []string{"x"}, []string{"y"}, onnx.IntAttr("to", int64(onnx.String))),
			node("Relu", []string{"x"}, []string{"z"}),
		},
	}))
	feeds := onnx.Feeds{"x": onnx.NewTensor("", []float32{1, 2}, 2)}
	var refused *onnx.UnsupportedError
	if _, err := text.Run(context.Background(), feeds); !errors.As(err, &refused) || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("strings as output: %v, want an *onnx.UnsupportedError naming it", err)
	}
	run(t, text, feeds, "z")

	sequence := open(t, rt, model(&onnx.Graph{
		Inputs: x, Outputs: []*onnx.Value{{Name: "y"}},
		Nodes: []*onnx.Node{node("SplitToSequence", []string{"x"}, []string{"y"})},
	}))
	if _, err := sequence.Run(context.Background(), feeds); !errors.As(err, &refused) || !strings.Contains(err.Error(), "sequence") {
		t.Errorf("a sequence as output: %v, want an *onnx.UnsupportedError", err)
	}
}

func TestUnsupportedModels(t *testing.T) {
	rt := orttest.Open(t).With(1)
	io := func(op string) *onnx.Graph {
		return &onnx.Graph{
			Inputs: []*onnx.Value{value("x", onnx.Float32, onnx.Known(2))}, Outputs: []*onnx.Value{value("y", onnx.Float32, onnx.Known(2))},
			Nodes: []*onnx.Node{node(op, []string{"x"}, []string{"y"})},
		}
	}
	future := model(io("Relu"))
	future.IRVersion = 999
	domain := model(io("Relu"))
	domain.Graph.Nodes[0].Domain = "com.example"
	domain.Opsets = append(domain.Opsets, onnx.Opset{Domain: "com.example", Version: 1})
	noKernel := model(io("Relu"))
	noKernel.Graph.Inputs[0].Type, noKernel.Graph.Outputs[0].Type = onnx.BFloat16, onnx.BFloat16
	for name, m := range map[string]*onnx.Model{"operator": model(io("Frobnicate")), "IR": future, "domain": domain, "type": noKernel} {
		_, err := rt.NewSession(m)
		var refused *onnx.UnsupportedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want an *onnx.UnsupportedError", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	broken := model(io("Relu"))
	broken.Graph.Nodes[0].Inputs[0] = "nobody"
	if _, err := rt.NewSession(broken); err == nil || errors.As(err, new(*onnx.UnsupportedError)) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an input nobody makes: %v", err)
	}
}

// deep is a graph that takes long: a product of n×n matrices, repeated in a Loop.
func deep(n int, times int64) *onnx.Model {
	body := &onnx.Graph{
		Name:    "body",
		Inputs:  []*onnx.Value{value("i", onnx.Int64), value("go", onnx.Bool), value("v", onnx.Float32)},
		Outputs: []*onnx.Value{value("going", onnx.Bool), value("w", onnx.Float32)},
		Nodes: []*onnx.Node{
			node("Identity", []string{"go"}, []string{"going"}),
			node("MatMul", []string{"v", "v"}, []string{"vv"}),
			node("Tanh", []string{"vv"}, []string{"w"}),
		},
	}
	body.Inputs[2].Shape, body.Outputs[1].Shape = nil, nil
	return model(&onnx.Graph{
		Inputs:       []*onnx.Value{value("x", onnx.Float32, onnx.Known(int64(n)), onnx.Known(int64(n)))},
		Outputs:      []*onnx.Value{value("y", onnx.Float32, onnx.Known(int64(n)), onnx.Known(int64(n)))},
		Initializers: []*onnx.Tensor{onnx.NewTensor("times", []int64{times}), onnx.NewTensor("true", []bool{true})},
		Nodes:        []*onnx.Node{node("Loop", []string{"times", "true", "x"}, []string{"y"}, onnx.GraphAttr("body", body))},
	})
}

func TestCancelWhileRunning(t *testing.T) {
	s := open(t, orttest.Open(t).With(1), deep(256, 1<<40))
	feeds := onnx.Feeds{"x": onnx.NewTensor("", make([]float32, 256*256), 256, 256)}
	for _, d := range []time.Duration{time.Millisecond, 50 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		start := time.Now()
		_, err := s.Run(ctx, feeds)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if took := time.Since(start); took > d+3*time.Second {
			t.Errorf("stopped %v after the deadline", took-d)
		}
	}
	// Close waits for a running call, and a stopped session still runs.
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := s.Run(ctx, feeds)
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	select {
	case <-closed:
		t.Error("Close did not wait for the running call")
	case <-time.After(50 * time.Millisecond):
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestThroughFiles loads a model by the way of those beyond 2 GiB.
func TestThroughFiles(t *testing.T) {
	path := onnxtest.Shared(t, "assets", "vision-models", "resnet20_cifar10", "model.onnx")
	m, err := onnx.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rt := orttest.Open(t).With(1)
	direct := open(t, rt, m)
	s, err := ort.NewSessionThroughFiles(rt, m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	feeds := onnx.Feeds{m.Graph.Inputs[0].Name: onnx.NewTensor("", noise(2*3*32*32), 2, 3, 32, 32)}
	if a, b := run(t, direct, feeds)[0], run(t, s, feeds)[0]; !bytes.Equal(a.Data, b.Data) {
		t.Error("the same model through files gives other results")
	}
}

func noise(n int) []float32 {
	rnd := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rnd.NormFloat64())
	}
	return v
}

// TestSameBits runs a convolutional network again and again, on one and two threads, alone and beside others.
func TestSameBits(t *testing.T) {
	m, err := onnx.Load(onnxtest.Shared(t, "assets", "vision-models", "resnet20_cifar10", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	feeds := onnx.Feeds{m.Graph.Inputs[0].Name: onnx.NewTensor("", noise(3*3*32*32), 3, 3, 32, 32)}
	var want []byte
	for _, threads := range []int{1, 2} {
		for range 2 {
			s := open(t, orttest.Open(t).With(threads), m)
			var wait sync.WaitGroup
			results := make([][]byte, 4)
			for i := range results {
				wait.Go(func() {
					if out, err := s.Run(context.Background(), feeds); err == nil {
						results[i] = out[0].Data
					}
				})
			}
			wait.Wait()
			for _, got := range results {
				if want == nil {
					want = got
				}
				if len(got) == 0 || !bytes.Equal(got, want) {
					t.Fatalf("%d threads: other bits", threads)
				}
			}
		}
	}
}

// residentBytes is this process' resident memory.
func residentBytes(t *testing.T) float64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("resident memory is read from /proc:", err)
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(data))[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * float64(os.Getpagesize())
}

// TestSessionsLeakNothing opens, runs and closes 2,000 sessions; memory must stay within 5 % after the first 200.
func TestSessionsLeakNothing(t *testing.T) {
	m, err := onnx.Load(onnxtest.Shared(t, "assets", "vision-models", "mobilenetv1_0.25_128", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := onnx.Cut(m, m.Graph.Nodes[8].Outputs[0]); err != nil { // the first layers: enough to leak, and quick
		t.Fatal(err)
	}
	rt := orttest.Open(t).With(1)
	feeds := onnx.Feeds{m.Graph.Inputs[0].Name: onnx.NewTensor("", noise(3*128*128), 1, 3, 128, 128)}
	const warm, sessions = 200, 2000
	var before float64
	for i := range warm + sessions {
		s, err := rt.NewSession(m)
		if err != nil {
			t.Fatal(err)
		}
		run(t, s, feeds)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if i == warm-1 {
			debug.FreeOSMemory()
			before = residentBytes(t)
		}
	}
	debug.FreeOSMemory()
	after := residentBytes(t)
	t.Logf("%.1f MB after %d sessions, %.1f MB after %d more", before/1e6, warm, after/1e6, sessions)
	if after > before*1.05 {
		t.Errorf("memory grew from %.1f to %.1f MB (%.1f %%) over %d sessions, want 5 %% at most", before/1e6, after/1e6, 100*(after/before-1), sessions)
	}
}

func TestOpen(t *testing.T) {
	rt := orttest.Open(t)
	if rt.Version() < "1.24" || rt.Provider() != ort.CPU || !slices.Contains(rt.Providers(), "CPUExecutionProvider") {
		t.Errorf("version %s, provider %s of %v", rt.Version(), rt.Provider(), rt.Providers())
	}
	if rt.Threads() != runtime.GOMAXPROCS(0) || rt.With(3).Threads() != 3 || rt.With(3).With(0).Threads() != rt.Threads() {
		t.Errorf("threads %d, %d", rt.Threads(), rt.With(3).Threads())
	}
	ctx := context.Background()
	again, err := ort.Open(ctx, ort.Settings{Library: rt.Path()})
	if err != nil || again.Path() != rt.Path() {
		t.Errorf("opened again: %v", err)
	}
	var fault *ort.LibraryError
	if _, err := ort.Open(ctx, ort.Settings{Library: os.Args[0]}); !errors.As(err, &fault) || fault.Problem != ort.Conflict || !strings.Contains(err.Error(), rt.Path()) {
		t.Errorf("another library: %v, want a conflict naming both", err)
	}
	if _, err := ort.Open(ctx, ort.Settings{Threads: -1}); err == nil {
		t.Error("-1 threads were accepted")
	}
	if _, err := ort.Open(ctx, ort.Settings{Provider: "abacus"}); err == nil {
		t.Error("an unknown provider was accepted")
	}
}

// TestNoQuietFallback asks for providers the CPU library lacks.
func TestNoQuietFallback(t *testing.T) {
	rt := orttest.Open(t)
	for _, p := range ort.Providers() {
		with, err := ort.Open(context.Background(), ort.Settings{Provider: p})
		var refused *ort.ProviderError
		switch {
		case err == nil && with.Provider() != p:
			t.Errorf("asked for %s, got %s", p, with.Provider())
		case err != nil && (!errors.As(err, &refused) || refused.Provider != p || refused.Mend == "" || !strings.Contains(err.Error(), rt.Path())):
			t.Errorf("%s: %v, want a *ProviderError", p, err)
		}
		if err != nil {
			t.Log(err)
		} else if p == ort.CUDA && !slices.Contains(rt.Providers(), "CUDAExecutionProvider") {
			t.Error("CUDA was granted by a library without it")
		}
	}
}

func TestConfig(t *testing.T) {
	rt, err := ort.Open(context.Background(), ort.Settings{Config: map[string]string{"session.intra_op.allow_spinning": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	onnxtest.Runtime(t, rt)
	bad, err := ort.Open(context.Background(), ort.Settings{Config: map[string]string{strings.Repeat("k", 2000): "0"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.NewSession(deep(4, 1)); err == nil || !strings.Contains(err.Error(), "kkk") {
		t.Errorf("a key too long: %v, want an error naming it", err)
	}
}

// TestFloat16 checks the bits of half precision, which onnxruntime_go has no type for.
func TestFloat16(t *testing.T) {
	s := open(t, orttest.Open(t).With(1), model(&onnx.Graph{
		Inputs: []*onnx.Value{value("x", onnx.Float32, onnx.Param("N"))}, Outputs: []*onnx.Value{value("y", onnx.Float16, onnx.Param("N"))},
		Nodes: []*onnx.Node{node("Cast", []string{"x"}, []string{"y"}, onnx.IntAttr("to", int64(onnx.Float16)))},
	}))
	y := run(t, s, onnx.Feeds{"x": onnx.NewTensor("", []float32{1, -2, 65504, float32(math.Inf(1))}, 4)})[0]
	for i, want := range []uint16{0x3c00, 0xc000, 0x7bff, 0x7c00} {
		if got := binary.LittleEndian.Uint16(y.Data[2*i:]); got != want {
			t.Errorf("element %d is %#x, want %#x", i, got, want)
		}
	}
}
