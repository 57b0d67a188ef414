package vision

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/vision/internal/raster"
	"github.com/onnx-graft/graft/vision/internal/resample"
)

var update = flag.Bool("update", false, "write testdata/exported anew")

// draw is the picture that testdata/make_golden.py draws.
func draw(w, h int) *raster.Image {
	m := new(raster.Image)
	m.Reset(w, h)
	for y := range h {
		row := m.Row(y)
		for x := range w {
			for c := range 3 {
				row[3*x+c] = byte((x*x*3 + y*y*5 + x*y*(7+c) + 40*c + 977*((x/9+y/7)%3)) / 16)
			}
		}
	}
	return m
}

func drawn(t testing.TB, w, h int) Picture {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, draw(w, h)); err != nil {
		t.Fatal(err)
	}
	return Picture{Data: b.Bytes()}
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func digest(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// Every filter gives Pillow's bytes, whole and in parts.
func TestResizeEqualsPillow(t *testing.T) {
	var cases []struct {
		From, To [2]int
		Filter   Interpolation
		SHA256   string
	}
	readJSON(t, "resize.json", &cases)
	if len(cases) < 70 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		var r resample.Resizer
		var whole, part raster.Image
		src := resample.Whole(draw(c.From[0], c.From[1]))
		out := image.Pt(c.To[0], c.To[1])
		whole.Reset(out.X, out.Y)
		f := interpolations[c.Filter]
		r.Resize(&whole, image.Point{}, src, out, whole.Bounds(), f)
		if digest(whole.Pix) != c.SHA256 {
			t.Errorf("%v to %v %s: not Pillow's bytes", c.From, c.To, c.Filter)
			continue
		}
		// A crop, from no more of the source than it needs, is that part of the whole.
		crop := image.Rect(out.X/3, out.Y/4, out.X/3+(out.X+1)/2, out.Y/4+(out.Y+1)/2)
		need := resample.Needs(src.Size, out, crop, f)
		var some, want raster.Image
		src.Pixels.Crop(&some, need)
		part.Reset(crop.Dx(), crop.Dy())
		r.Resize(&part, image.Point{}, resample.Source{Pixels: &some, At: need, Size: src.Size}, out, crop, f)
		whole.Crop(&want, crop)
		if !bytes.Equal(part.Pix, want.Pix) {
			t.Errorf("%v to %v %s: crop %v differs from the whole", c.From, c.To, c.Filter, crop)
		}
	}
}

// Configurations in the styles of the hub give the tensors of Hugging Face's own processors, to the last bit, and so do
// the files graft writes for them, opened again.
func TestProcessors(t *testing.T) {
	var cases []struct {
		Config  string
		Picture [2]int
		Shape   []int64
		SHA256  string
	}
	readJSON(t, "processors.json", &cases)
	if len(cases) < 100 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		b, err := os.ReadFile(filepath.Join("testdata", "processors", c.Config))
		if err != nil {
			t.Fatal(err)
		}
		p := parsed(t, c.Config, b)
		x, err := p.Tensor([]Picture{drawn(t, c.Picture[0], c.Picture[1])})
		if err != nil {
			t.Errorf("%s: %v", c.Config, err)
			continue
		}
		if !slices.Equal(x.Shape, c.Shape) || digest(x.Data) != c.SHA256 {
			t.Errorf("%s, picture %v: %v is not the tensor of Hugging Face's processor, %v", c.Config, c.Picture, x.Shape, c.Shape)
		}
	}
}

// What Files writes is in testdata/exported, where make_golden.py proves it against Hugging Face's processors.
func TestFilesRoundTrip(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "processors", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatal(err, len(names))
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := parsed(t, name, b)
		files, err := p.Files()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		written := files[preprocessorFile]
		path := filepath.Join("testdata", "exported", filepath.Base(name))
		if *update {
			if err := os.WriteFile(path, written, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, want) {
			t.Errorf("%s: Files writes\n%s\nnot\n%s", name, written, want)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, preprocessorFile), written, 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := OpenPreprocessor(dir)
		if err != nil {
			t.Fatal(err)
		}
		if again.Fingerprint() != p.Fingerprint() {
			t.Errorf("%s: opened again it is\n%s\nnot\n%s", name, again.Fingerprint(), p.Fingerprint())
		}
	}
}

func parsed(t testing.TB, name string, b []byte) *Preprocessor {
	t.Helper()
	tr, err := parseConfig(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return newPreprocessor(tr, &Settings{})
}

// The defaults, and all that Settings can make of them, come back from their file.
func TestFilesOfSettings(t *testing.T) {
	for _, s := range []Settings{
		{},
		{InputSize: 96, Interpolation: Lanczos},
		{CropPct: 0.95, CropRounding: RoundDown},
		{Resize: ResizeExact},
		{Resize: ResizeExact, CropPct: 0.9},
		{Resize: ResizeLonger, InputSize: 128},
		{Mean: []float64{0.5}, Std: []float64{0.25}, IgnoreOrientation: true},
	} {
		tr := Defaults(224, 224)
		if err := s.apply(&tr); err != nil {
			t.Fatal(err)
		}
		p := newPreprocessor(tr, &s)
		files, err := p.Files()
		if err != nil {
			t.Fatal(err)
		}
		again := parsed(t, "exported", files[preprocessorFile])
		if again.Fingerprint() != p.Fingerprint() {
			t.Errorf("%+v: opened again it is\n%s\nnot\n%s", s, again.Fingerprint(), p.Fingerprint())
		}
		x, err := p.Tensor([]Picture{drawn(t, 300, 201)})
		y, err2 := again.Tensor([]Picture{drawn(t, 300, 201)})
		if err != nil || err2 != nil || !bytes.Equal(x.Data, y.Data) {
			t.Errorf("%+v: another tensor after opening again: %v %v", s, err, err2)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, b := range []string{
		``, `[]`, `{"size": "big"}`, `{"size": {}}`, `{"size": [1,2,3]}`, `{"size": -1}`, `{"size": 100000}`, `{"resample": 9}`,
		`{"image_std": [0,0,1]}`, `{"image_mean": [1,2]}`, `{"do_center_crop": true, "crop_size": {"height": -1, "width": 3}}`,
		`{"do_pad": true}`, `{"size": {"shortest_edge": 300, "longest_edge": 400}}`,
		`{"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0}`,
		`{"image_processor_type": "ConvNextImageProcessor", "size": {"height": 3, "width": 4}}`,
		`{"rescale_factor": 1e999}`, `{"rescale_factor": 0}`,
	} {
		_, err := parseConfig([]byte(b))
		var want *ConfigError
		if !errors.As(err, &want) {
			t.Errorf("%s: %v is no ConfigError", b, err)
		}
	}
}
