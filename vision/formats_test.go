package vision

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

type formatCase struct {
	Name    string
	Size    [2]int
	SHA256  string
	Upright string
}

func formatCases(t testing.TB) []formatCase {
	t.Helper()
	var cases []formatCase
	readJSON(t, "formats.json", &cases)
	if len(cases) < 100 {
		t.Fatalf("%d cases", len(cases))
	}
	return cases
}

func formatData(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "formats", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every kind of file gives the pixels that Pillow reads, as stored and upright.
func TestFormatsEqualPillow(t *testing.T) {
	for _, c := range formatCases(t) {
		x := Picture{Data: formatData(t, c.Name)}
		for stored, want := range map[bool]string{true: c.SHA256, false: c.Upright} {
			if want == "" {
				continue
			}
			m, err := newPreprocessor(Transform{Stored: stored}, &Settings{}).View(x)
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
			if got := m.(*raster.Image); digest(got.Pix) != want {
				t.Errorf("%s (as stored: %v): %dx%d, not Pillow's pixels of %v", c.Name, stored, got.W, got.H, c.Size)
			}
		}
	}
}

// A part of a picture, decoded alone, is that part of the whole: for every format, every orientation and a worker that has
// just done another picture.
func TestPartsEqualWhole(t *testing.T) {
	var w worker
	for _, c := range formatCases(t) {
		data := formatData(t, c.Name)
		f, h, err := inspect(data, defaultLimits)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		bounds := (&raster.Image{W: h.width, H: h.height}).Bounds()
		if _, err := f.decode(&w, data, bounds); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		whole := raster.Image{W: w.stored.W, H: w.stored.H, Pix: append([]byte{}, w.stored.Pix...)}
		for x0 := 0; x0 < h.width; x0 += 7 {
			for y0 := 0; y0 < h.height; y0 += 5 {
				need := bounds
				need.Min.X, need.Min.Y = x0, y0
				need.Max.X, need.Max.Y = min(h.width, x0+1+y0%19), min(h.height, y0+1+x0%23)
				at, err := f.decode(&w, data, need)
				if err != nil || at != need {
					t.Fatalf("%s: part %v: %v %v", c.Name, need, at, err)
				}
				var want raster.Image
				whole.Crop(&want, need)
				if most, n := difference(&w.stored, &want); most != 0 {
					t.Fatalf("%s: part %v: %d values differ, by up to %d", c.Name, need, n, most)
				}
			}
		}
	}
}

// Files cut off anywhere are refused, or give a picture; nothing panics, and every error has its type.
func TestTruncated(t *testing.T) {
	for _, c := range formatCases(t) {
		data := formatData(t, c.Name)
		p := newPreprocessor(Transform{}, &Settings{})
		for n := 0; n < len(data); n += 1 + len(data)/60 {
			_, err := p.View(Picture{Path: c.Name, Data: data[:n:n]})
			var picture *PictureError
			var malformed *MalformedError
			var unsupported *UnsupportedError
			if err != nil && (!errors.As(err, &picture) || !errors.As(err, &malformed) && !errors.As(err, &unsupported)) {
				t.Errorf("%s, %d of %d bytes: %v", c.Name, n, len(data), err)
			}
			if err == nil && n < len(data)/2 && !strings.HasPrefix(c.Name, "animated") {
				t.Errorf("%s: %d of %d bytes give a picture", c.Name, n, len(data))
			}
		}
	}
}
