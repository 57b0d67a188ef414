package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

type layersResult struct {
	Layers []struct {
		Number     int
		Input      *string
		Output     string
		Weights    []string
		Parameters int
		Trainable  bool
		Reason     *string
	}
}

func TestInspectLayers(t *testing.T) {
	var r layersResult
	graft(t, "", "inspect", "--layers", "--json", "mini-text").want(t, exitOK).decode(t, &r)
	if len(r.Layers) != 5 {
		t.Fatalf("%d layers, want embeddings and 4 blocks", len(r.Layers))
	}
	for i, l := range r.Layers {
		if l.Number != i || !l.Trainable || l.Reason != nil || len(l.Weights) == 0 || l.Parameters == 0 {
			t.Errorf("%+v", l)
		}
		if i > 0 && (l.Input == nil || *l.Input != r.Layers[i-1].Output) || i == 0 && l.Input != nil {
			t.Errorf("layer %d does not start where the one before ends: %+v", i, l)
		}
	}
	text := graft(t, "", "inspect", "--layers", "mini-text").want(t, exitOK).stdout
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != 6 || !strings.HasPrefix(lines[0], "LAYER") {
		t.Errorf("table\n%s", text)
	}
}

// TestQuantisedIsNotTrained: inspect says why no layer of a quantised network can be trained, and training one is refused.
func TestQuantisedIsNotTrained(t *testing.T) {
	model := onnxtest.Shared(t, "assets", "vision-models", "mobilenetv1_0.25_128", "model_qdq.onnx")
	var r layersResult
	graft(t, "", "inspect", "--layers", "--json", model).want(t, exitOK).decode(t, &r)
	for _, l := range r.Layers {
		if l.Trainable || l.Reason == nil || !strings.Contains(*l.Reason, "DequantizeLinear") {
			t.Errorf("%+v", l)
		}
	}
	dir := t.TempDir()
	if err := demo.DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	graft(t, "", "finetune", "--backbone", model, "--data", dir, "--out", filepath.Join(t.TempDir(), "out"), "--unfreeze", "all", "--epochs", "1").
		want(t, exitModel, "DequantizeLinear", "unfreeze")
}
