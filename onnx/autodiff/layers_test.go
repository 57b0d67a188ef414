package autodiff_test

import (
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// TestLayers: the real models have the layers their papers say.
func TestLayers(t *testing.T) {
	for _, c := range []struct {
		folder []string
		layers int // with the embeddings or stem as layer 0
	}{
		{[]string{"assets", "text-models", "minilm-l6", "onnx", "model.onnx"}, 7},
		{[]string{"assets", "text-models", "chrome_topics_bert_l6_h96", "model.onnx"}, 7},
		{[]string{"assets", "text-models", "stories260k_llama", "model.onnx"}, 6},
		{[]string{"minis", "text", "model.onnx"}, 5},
		{[]string{"minis", "image", "model.onnx"}, 4},
		{[]string{"assets", "vision-models", "resnet18_layer3", "model.onnx"}, 4},
		{[]string{"assets", "vision-models", "resnet20_cifar10", "model.onnx"}, 3},
		{[]string{"assets", "vision-models", "mobilenetv2_gluon_backbone", "model.onnx"}, 5},
		{[]string{"assets", "vision-models", "mobilenetv1_0.25_128", "model.onnx"}, 5},
		{[]string{"assets", "vision-models", "squeezenet1_1", "model.onnx"}, 4},
	} {
		t.Run(c.folder[len(c.folder)-2], func(t *testing.T) {
			m, err := onnx.Load(onnxtest.Shared(t, c.folder...))
			if err != nil {
				t.Fatal(err)
			}
			output := m.Graph.Outputs[len(m.Graph.Outputs)-1].Name
			layers, err := autodiff.Layers(m, output)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range layers {
				for _, w := range []string{"mask", "c", "si"} { // of the GPT-class model
					if slices.Contains(l.Weights, w) {
						t.Errorf("%q counts as a weight of layer %d", w, l.Number)
					}
				}
				t.Logf("%d: %d nodes, %d weights, %s → %s", l.Number, l.Nodes, len(l.Weights), l.Input, l.Output)
			}
			if len(layers) != c.layers {
				t.Errorf("%d layers, want %d", len(layers), c.layers)
			}
		})
	}
}
