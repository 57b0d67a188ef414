package finetune_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// slow is the environment variable that asks for tests of many minutes.
const slow = "GRAFT_SLOW"

// accuracies are what the default recipe must reach on real data by the metric that is read first: PyTorch's figure for the same
// network less one point (assets/README.md of the shared material) where there is one, and always the head alone on the same rows.
var accuracies = []struct {
	name, data, model, unfreeze string
	rows                        int     // of the training split, drawn by the subset's number; 0 is all
	subsets                     int     // each has a seed of its own
	least                       float64 // mean over the subsets
}{
	{"sst2-1000", "text-data/sst2", "text-models/minilm-l6", "all", 1000, 3, 0.838},
	{"cr-1000", "text-data/cr", "text-models/minilm-l6", "all", 1000, 3, 0.875},
	{"trec6-1000", "text-data/trec6", "text-models/minilm-l6", "all", 1000, 3, 0.947},
	{"banking77-1000", "text-data/banking77", "text-models/minilm-l6", "all", 1000, 3, 0.850},
	{"sst2-all", "text-data/sst2", "text-models/minilm-l6", "all", 0, 1, 0.884},
	{"stsb-1000", "text-data/stsb_en", "text-models/minilm-l6", "all", 1000, 3, 0},
	{"stsb-all", "text-data/stsb_en", "text-models/minilm-l6", "all", 0, 1, 0.85},
	{"wnut17-1000", "text-data/wnut17", "text-models/minilm-l6", "all", 1000, 3, 0},
	{"wnut17-all", "text-data/wnut17", "text-models/minilm-l6", "all", 0, 1, 0.4},
	{"hymenoptera-resnet", "image-data/hymenoptera", "vision-models/resnet18_layer3", "top:1", 0, 3, 0},
	{"flowers-resnet", "image-data/flowers", "vision-models/resnet18_layer3", "top:1", 0, 3, 0},
	{"flowers-mobilenet", "image-data/flowers", "vision-models/mobilenetv2_gluon_backbone", "top:1", 0, 3, 0},
}

// TestAccuracy trains with default settings and prints a line for each subset. It is run by make accuracy.
func TestAccuracy(t *testing.T) {
	if os.Getenv(slow) == "" {
		t.Skipf("takes three quarters of an hour; %s=1 asks for it", slow)
	}
	for _, c := range accuracies {
		t.Run(c.name, func(t *testing.T) {
			var alone, tuned float64
			done := 0
			for k := range c.subsets {
				t.Run(fmt.Sprint(k+1), func(t *testing.T) {
					u := must[tune.Unfreeze](t)(tune.ParseUnfreeze(c.unfreeze))
					a, b, seconds := trainOn(t, c.data, c.model, c.rows, uint64(k+1), &tune.Settings{Unfreeze: u, Seed: uint64(k + 1)})
					t.Logf("%s, subset %d: head alone %.4f, %s %.4f, %.0f s", c.name, k+1, a, c.unfreeze, b, seconds)
					alone, tuned, done = alone+a, tuned+b, done+1
				})
			}
			if done < c.subsets {
				return
			}
			alone, tuned = alone/float64(done), tuned/float64(done)
			t.Logf("%s: head alone %.4f, %s %.4f", c.name, alone, c.unfreeze, tuned)
			if tuned < c.least || tuned < alone {
				t.Errorf("%s: %.4f, want at least %.3f and the head's %.4f", c.name, tuned, c.least, alone)
			}
		})
	}
}

// trainOn returns what the test rows say of the head alone and of the trained backbone, and the training's seconds.
func trainOn(t *testing.T, data, model string, rows int, subset uint64, s *tune.Settings) (alone, tuned, seconds float64) {
	t.Helper()
	dir, ctx := onnxtest.Shared(t, "assets", data), context.Background()
	split := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	if rows > 0 {
		rand.New(rand.NewPCG(subset, 0)).Shuffle(len(split.Train), func(i, j int) {
			split.Train[i], split.Train[j] = split.Train[j], split.Train[i]
		})
		split.Train, split.Validation = split.Train[:rows], nil
	}
	path := onnxtest.Shared(t, "assets", model)
	if split.Kind == dataset.Images {
		backbone := imageBackbone(t, must[*vision.Backbone](t)(vision.Open(path, vision.Settings{})))
		return train(t, backbone, dataset.Map(split, picture), s)
	}
	opened := text.Settings{}
	if split.Target == dataset.Tags {
		opened.Pooling = onnx.PoolTokens
	}
	return train(t, textBackbone(t, must[*text.Backbone](t)(text.Open(path, opened))), split, s)
}

func train[T any](t *testing.T, b *finetune.Backbone[T], data dataset.Split[T], s *tune.Settings) (alone, tuned, seconds float64) {
	t.Helper()
	rt, cache := orttest.Open(t), &finetune.Cache{Dir: t.TempDir()}
	for _, moves := range []*tune.Settings{nil, s} {
		r, err := finetune.Run(context.Background(), rt.With(1), nil, b, data, finetune.Settings{
			Out: filepath.Join(t.TempDir(), "out"), Extract: finetune.ExtractSettings{Cache: cache}, Tune: moves, TuneRuntime: rt,
		})
		if err != nil {
			t.Fatal(err)
		}
		alone, tuned, seconds = tuned, r.Metrics[finetune.Headline(r.Card.Report)], r.Timings[finetune.Tuning]
	}
	return alone, tuned, seconds
}

// TestAccuracyFromRandom: on 2,000 pictures, a network that was trained before is at least 20 points better than the same one
// from random weights.
func TestAccuracyFromRandom(t *testing.T) {
	if os.Getenv(slow) == "" {
		t.Skipf("takes minutes; %s=1 asks for it", slow)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(context.Background(), onnxtest.Shared(t, "assets", "image-data/cifar10"), dataset.Settings{}))
	var got [2]float64
	for i, random := range []bool{false, true} {
		b := imageBackbone(t, must[*vision.Backbone](t)(vision.Open(onnxtest.Shared(t, "assets", "vision-models/resnet20_cifar10"), vision.Settings{})))
		if random {
			randomise(t, b.Model)
		}
		alone, tuned, seconds := train(t, b, dataset.Map(data, picture), &tune.Settings{Seed: 1})
		t.Logf("cifar10, random %v: head alone %.4f, all %.4f, %.0f s", random, alone, tuned, seconds)
		got[i] = tuned
	}
	if got[0]-got[1] < 0.2 {
		t.Errorf("%.4f trained before, %.4f from random weights", got[0], got[1])
	}
}

// randomise draws all matrices and kernels anew, as He et al. (arXiv:1502.01852) begin.
func randomise(t *testing.T, m *onnx.Model) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	for i, w := range m.Graph.Initializers {
		if w.Type != onnx.Float32 || len(w.Shape) < 2 {
			continue
		}
		data := slices.Clone(must[[]float32](t)(w.Float32s()))
		in := float64(len(data)) / float64(w.Shape[0])
		for j := range data {
			data[j] = float32(r.NormFloat64() * math.Sqrt(2/in))
		}
		m.Graph.Initializers[i] = onnx.NewTensor(w.Name, data, w.Shape...)
	}
}
