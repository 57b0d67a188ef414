package finetune_test

import (
	"context"
	"math"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/vision"
)

// The rows of pictures do not depend on their batch or on threads either, whatever layout of the work was measured.
func TestPicturesDoNotDependOnTheirCompany(t *testing.T) {
	rt, ctx, dir := orttest.Open(t), context.Background(), t.TempDir()
	if err := demo.DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	pictures := dataset.Inputs(dataset.Map(must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{})), picture).Test)[:11]
	backbones := map[string]*finetune.Backbone[vision.Picture]{"mini": imageBackbone(t, must[*vision.Backbone](t)(vision.OpenFS(embedded.Image(), vision.Settings{})))}
	if !testing.Short() {
		for _, name := range []string{"resnet18_layer3", "mobilenetv2_gluon_backbone"} {
			path := onnxtest.Shared(t, "assets", "vision-models", name)
			backbones[name] = imageBackbone(t, must[*vision.Backbone](t)(vision.Open(path, vision.Settings{})))
		}
	}
	for name, b := range backbones {
		var want heads.Matrix
		for _, s := range []finetune.ExtractSettings{{}, {Batch: 1, Workers: 1}, {Batch: 4}, {Batch: 16}} {
			for _, threads := range []int{1, 2} {
				got, _, err := finetune.Extract(ctx, rt.With(threads), b, pictures, s)
				if err != nil {
					t.Fatal(err)
				}
				if want.Data == nil {
					want = got
				}
				off := 0.0
				for i, v := range want.Data {
					off = max(off, math.Abs(float64(v-got.Data[i]))/max(1, math.Abs(float64(v))))
				}
				if off > 0 {
					t.Errorf("%s: batch %d, %d threads: off by %g", name, s.Batch, threads, off)
				}
			}
		}
	}
}
