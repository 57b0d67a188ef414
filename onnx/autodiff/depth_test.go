package autodiff_test

import (
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// blocks builds a convolutional network of three layers with strides, and an Elu, which has no rule, in the middle one.
func blocks(t *testing.T) *onnx.Model {
	t.Helper()
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	x := b.Input("x", onnx.Float32, onnx.Param("batch"), onnx.Known(2), onnx.Known(16), onnx.Known(16))
	for i, activation := range []string{"Relu", "Elu", "Relu"} {
		channels := int64(2)
		data := make([]float32, channels*channels*3*3)
		data[i] = 1
		w := onnx.NewTensor("", data, channels, channels, 3, 3)
		x = b.Op("Conv", []*onnx.Value{x, b.Const("weight", w)}, onnx.IntsAttr("strides", 2, 2), onnx.IntsAttr("pads", 1, 1, 1, 1))
		x = b.Op(activation, []*onnx.Value{x})
		if i == 1 {
			m.Graph.Nodes[len(m.Graph.Nodes)-1].Name = "bend"
		}
	}
	b.Output(x, "y")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestShallowest(t *testing.T) {
	m := blocks(t)
	layers, err := autodiff.Layers(m, "y")
	if err != nil {
		t.Fatal(err)
	}
	from, obstacle := autodiff.Shallowest(m, "y", layers)
	if len(layers) != 3 || from != 2 {
		t.Errorf("%d layers, trainable from %d; want 3 and 2", len(layers), from)
	}
	if obstacle == nil || obstacle.Node != "bend" || obstacle.OpType != "Elu" {
		t.Errorf("obstacle %+v, want the Elu called bend", obstacle)
	}
	last := m.Graph.Nodes[len(m.Graph.Nodes)-1]
	if from, obstacle = autodiff.Shallowest(m, "y", layers, last.Name); from != 3 || obstacle.Node != last.Name {
		t.Errorf("with the last node barred: from %d, obstacle %v; want 3 and %q", from, obstacle, last.Name)
	}
	for _, n := range m.Graph.Nodes {
		if n.Is("Elu") {
			n.OpType = "Relu"
		}
	}
	if from, obstacle = autodiff.Shallowest(m, "y", layers); from != 0 || obstacle != nil {
		t.Errorf("with rules for all: from %d, obstacle %v", from, obstacle)
	}
}
