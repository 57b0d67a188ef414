package vision

import (
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/vision/internal/raster"
)

// goldenIndex is golden/images/index.json: Pillow's answers.
type goldenIndex struct {
	Resize []struct {
		Input, Bilinear, Bicubic string
	}
	Formats []struct {
		Input, RGB string
	}
}

func golden(t testing.TB) (string, goldenIndex) {
	t.Helper()
	dir := onnxtest.Shared(t, "golden", "images")
	b, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index goldenIndex
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	return dir, index
}

// pngPixels reads the RGB pixels of a PNG that holds a reference's answer.
func pngPixels(t testing.TB, path string) *raster.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	out := new(raster.Image)
	toRGB(out, m, image.Rectangle{Max: m.Bounds().Size()})
	return out
}

// difference is the largest difference of two pictures' values, and how many values differ; -1 if their sizes do.
func difference(a, b *raster.Image) (most, count int) {
	if a.W != b.W || a.H != b.H {
		return -1, -1
	}
	for i, v := range a.Pix {
		if d := int(v) - int(b.Pix[i]); d != 0 {
			most = max(most, d, -d)
			count++
		}
	}
	return most, count
}

func TestGoldenResize(t *testing.T) {
	dir, index := golden(t)
	for _, c := range index.Resize {
		for filter, want := range map[Interpolation]string{Bilinear: c.Bilinear, Bicubic: c.Bicubic} {
			tr := Defaults(224, 224)
			tr.Interpolation = filter
			p := newPreprocessor(tr, &Settings{})
			m, err := p.View(Picture{Path: filepath.Join(dir, c.Input)})
			if err != nil {
				t.Error(err)
				continue
			}
			most, n := difference(m.(*raster.Image), pngPixels(t, filepath.Join(dir, want)))
			if most != 0 {
				t.Errorf("%s %s: %d values differ from Pillow's, by up to %d", c.Input, filter, n, most)
			}
		}
	}
}

func TestGoldenFormats(t *testing.T) {
	// No difference is expected but in these.
	except := map[string]string{
		"formats/rgb.jp2": "JPEG 2000 is not read",
	}
	dir, index := golden(t)
	for _, c := range index.Formats {
		// The expected pixels are those stored, whatever the orientation tag says.
		p := newPreprocessor(Transform{Stored: true}, &Settings{})
		m, err := p.View(Picture{Path: filepath.Join(dir, c.Input)})
		if reason, ok := except[c.Input]; ok {
			if err == nil {
				t.Errorf("%s: read, though it was expected that %s", c.Input, reason)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		most, n := difference(m.(*raster.Image), pngPixels(t, filepath.Join(dir, c.RGB)))
		if most != 0 {
			t.Errorf("%s: %d values differ from Pillow's, by up to %d", c.Input, n, most)
		}
	}
}
