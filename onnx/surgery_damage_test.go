package onnx_test

import (
	"math/rand/v2"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

// TestSurgeryOfDamagedModels changes bytes and bits of small models and does everything to what can still be read, checked
// or not: errors are fine, panics and endless loops are not.
func TestSurgeryOfDamagedModels(t *testing.T) {
	var files [][]byte
	add := func(m *onnx.Model) {
		data, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	add(chain(t))
	add(headOf(t, 13, 4))
	for name := range fixedGraphs {
		add(fixedModel(t, name))
	}
	for _, c := range oldNodes {
		add(oldModel(c.from, c.node, c.consts))
	}
	add(made(t, 14, func(b *onnx.Builder) {
		hidden, pooled := bert(b)
		b.Output(hidden, "hidden")
		b.Output(pooled, "pooled")
	}))
	rnd := rand.New(rand.NewPCG(1, 2))
	read := 0
	for i := range 60 * len(files) {
		data := append([]byte{}, files[i%len(files)]...)
		for range 1 + rnd.IntN(4) {
			data[rnd.IntN(len(data))] ^= byte(1 << rnd.IntN(8))
		}
		m, err := onnx.Parse(data)
		if err != nil {
			continue
		}
		read++
		operate(m)
	}
	if read < 5*len(files) {
		t.Errorf("only %d of %d damaged models could be read: the test reaches little", read, 60*len(files))
	}
}

// operate does to copies of a model all that can be done.
func operate(m *onnx.Model) {
	onnx.Inspect(m)
	onnx.DisableTraining(m.Clone())
	_ = onnx.MakeBatchDynamic(m.Clone())
	_ = onnx.Upgrade(m.Clone(), 21)
	if m.Graph == nil {
		return
	}
	for _, f := range onnx.Features(m) {
		for _, o := range []onnx.FeatureOptions{{Mask: "mask", Pooling: onnx.PoolLast}, {Normalize: true}} {
			_, _ = onnx.MakeBackbone(m.Clone(), f, o)
		}
	}
	for _, out := range m.Graph.Outputs {
		_, _ = onnx.FeatureAt(m, out.Name)
		_ = onnx.Rename(m.Clone(), out.Name, "another")
		for _, in := range m.Graph.Inputs {
			_, _ = onnx.Join(m, m, map[string]string{in.Name: out.Name})
		}
	}
	for _, n := range m.Graph.Nodes {
		for _, out := range n.Outputs {
			_ = onnx.Cut(m.Clone(), out)
		}
	}
	onnx.NewIndex(m.Graph).Order()
}
