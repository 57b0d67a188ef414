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
)

// What is not read is told apart from what is broken, and named.
func TestUnsupported(t *testing.T) {
	grey := formatData(t, "jgrey.jpg")
	frame := bytes.Index(grey, []byte{0xff, 0xc0})
	patched := func(at int, with ...byte) []byte {
		b := bytes.Clone(grey)
		copy(b[frame+at:], with)
		return b
	}
	bmp := formatData(t, "rgb.bmp")
	tif := formatData(t, "rgb_raw.tif")
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"lossless", patched(1, 0xc3), "lossless"},
		{"12 bits", patched(4, 12), "12 bits"},
		{"JPEG 2000", []byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), "JPEG 2000"},
		{"AVIF", []byte("\x00\x00\x00\x20ftypavif"), "AVIF"},
		{"HEIC", []byte("\x00\x00\x00\x20ftypheic"), "HEIC"},
		{"BMP of 7 bits", bytes.Replace(bmp, []byte{1, 0, 24, 0}, []byte{1, 0, 7, 0}, 1), "7 bits"},
		{"TIFF by fax", bytes.Replace(tif, []byte{3, 1, 3, 0, 1, 0, 0, 0, 1, 0}, []byte{3, 1, 3, 0, 1, 0, 0, 0, 4, 0}, 1), "compression 4"},
		{"deep PPM", []byte("P6 1 1 65535\n\x00\x00\x00\x00\x00\x00"), "65535"},
		{"icon of bitmaps", []byte("\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00\x02\x00\x00\x00\x16\x00\x00\x00BM"), "icons that hold PNG"},
	} {
		_, err := newPreprocessor(Defaults(32, 32), &Settings{}).Feeds([]Picture{{Path: c.name, Data: c.data}})
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Files that would take much memory or time for what they are.
func TestImplausible(t *testing.T) {
	progressive := formatData(t, "j420_prog.jpg")
	frame := bytes.Index(progressive, []byte{0xff, 0xc2})
	large := bytes.Clone(progressive)
	copy(large[frame+5:], []byte{0x2e, 0xe0, 0x2e, 0xe0}) // 12,000 × 12,000
	scan := bytes.Index(progressive, []byte{0xff, 0xda})
	many := bytes.Clone(progressive[:scan])
	for range 300 {
		many = append(many, progressive[scan:len(progressive)-2]...)
	}
	png := bytes.Clone(formatData(t, "rgb.png"))
	copy(png[16:], []byte{0, 0, 0x2e, 0xe0, 0, 0, 0x2e, 0xe0})
	bmp := bytes.Clone(formatData(t, "rgb.bmp"))
	copy(bmp[18:], []byte{0xe0, 0x2e, 0, 0, 0xe0, 0x2e, 0, 0})
	ppm := []byte("P6 12000 12000 255\n...")
	for name, data := range map[string][]byte{"large JPEG": large, "scans": many, "PNG": png, "BMP": bmp, "PPM": ppm} {
		var err error
		used := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err = newPreprocessor(Defaults(32, 32), &Settings{}).Feeds([]Picture{{Path: name, Data: data}})
				if b.Elapsed().Milliseconds() > 20 {
					return
				}
			}
		}).AllocedBytesPerOp()
		var malformed *MalformedError
		if !errors.As(err, &malformed) || used > 8<<20 {
			t.Errorf("%s: %d bytes, %v", name, used, err)
		}
	}
}

func TestContent(t *testing.T) {
	p := newPreprocessor(Defaults(32, 32), &Settings{})
	path := filepath.Join("testdata", "formats", "rgb.png")
	b, err := p.Content(Picture{Path: path})
	if err != nil || !bytes.Equal(b, formatData(t, "rgb.png")) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := p.Content(Picture{Path: "missing.png"}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "missing.png") {
		t.Error(err)
	}
}

// A layout that is asked for decides how an ambiguous shape is read.
func TestLayoutSetting(t *testing.T) {
	n, k := onnx.Param("N"), onnx.Known
	p := newPreprocessor(Defaults(3, 3), &Settings{Layout: NHWC})
	if err := p.Bind(graph(t, onnx.Float32, n, k(3), k(3), k(3))); err != nil {
		t.Fatal(err)
	}
	if want := (Input{"image", onnx.Float32, NHWC, 3, 3}); p.Input != want {
		t.Errorf("%+v", p.Input)
	}
}

// A folder keeps its model at its top or below onnx; files beside the model, or beside onnx, are found either way.
func TestFolders(t *testing.T) {
	n, k := onnx.Param("N"), onnx.Known
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "onnx"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Settings{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "onnx/model.onnx") {
		t.Errorf("an empty folder: %v", err)
	}
	file := filepath.Join(dir, "onnx", "model.onnx")
	if err := graph(t, onnx.Float32, n, k(3), n, n).Save(file); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, preprocessorFile)
	if err := os.WriteFile(config, []byte(`{"size": {"height": 40, "width": 50}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, file} {
		b, err := Open(name, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if size := b.Transform.OutputSize(); size.X != 50 || size.Y != 40 {
			t.Errorf("%s: pictures of %v", name, size)
		}
		if err := b.Model.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(config, []byte(`{"size": "large"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	var bad *ConfigError
	if _, err := Open(dir, Settings{}); !errors.As(err, &bad) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a bad config: %v", err)
	}
	if _, err := OpenPreprocessor(dir); !errors.As(err, &bad) {
		t.Errorf("a bad config: %v", err)
	}
	if _, err := OpenPreprocessor(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no config: %v", err)
	}
}
