package finetune_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// A drawing is one synthetic example: what is drawn depends on its class and number alone.
type drawing struct{ class, number int }

// drawings feeds a graph with one input: float32 N×3×size×size pictures of stripes, which lie in class 0 and stand in class
// 1, or int64 N×L tokens, of which each class has its own words, mostly.
type drawings struct {
	input string
	size  int
	vocab int64 // 0: pictures
}

func (d drawings) Feeds(batch []drawing) (onnx.Feeds, error) {
	if d.vocab > 0 {
		return d.tokens(batch), nil
	}
	n := d.size
	data := make([]float32, 0, len(batch)*3*n*n)
	for _, x := range batch {
		r := rand.New(rand.NewPCG(uint64(x.class), uint64(x.number)))
		phase, width := r.Float64()*6, 0.5+r.Float64()*0.4
		for range 3 * n * n {
			at := len(data) % (n * n)
			along := at % n
			if x.class == 1 {
				along = at / n
			}
			data = append(data, float32(math.Sin(phase+float64(along)*width)+0.3*r.NormFloat64()))
		}
	}
	return onnx.Feeds{d.input: onnx.NewTensor(d.input, data, int64(len(batch)), 3, int64(n), int64(n))}, nil
}

// tokens pads lists of 5 to 12 tokens at the end.
func (d drawings) tokens(batch []drawing) onnx.Feeds {
	longest := 0
	for _, x := range batch {
		longest = max(longest, d.Size(x))
	}
	ids, mask := make([]int64, len(batch)*longest), make([]int64, len(batch)*longest)
	for i, x := range batch {
		r := rand.New(rand.NewPCG(uint64(x.class), uint64(x.number)))
		for j := range d.Size(x) {
			word := int64(x.class)*20 + r.Int64N(20)
			if r.IntN(3) == 0 {
				word = r.Int64N(40)
			}
			ids[i*longest+j], mask[i*longest+j] = d.vocab/2+word, 1
		}
	}
	shape := []int64{int64(len(batch)), int64(longest)}
	return onnx.Feeds{d.input: onnx.NewTensor(d.input, ids, shape...), "attention_mask": onnx.NewTensor("attention_mask", mask, shape...)}
}

func (d drawings) Size(x drawing) int {
	if d.vocab == 0 {
		return 1
	}
	return 5 + x.number%8
}

func (d drawings) Content(x drawing) ([]byte, error) { return fmt.Append(nil, x), nil }
func (d drawings) Fingerprint() string               { return fmt.Sprint("drawings ", d) }

// split draws n examples to learn from and a quarter as many to choose by and to judge by.
func (d drawings) split(n int) dataset.Split[drawing] {
	s := dataset.Split[drawing]{Name: "drawings", Kind: dataset.Texts, Labels: []string{"lying", "standing"}}
	for i := range n + n/2 {
		x := drawing{i % 2, i}
		e := dataset.Example[drawing]{ID: fmt.Sprint("drawing ", i), Input: x, Label: s.Labels[x.class], Digest: sha256.Sum256(fmt.Append(nil, x))}
		switch {
		case i < n:
			s.Train = append(s.Train, e)
		case i < n+n/4:
			s.Validation = append(s.Validation, e)
		default:
			s.Test = append(s.Test, e)
		}
	}
	return s
}

// backbone makes m, which is changed, a backbone that d feeds.
func (d drawings) backbone(t *testing.T, m *onnx.Model, o onnx.FeatureOptions) *finetune.Backbone[drawing] {
	t.Helper()
	must[*onnx.Value](t)(onnx.MakeBackbone(m, onnx.Feature{}, o))
	return &finetune.Backbone[drawing]{
		Name: "test", Task: finetune.ImageClassification, Model: m, Feature: "features", Preprocessor: d,
		Files: map[string][]byte{"drawings.txt": nil}, Config: map[string]any{},
		Reopen: func(string, *onnx.Model) (finetune.Preprocessor[drawing], error) { return d, nil },
	}
}

// vgg is a random network in VGG's style (Simonyan and Zisserman, arXiv:1409.1556): 3×3 convolutions in pairs between
// max-pools, then layers that see the whole picture.
func vgg(t *testing.T) *onnx.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	m := &onnx.Model{}
	b := onnx.NewBuilder(m)
	weight := func(name string, fan int64, shape ...int64) *onnx.Value {
		n := int64(1)
		for _, s := range shape {
			n *= s
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.NormFloat64() * math.Sqrt(2/float64(fan)))
		}
		return b.Const(name, onnx.NewTensor(name, data, shape...))
	}
	bias := func(name string, n int64) *onnx.Value {
		data := make([]float32, n)
		data[0] = float32(n) * 1e-3
		return b.Const(name, onnx.NewTensor(name, data, n))
	}
	x := b.Input("picture", onnx.Float32, onnx.Param("batch"), onnx.Known(3), onnx.Known(16), onnx.Known(16))
	channels := int64(3)
	for stage, width := range []int64{4, 8} {
		for i := range 2 {
			name := fmt.Sprintf("features.%d.%d", stage, i)
			x = b.Relu(b.Op("Conv", []*onnx.Value{x, weight(name+".weight", channels*9, width, channels, 3, 3), bias(name+".bias", width)},
				onnx.IntsAttr("pads", 1, 1, 1, 1)))
			channels = width
		}
		x = b.Op("MaxPool", []*onnx.Value{x}, onnx.IntsAttr("kernel_shape", 2, 2), onnx.IntsAttr("strides", 2, 2))
	}
	x = b.Relu(b.Gemm(b.Flatten(x, 1), weight("classifier.0.weight", 128, 24, 128), bias("classifier.0.bias", 24), true))
	x = b.Relu(b.Gemm(x, weight("classifier.3.weight", 24, 24, 24), bias("classifier.3.bias", 24), true))
	b.Output(x, "hidden")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTuneBackbones trains backbones of each kind, from rows to a proved folder: the loss falls in every one.
func TestTuneBackbones(t *testing.T) {
	file := func(path ...string) func(t *testing.T) *onnx.Model {
		return func(t *testing.T) *onnx.Model {
			m := must[*onnx.Model](t)(onnx.Load(onnxtest.Shared(t, append([]string{"assets"}, path...)...)))
			t.Cleanup(func() { m.Close() })
			return m
		}
	}
	for _, c := range []struct {
		name     string
		model    func(t *testing.T) *onnx.Model
		pre      drawings
		options  onnx.FeatureOptions
		rows     int
		settings tune.Settings
		least    float64 // accuracy on rows held out
	}{
		{"vgg", vgg, drawings{"picture", 16, 0}, onnx.FeatureOptions{}, 200,
			tune.Settings{Epochs: 6, LearningRate: 3e-3, HeadScale: 1}, 0.95},
		{"gpt", file("text-models", "stories260k_llama", "model.onnx"), drawings{"input_ids", 0, 512},
			onnx.FeatureOptions{Pooling: onnx.PoolLast, Mask: "attention_mask"}, 160,
			tune.Settings{Epochs: 4, LearningRate: 1e-3}, 0.9},
		{"mobilenet", file("vision-models", "mobilenetv1_0.25_128", "model.onnx"), drawings{"input", 128, 0}, onnx.FeatureOptions{}, 16,
			tune.Settings{Epochs: 3, BatchSize: 8, LearningRate: 3e-4}, 0.5},
		{"mobilenet2", file("vision-models", "mobilenetv2_gluon_backbone", "model.onnx"), drawings{"data", 224, 0}, onnx.FeatureOptions{}, 8,
			tune.Settings{Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 2, BatchSize: 4, LearningRate: 3e-4}, 0.5},
		{"squeezenet", file("vision-models", "squeezenet1_1", "model.onnx"), drawings{"data", 224, 0}, onnx.FeatureOptions{}, 8,
			tune.Settings{Unfreeze: tune.Unfreeze{Top: 1}, Epochs: 2, BatchSize: 4, LearningRate: 3e-4}, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.settings.Dropout, c.settings.Smoothing, c.settings.Seed = -1, -1, 1 // the loss is that of the labels, of few rows
			s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out"), Probe: finetune.ProbeSettings{C: 0.1}, Tune: &c.settings}
			r, err := finetune.Run(context.Background(), runtimes(t), nil, c.pre.backbone(t, c.model(t), c.options), c.pre.split(c.rows), s)
			if err != nil {
				t.Fatal(err)
			}
			h := r.Tuned.History
			first, last := *h[1].Loss, *h[len(h)-1].Loss
			t.Logf("loss %.4f → %.4f, accuracy %.3f, %d numbers trained, %+v, %v", first, last, r.Metrics["eval_accuracy"], r.Tuned.Trained, r.Verify, r.Timings)
			if !(last < first) {
				t.Errorf("the loss went from %g to %g", first, last)
			}
			if r.Metrics["eval_accuracy"] < c.least || !r.Verify.ArgmaxEqual || r.Verify.Rows == 0 {
				t.Errorf("accuracy %g, want %g; proof %+v", r.Metrics["eval_accuracy"], c.least, r.Verify)
			}
		})
	}
}
