package onnx_test

import (
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// load opens a model of the shared material.
func load(t *testing.T, elem ...string) *onnx.Model {
	t.Helper()
	m, err := onnx.Load(onnxtest.Shared(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// realModels are all the models at hand with the features they should be found to have; for models cut before, and those of
// which SOURCE.json names the tensor, that is what was used to make the reference figures.
var realModels = []struct {
	path []string
	want onnx.Feature
}{
	{[]string{"assets", "vision-models", "squeezenet1_1", "model.onnx"},
		onnx.Feature{Tensor: "/f.7/Concat_output_0", Dim: 512, Kind: onnx.Penultimate, Rank: 4}},
	{[]string{"assets", "vision-models", "mobilenetv1_0.25_128", "model.onnx"},
		onnx.Feature{Tensor: "t84", Dim: 256, Kind: onnx.Penultimate, Rank: 4}},
	{[]string{"assets", "vision-models", "mobilenetv1_0.25_128", "model_qdq.onnx"},
		onnx.Feature{Tensor: "t84", Dim: 256, Kind: onnx.Penultimate, Rank: 4}},
	{[]string{"assets", "vision-models", "resnet20_cifar10", "model.onnx"},
		onnx.Feature{Tensor: "/ReduceMean_output_0", Dim: 64, Kind: onnx.Penultimate, Rank: 2}},
	{[]string{"assets", "vision-models", "resnet18_layer3", "model.onnx"},
		onnx.Feature{Tensor: "features", Dim: 256, Kind: onnx.PooledOutput, Rank: 2}},
	{[]string{"assets", "vision-models", "mobilenetv2_gluon_backbone", "model.onnx"},
		onnx.Feature{Tensor: "features", Dim: 1280, Kind: onnx.PooledOutput, Rank: 2}},
	{[]string{"minis", "image", "model.onnx"},
		onnx.Feature{Tensor: "pooler_output", Dim: 256, Kind: onnx.PooledOutput, Rank: 2}},
	{[]string{"minis", "text", "model.onnx"},
		onnx.Feature{Tensor: "last_hidden_state", Dim: 192, Kind: onnx.LastHiddenState, Rank: 3}},
	{[]string{"assets", "text-models", "minilm-l6", "onnx", "model.onnx"},
		onnx.Feature{Tensor: "last_hidden_state", Dim: 384, Kind: onnx.LastHiddenState, Rank: 3}},
	{[]string{"assets", "text-models", "chrome_topics_bert_l6_h96", "model.onnx"},
		onnx.Feature{Tensor: "last_hidden_state", Dim: 96, Kind: onnx.LastHiddenState, Rank: 3}},
	{[]string{"assets", "text-models", "stories260k_llama", "model.onnx"},
		onnx.Feature{Tensor: "last_hidden_state", Dim: 64, Kind: onnx.LastHiddenState, Rank: 3}},
}

func TestFeaturesOfRealModels(t *testing.T) {
	for _, c := range realModels {
		t.Run(c.path[len(c.path)-2], func(t *testing.T) {
			found := onnx.Features(load(t, c.path...))
			if len(found) == 0 || found[0] != c.want {
				t.Errorf("found %+v, want first %+v", found, c.want)
			}
			t.Logf("%+v", found)
		})
	}
}
