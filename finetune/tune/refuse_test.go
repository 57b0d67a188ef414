package tune_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

// TestMemory: a batch that does not fit is refused before anything runs, and the batch size offered is taken.
func TestMemory(t *testing.T) {
	s, rt := newSample(64), orttest.Open(t)
	m := attention(t)
	run := func(batch int, memory int64) *tune.MemoryError {
		p := s.problem(m, 64)
		p.Validation = nil
		_, err := tune.Run(context.Background(), rt, p, tune.Settings{BatchSize: batch, Epochs: 1, Memory: memory})
		var refused *tune.MemoryError
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		return refused
	}
	least := run(32, 1)
	if least == nil || least.Fits != 0 || !strings.Contains(least.Error(), "unfreeze fewer layers") {
		t.Fatalf("one byte: %v", least)
	}
	have := least.Weights + (least.Need-least.Weights)/3
	offered := run(32, have)
	if offered == nil || offered.Fits == 0 || offered.Fits >= 32 || offered.Tokens != 8 {
		t.Fatalf("%d bytes: %+v", have, offered)
	}
	if again := run(offered.Fits, have); again != nil {
		t.Errorf("the batch size offered is refused: %v", again)
	}
	if run(32, 0) != nil || run(32, -1) != nil {
		t.Error("a small network is refused on this machine")
	}
}

// TestNoRule: an operator without gradient names itself and the layers above it, and those can be trained.
func TestNoRule(t *testing.T) {
	s, rt := newSample(64), orttest.Open(t)
	m := attention(t)
	for i, n := range m.Graph.Nodes {
		if n.Is("Relu") { // of the first of two blocks
			m.Graph.Nodes[i].OpType, m.Graph.Nodes[i].Name = "Elu", "bend"
			break
		}
	}
	p := s.problem(m, 64)
	p.Validation = nil
	_, err := tune.Run(context.Background(), rt, p, tune.Settings{Epochs: 1})
	var deep *tune.DepthError
	var rule *autodiff.NoRuleError
	if !errors.As(err, &deep) || !errors.As(err, &rule) || rule.OpType != "Elu" || rule.Node != "bend" {
		t.Fatalf("error %v, want a DepthError about the Elu called bend", err)
	}
	if deep.From == 0 || deep.From >= deep.Layers {
		t.Fatalf("%+v offers no layers", deep)
	}
	if _, err := tune.Run(context.Background(), rt, p, tune.Settings{Epochs: 1, Unfreeze: tune.Unfreeze{From: deep.From}}); err != nil {
		t.Errorf("what was offered does not work: %v", err)
	}
	p.Model = quantised(t)
	if _, err = tune.Run(context.Background(), rt, p, tune.Settings{Epochs: 1}); err == nil || !strings.Contains(err.Error(), "quantised") {
		t.Errorf("a network without weights of real numbers: %v", err)
	}
}

// quantised is an embedding in int8, mean-pooled.
func quantised(t *testing.T) *onnx.Model {
	t.Helper()
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	table := make([]int8, 20*12)
	for i := range table {
		table[i] = int8(i * 7)
	}
	scale := b.Const("scale", onnx.NewTensor("", []float32{0.01}))
	ids := b.Input("input_ids", onnx.Int64, onnx.Param("batch"), onnx.Param("tokens"))
	b.Input("attention_mask", onnx.Int64, onnx.Param("batch"), onnx.Param("tokens"))
	x := b.Op("DequantizeLinear", []*onnx.Value{b.Const("table", onnx.NewTensor("", table, 20, 12)), scale})
	b.Output(b.ReduceMean(b.Gather(x, ids, 0), false, 1), "features")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}
