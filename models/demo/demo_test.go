package demo

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTextsAreBalancedAndDisjoint(t *testing.T) {
	dir := t.TempDir()
	if err := WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, split := range []struct {
		file string
		each int
	}{{"train.tsv", 80}, {"test.tsv", 25}} {
		data, err := os.ReadFile(filepath.Join(dir, split.file))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		if lines[0] != "label\ttext" {
			t.Errorf("%s starts with %q", split.file, lines[0])
		}
		count := map[string]int{}
		for i, line := range lines[1:] {
			label, text, ok := strings.Cut(line, "\t")
			if !ok || len(text) < 5 || strings.Contains(text, "\t") {
				t.Fatalf("%s:%d: %q is not a label and a text", split.file, i+2, line)
			}
			if key := strings.ToLower(text); seen[key] {
				t.Errorf("%s:%d: %q stands twice", split.file, i+2, text)
			} else {
				seen[key] = true
			}
			count[label]++
		}
		for _, label := range []string{"account", "delivery", "fault", "refund"} {
			if count[label] != split.each {
				t.Errorf("%s: %d rows of %q, want %d", split.file, count[label], label, split.each)
			}
		}
	}
}

func TestPicturesFollowTheSeed(t *testing.T) {
	first, again, other := digests(t, 1), digests(t, 1), digests(t, 2)
	if len(first) != len(motifs)*(trainEach+testEach) {
		t.Fatalf("%d different pictures drawn, want %d", len(first), len(motifs)*(trainEach+testEach))
	}
	for sum := range first {
		if !again[sum] {
			t.Fatal("the same seed drew other pictures")
		}
		if other[sum] {
			t.Fatal("another seed drew the same picture")
		}
	}
}

// digests returns the digests of the set's files.
func digests(t *testing.T, seed uint64) map[[32]byte]bool {
	dir := t.TempDir()
	if err := DrawPictures(dir, seed); err != nil {
		t.Fatal(err)
	}
	sums := map[[32]byte]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sums[sha256.Sum256(data)] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// A nearest-centroid classifier on colour histograms must not tell the classes
// apart, or the demo would show nothing about the backbone.
func TestColourDoesNotGiveTheClassAway(t *testing.T) {
	dir := t.TempDir()
	if err := DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	if acc := histogramAccuracy(t, dir); acc > 0.38 {
		t.Errorf("colour histograms reach an accuracy of %.2f; chance is 0.25", acc)
	}
}

// The baseline itself works where colour does tell.
func TestHistogramBaselineCanSucceed(t *testing.T) {
	dir := t.TempDir()
	for i, class := range []string{"blue", "red"} {
		for _, split := range []string{"train", "test"} {
			folder := filepath.Join(dir, split, class)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			b := newBrush(16)
			b.fill(color.NRGBA{uint8(220 * i), 0, uint8(220 * (1 - i)), 255}, box(-1, -1, 1, 1))
			var buf bytes.Buffer
			if err := png.Encode(&buf, b.img); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "0.png"), buf.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if acc := histogramAccuracy(t, dir); acc != 1 {
		t.Errorf("accuracy %.2f on plain colours, want 1", acc)
	}
}

func histogramAccuracy(t *testing.T, dir string) float64 {
	train, test := histograms(t, filepath.Join(dir, "train")), histograms(t, filepath.Join(dir, "test"))
	centroid := map[string][64]float64{}
	for class, rows := range train {
		var mean [64]float64
		for _, h := range rows {
			for i, v := range h {
				mean[i] += v / float64(len(rows))
			}
		}
		centroid[class] = mean
	}
	right, all := 0, 0
	for class, rows := range test {
		for _, h := range rows {
			best, at := "", 0.0
			for name, c := range centroid {
				d := 0.0
				for i := range c {
					d += (c[i] - h[i]) * (c[i] - h[i])
				}
				if best == "" || d < at {
					best, at = name, d
				}
			}
			if all++; best == class {
				right++
			}
		}
	}
	return float64(right) / float64(all)
}

// histograms counts, for each picture of each class, the share of pixels in
// each of 4×4×4 colour cells.
func histograms(t *testing.T, dir string) map[string][][64]float64 {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.png"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pictures in %s: %v", dir, err)
	}
	all := map[string][][64]float64{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		var h [64]float64
		r := img.Bounds()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				red, green, blue, _ := img.At(x, y).RGBA()
				h[red>>14<<4|green>>14<<2|blue>>14] += 1 / float64(r.Dx()*r.Dy())
			}
		}
		class := filepath.Base(filepath.Dir(file))
		all[class] = append(all[class], h)
	}
	return all
}
