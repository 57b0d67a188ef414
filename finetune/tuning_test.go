package finetune_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/vision"
)

// TestTuneEndToEnd: training the top layer of the embedded backbones ends in a proved folder, of the same bytes each time.
func TestTuneEndToEnd(t *testing.T) {
	rt, ctx := runtimes(t), context.Background()
	settings := func() finetune.Settings {
		return finetune.Settings{
			Out:  filepath.Join(t.TempDir(), "out"),
			Tune: &tune.Settings{Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 2, LearningRate: 5e-5, Seed: 1},
		}
	}
	check := func(t *testing.T, r *finetune.Result, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("accuracy %.3f, %+v, %v", r.Metrics["eval_accuracy"], r.Verify, r.Timings)
		if r.Metrics["eval_accuracy"] < 0.75 || !r.Verify.ArgmaxEqual || r.Tuned == nil || r.Tuned.Trained == 0 {
			t.Errorf("accuracy %g, %+v", r.Metrics["eval_accuracy"], r.Verify)
		}
	}
	t.Run("text", func(t *testing.T) {
		dir := t.TempDir()
		if err := demo.WriteTexts(dir); err != nil {
			t.Fatal(err)
		}
		data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
		var first map[string]string
		for range 2 {
			s := settings()
			r, err := finetune.Run(ctx, rt, &onnxgo.Runtime{}, textBackbone(t, miniText(t)), data, s)
			check(t, r, err)
			got := readAll(t, os.DirFS(s.Out))
			for name := range first {
				if got[name] != first[name] && !timed(name) {
					t.Errorf("the same run gives other bytes of %s", name)
				}
			}
			first = got
		}
	})
	t.Run("image", func(t *testing.T) {
		dir := t.TempDir()
		if err := demo.DrawPictures(dir, 1); err != nil {
			t.Fatal(err)
		}
		data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
		b := imageBackbone(t, must[*vision.Backbone](t)(vision.OpenFS(embedded.Image(), vision.Settings{})))
		r, err := finetune.Run(ctx, rt, &onnxgo.Runtime{}, b, dataset.Map(data, picture), settings())
		check(t, r, err)
	})
}
