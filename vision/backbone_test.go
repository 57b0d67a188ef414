package vision

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// Real backbones open alone; what they are fed is what their makers' notes say.
func TestOpenRealModels(t *testing.T) {
	for _, c := range []struct {
		name, input string
		settings    Settings
		side, to    int
		dim         int64
	}{
		{name: "resnet18_layer3", input: "data", side: 224, to: 256, dim: 256},
		{name: "mobilenetv2_gluon_backbone", input: "data", side: 224, to: 256, dim: 1280},
		{name: "squeezenet1_1", input: "data", side: 224, to: 256, dim: 512},
		{name: "mobilenetv1_0.25_128", input: "input", settings: Settings{Mean: []float64{128. / 255}, Std: []float64{128. / 255}}, side: 128, to: 146, dim: 256},
		{name: "mobilenetv1_0.25_128/model_qdq.onnx", input: "input", side: 128, to: 146, dim: 256},
		{name: "resnet20_cifar10", input: "input", side: 32, to: 32, dim: 64},
	} {
		b, err := Open(onnxtest.Shared(t, "assets", "vision-models", c.name), c.settings)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if b.Input.Name != c.input || b.Transform.OutputSize().X != c.side || b.Transform.Size.X != c.to || b.Dim != c.dim {
			t.Errorf("%s: input %q, %v resized to %v, %d features of %+v", c.name, b.Input.Name, b.Transform.OutputSize(), b.Transform.Size, b.Dim, b.Feature)
		}
		feeds, err := b.Feeds([]Picture{drawn(t, 300, 200), drawn(t, 200, 333)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		x := feeds[c.input]
		if x == nil || len(x.Shape) != 4 || x.Shape[0] != 2 || x.Shape[1] != 3 || x.Shape[2] != int64(c.side) {
			t.Errorf("%s: feeds %v", c.name, feeds)
		}
		if len(b.Model.Graph.Outputs) != 1 || b.Model.Graph.Outputs[0].Name != "features" {
			t.Errorf("%s: outputs %v", c.name, b.Model.Graph.Outputs)
		}
		if err := b.Model.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The mini states its preprocessing; what Files writes for it says the same.
func TestOpenMini(t *testing.T) {
	dir := onnxtest.Shared(t, "minis", "image")
	b, err := Open(dir, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	same, err := OpenFS(os.DirFS(dir), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := OpenPreprocessor(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := alone.Bind(b.Model); err != nil {
		t.Fatal(err)
	}
	if b.Fingerprint() != same.Fingerprint() || b.Fingerprint() != alone.Fingerprint() {
		t.Errorf("fingerprints differ:\n%s\n%s\n%s", b.Fingerprint(), same.Fingerprint(), alone.Fingerprint())
	}
	if b.Dim != 256 || b.Transform.Interpolation != Bicubic || b.Transform.CropSize.X != 64 || b.Config()["model_type"] != "resnet" {
		t.Errorf("%+v %+v %v", b.Feature, b.Transform, b.Config())
	}
}

// graph is a model that averages its input over the picture.
func graph(t *testing.T, typ onnx.DType, dims ...onnx.Dim) *onnx.Model {
	t.Helper()
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{Name: "mean"}}
	b := onnx.NewBuilder(m)
	x := b.Input("image", typ, dims...)
	b.Output(b.Op("Flatten", []*onnx.Value{b.Op("GlobalAveragePool", []*onnx.Value{x})}), "y")
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

// Layout, type and size come from the graph; a size that does not fit is an error.
func TestBind(t *testing.T) {
	n, k := onnx.Param("N"), onnx.Known
	for _, c := range []struct {
		typ   onnx.DType
		dims  []onnx.Dim
		want  Input
		error string
	}{
		{typ: onnx.Float32, dims: []onnx.Dim{n, k(3), k(24), k(32)}, want: Input{"image", onnx.Float32, NCHW, 32, 24}},
		{typ: onnx.Float16, dims: []onnx.Dim{n, k(24), k(32), k(3)}, want: Input{"image", onnx.Float16, NHWC, 32, 24}},
		{typ: onnx.Uint8, dims: []onnx.Dim{n, onnx.Param("h"), onnx.Param("w"), k(3)}, want: Input{"image", onnx.Uint8, NHWC, 0, 0}},
		{typ: onnx.Float32, dims: []onnx.Dim{n, n, n, n}, want: Input{"image", onnx.Float32, NCHW, 0, 0}},
		{typ: onnx.Float32, dims: []onnx.Dim{n, k(3), k(25), k(32)}, error: "32x25"},
		{typ: onnx.Float32, dims: []onnx.Dim{n, k(1), k(28), k(28)}, error: "three channels"},
		{typ: onnx.Int64, dims: []onnx.Dim{n, k(3), k(24), k(32)}, error: "int64"},
		{typ: onnx.Float32, dims: []onnx.Dim{n, k(7)}, error: "2 axes"},
	} {
		p := newPreprocessor(Defaults(32, 24), &Settings{})
		err := p.Bind(graph(t, c.typ, c.dims...))
		if c.error != "" {
			if err == nil || !strings.Contains(err.Error(), c.error) {
				t.Errorf("%v: %v, want an error that says %q", c.dims, err, c.error)
			}
			continue
		}
		if err != nil || p.Input != c.want {
			t.Errorf("%v: %+v, %v", c.dims, p.Input, err)
		}
	}
}

// All types and layouts hold the same picture.
func TestTypesAndLayouts(t *testing.T) {
	n, k := onnx.Param("N"), onnx.Known
	x := []Picture{drawn(t, 50, 40), drawn(t, 45, 60)}
	plain := newPreprocessor(Defaults(32, 24), &Settings{})
	want, err := plain.Tensor(x)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := want.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []onnx.DType{onnx.Float32, onnx.Float16, onnx.Uint8} {
		for _, dims := range [][]onnx.Dim{{n, k(3), n, n}, {n, n, n, k(3)}} {
			p := newPreprocessor(Defaults(32, 24), &Settings{})
			if err := p.Bind(graph(t, typ, dims...)); err != nil {
				t.Fatal(err)
			}
			got, err := p.Tensor(x)
			if err != nil {
				t.Fatal(err)
			}
			values, err := got.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for i, v := range values {
				at := i
				if p.Input.Layout == NHWC {
					picture, c, pixel := i/(3*32*24), i%3, i%(3*32*24)/3
					at = picture*3*32*24 + c*32*24 + pixel
				}
				w := float64(ref[at])
				if typ == onnx.Uint8 {
					c := at / (32 * 24) % 3
					v = (v/255 - float32(imageNetMean[c])) / float32(imageNetStd[c])
				}
				worst = max(worst, abs(float64(v)-w))
			}
			if limit := map[onnx.DType]float64{onnx.Float32: 0, onnx.Float16: 0.001, onnx.Uint8: 1e-6}[typ]; worst > limit {
				t.Errorf("%v %s: differs by %v", typ, p.Input.Layout, worst)
			}
		}
	}
}

func abs(v float64) float64 { return max(v, -v) }

// half rounds as the types' own conversion does: every half comes back, and of two halves' middle the even one.
func TestHalf(t *testing.T) {
	for bits := range uint16(0x7c00) {
		tensor := onnx.Tensor{Type: onnx.Float16, Shape: []int64{2}, Data: []byte{byte(bits), byte(bits >> 8), byte(bits + 1), byte((bits + 1) >> 8)}}
		v, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if half(v[0]) != bits || half(-v[0]) != bits|0x8000 {
			t.Fatalf("%v is %#x, not %#x", v[0], half(v[0]), bits)
		}
		if bits+1 < 0x7c00 {
			if mid := half((v[0] + v[1]) / 2); mid != (bits+1)&^1 {
				t.Fatalf("the middle of %v and %v is %#x", v[0], v[1], mid)
			}
		}
	}
	if half(65520) != 0x7c00 || half(65519) != 0x7bff {
		t.Error("overflow")
	}
}

// Errors name the first picture that is bad, whatever the number of threads.
func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.jpg")
	if err := os.WriteFile(text, []byte("not a picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	good := drawn(t, 40, 40)
	batch := []Picture{good, good, {Path: text}, good, {Path: filepath.Join(dir, "missing.png")}, {Path: dir}}
	for _, threads := range []int{1, 2, 8} {
		p := newPreprocessor(Defaults(32, 32), &Settings{Threads: threads})
		_, err := p.Feeds(batch)
		var bad *PictureError
		if !errors.As(err, &bad) || bad.Picture != text {
			t.Errorf("%d threads: %v", threads, err)
		}
		_, err = p.Feeds(batch[4:5])
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
		_, err = p.Feeds(batch[5:])
		if err == nil || !strings.Contains(err.Error(), "folder") {
			t.Errorf("a folder: %v", err)
		}
	}
	p := newPreprocessor(Transform{}, &Settings{})
	if _, err := p.Feeds([]Picture{drawn(t, 3, 4), drawn(t, 4, 3)}); err == nil || !strings.Contains(err.Error(), "4x3") {
		t.Errorf("pictures of two sizes: %v", err)
	}
	if _, err := p.Feeds(nil); err == nil {
		t.Error("no pictures: no error")
	}
}

func TestLimits(t *testing.T) {
	x := drawn(t, 40, 40)
	for _, l := range []Limits{{Pixels: 1599}, {Bytes: int64(len(x.Data)) - 1}} {
		p := newPreprocessor(Defaults(32, 32), &Settings{Limits: l})
		_, err := p.Feeds([]Picture{x})
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	p := newPreprocessor(Defaults(32, 32), &Settings{Limits: Limits{Pixels: 1600, Bytes: int64(len(x.Data)), Frames: 1}})
	if _, err := p.Feeds([]Picture{x}); err != nil {
		t.Error(err)
	}
	_, err := p.Feeds([]Picture{{Data: formatData(t, "animated.gif")}})
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Errorf("too many frames: %v", err)
	}
}

// The folder of a model, a timm model's config.json, and settings over them.
func TestResolve(t *testing.T) {
	timm := `{"architecture": "resnet50", "pretrained_cfg": {"input_size": [3, 288, 288], "interpolation": "bicubic", "crop_pct": 0.95,
		"crop_mode": "center", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}}`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(timm), 0o644); err != nil {
		t.Fatal(err)
	}
	in := Input{Name: "x", Type: onnx.Float32, Layout: NCHW}
	tr, err := resolve(os.DirFS(dir), in, Settings{})
	if err != nil || tr.Size.X != 303 || tr.CropSize.X != 288 || tr.Interpolation != Bicubic || tr.CropRounding != RoundHalfEven || tr.Normalize.Std[2] != 0.25 {
		t.Errorf("timm: %v %v", &tr, err)
	}
	tr, err = resolve(os.DirFS(dir), in, Settings{InputSize: 224, Std: []float64{1, 2, 3}})
	if err != nil || tr.Size.X != 235 || tr.CropSize.X != 224 || tr.Normalize.Mean[0] != 0.5 || tr.Normalize.Std[2] != 3 {
		t.Errorf("timm with settings: %v %v", &tr, err)
	}
	empty := os.DirFS(t.TempDir())
	for _, c := range []struct {
		in       Input
		s        Settings
		size, to int
		resize   Resize
	}{
		{s: Settings{}, size: 224, to: 256, resize: ResizeShorter},
		{s: Settings{InputSize: 160}, size: 160, to: 182, resize: ResizeShorter},
		{s: Settings{CropPct: 1}, size: 224, to: 224, resize: ResizeShorter},
		{s: Settings{Resize: ResizeExact}, size: 224, to: 224, resize: ResizeExact},
		{s: Settings{Resize: ResizeLonger}, size: 224, to: 224, resize: ResizeLonger},
		{in: Input{Width: 32, Height: 32}, size: 32, to: 32, resize: ResizeShorter},
		{in: Input{Width: 96}, size: 96, to: 109, resize: ResizeShorter},
		{in: Input{Width: 64, Height: 128}, size: 64, to: 73, resize: ResizeExact},
	} {
		tr, err := resolve(empty, c.in, c.s)
		if err != nil || tr.OutputSize().X != c.size || tr.Size.X != c.to || tr.Resize != c.resize {
			t.Errorf("%+v %+v: %v %v", c.in, c.s, &tr, err)
		}
	}
	for _, s := range []Settings{{CropPct: 2}, {InputSize: -1}, {Mean: []float64{1, 2}}, {Std: []float64{0}}, {Interpolation: "cubic"}, {Resize: "fit"}, {CropRounding: "up"}} {
		if _, err := resolve(empty, in, s); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
}

// Preprocessing on many threads is preprocessing on one.
func TestThreads(t *testing.T) {
	var batch []Picture
	for _, c := range formatCases(t) {
		batch = append(batch, Picture{Data: formatData(t, c.Name)})
	}
	one, err := newPreprocessor(Defaults(32, 32), &Settings{Threads: 1}).Tensor(batch)
	if err != nil {
		t.Fatal(err)
	}
	many, err := newPreprocessor(Defaults(32, 32), &Settings{Threads: 7}).Tensor(batch)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Data, many.Data) {
		t.Error("the tensor depends on the number of threads")
	}
}
