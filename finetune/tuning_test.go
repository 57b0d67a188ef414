package finetune_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx/onnxgo"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/text"
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

// TestTuneRealBackbones: every backbone of the shared material can be trained, its top layer and by adapters, and what is
// exported is proved.
func TestTuneRealBackbones(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds a backbone")
	}
	rt, ctx := runtimes(t), context.Background()
	few := func(d dataset.Split[string], n int) dataset.Split[string] {
		for _, part := range []*[]dataset.Example[string]{&d.Train, &d.Test} {
			var kept []dataset.Example[string]
			of := map[string]int{}
			for _, e := range *part {
				if of[e.Label]++; of[e.Label] <= n {
					kept = append(kept, e)
				}
			}
			*part = kept
		}
		return d
	}
	texts := few(must[dataset.Split[string]](t)(dataset.Read(ctx, onnxtest.Shared(t, "assets", "text-data", "sst2"), dataset.Settings{})), 12)
	pictures := few(must[dataset.Split[string]](t)(dataset.Read(ctx, onnxtest.Shared(t, "assets", "image-data", "hymenoptera"), dataset.Settings{})), 8)
	texts.Validation, pictures.Validation = nil, nil
	ways := map[string]tune.Settings{
		"top":  {Unfreeze: tune.Unfreeze{Top: 1}},
		"lora": {Unfreeze: tune.Unfreeze{Top: 1}, LoRA: tune.LoRA{Rank: 2}},
	}
	for _, model := range []string{"text-models/minilm-l6", "text-models/chrome_topics_bert_l6_h96",
		"vision-models/resnet18_layer3", "vision-models/mobilenetv2_gluon_backbone", "vision-models/squeezenet1_1",
		"vision-models/mobilenetv1_0.25_128", "vision-models/resnet20_cifar10"} {
		for name, way := range ways {
			if name == "lora" && strings.Contains(model, "resnet") {
				continue // its 1×1 convolutions are in the shortcuts of other stages
			}
			t.Run(model+" "+name, func(t *testing.T) {
				path := onnxtest.Shared(t, "assets", model)
				s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out"), Tune: &way, Probe: finetune.ProbeSettings{C: 0.01}}
				way.Epochs, way.BatchSize, way.Seed = 1, 8, 1
				var r *finetune.Result
				var err error
				if strings.HasPrefix(model, "text") {
					b := textBackbone(t, must[*text.Backbone](t)(text.Open(path, text.Settings{})))
					r, err = finetune.Run(ctx, rt, nil, b, texts, s)
				} else {
					b := imageBackbone(t, must[*vision.Backbone](t)(vision.Open(path, vision.Settings{})))
					r, err = finetune.Run(ctx, rt, nil, b, dataset.Map(pictures, picture), s)
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d numbers trained, loss %.3f, %+v", r.Tuned.Trained, *r.Tuned.History[0].Loss, r.Verify)
				if !r.Verify.ArgmaxEqual || len(r.Tuned.Changed) == 0 {
					t.Errorf("%d weights changed, %+v", len(r.Tuned.Changed), r.Verify)
				}
			})
		}
	}
}

// TestCacheKeepsFrozenLayers: what frozen layers made stays in the cache beside the features, gives the same bytes, is listed
// and cleared.
func TestCacheKeepsFrozenLayers(t *testing.T) {
	rt, ctx, dir := runtimes(t), context.Background(), t.TempDir()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	cache := &finetune.Cache{Dir: t.TempDir()}
	var first map[string]string
	kept := func() (n int) {
		for _, e := range must[[]finetune.CacheEntry](t)(cache.List()) {
			if strings.Contains(e.Model, "frozen layers") && e.Rows == len(data.Train)+len(data.Validation) {
				n++
			}
		}
		return n
	}
	for range 2 {
		s := finetune.Settings{
			Out: filepath.Join(t.TempDir(), "out"), Extract: finetune.ExtractSettings{Cache: cache}, Probe: finetune.ProbeSettings{C: 0.1},
			Tune: &tune.Settings{Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 1, Seed: 1},
		}
		must[*finetune.Result](t)(finetune.Run(ctx, rt, nil, textBackbone(t, miniText(t)), data, s))
		got := readAll(t, os.DirFS(s.Out))
		if first != nil && got["model.onnx"] != first["model.onnx"] {
			t.Error("from the cache another model is made")
		}
		first = got
		if n := kept(); n != 1 {
			t.Errorf("the cache lists %d files of frozen layers, want 1", n)
		}
	}
	if _, err := cache.Clear(); err != nil || kept() != 0 {
		t.Errorf("after clearing %d are left, %v", kept(), err)
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(cache.Dir)); len(left) != 0 {
		t.Errorf("after clearing there is %v", left)
	}
}

// TestTuneOtherTargets: backbones are trained for numbers and label sets too, and are then as good as with the head alone.
func TestTuneOtherTargets(t *testing.T) {
	rt, ctx, dir := runtimes(t), context.Background(), t.TempDir()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	change := func(set func(e *dataset.Example[string])) dataset.Split[string] {
		d := data
		for _, part := range []*[]dataset.Example[string]{&d.Train, &d.Validation, &d.Test} {
			*part = slices.Clone(*part)
			for i := range *part {
				set(&(*part)[i])
			}
		}
		return d
	}
	numbers := change(func(e *dataset.Example[string]) { e.Value = 1000 + 10*float64(len(e.Input)) })
	numbers.Target, numbers.Labels = dataset.Values, []string{"length"}
	sets := change(func(e *dataset.Example[string]) {
		if e.Labels = nil; e.Label != data.Labels[0] {
			e.Labels = []string{e.Label}
		}
	})
	sets.Target = dataset.Labels
	tagged := taskData(t, "d.conll", namesAndPlaces())
	tagged.Train, tagged.Validation = tagged.Train[40:], tagged.Train[:40]
	tagged.Train = append(tagged.Train, dataset.Example[string]{ID: "wordless", Input: "nothing to say"})
	for name, c := range map[string]struct {
		data   dataset.Split[string]
		metric string
		sign   float64
	}{
		"numbers": {numbers, "eval_rmse", -1}, "sets": {sets, "eval_f1_micro", 1}, "tags": {tagged, "eval_f1", 1},
		"pairs": {taskData(t, "p.tsv", pairTable(t, true)), "eval_accuracy", 1}, "scores of pairs": {taskData(t, "d.tsv", pairTable(t, false)), "eval_rmse", -1},
	} {
		var got [2]float64
		for i, moves := range []*tune.Settings{nil, {Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 4, Seed: 1}} {
			s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out"), Tune: moves}
			r := must[*finetune.Result](t)(finetune.Run(ctx, rt, nil, taskBackbone(t, c.data.Target), c.data, s))
			v, ok := r.Metrics[c.metric]
			if !ok {
				t.Fatalf("%s: no %s in %v", name, c.metric, r.Metrics)
			}
			got[i] = v
		}
		t.Logf("%s: %s %.4f with the head alone, %.4f trained", name, c.metric, got[0], got[1])
		if c.sign*(got[1]-got[0]) < -0.05*got[0] {
			t.Errorf("%s: %s went from %.4f to %.4f", name, c.metric, got[0], got[1])
		}
	}
}
