package vision

import (
	"bytes"
	"math"
	"testing"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// TestOperations holds RandAugment's operations against Pillow's. Pillow rounds enhanced pixels down, and contrast's grey to a
// whole number: half a level, and there one, are let be.
func TestOperations(t *testing.T) {
	var want map[string][]float64
	readJSON(t, "augment.json", &want)
	for name, c := range map[string]struct {
		of    func(m *raster.Image)
		level float64 // that a pixel may be off on average
	}{
		"autocontrast": {autocontrast, 0},
		"equalize":     {equalize, 0},
		"posterize":    {func(m *raster.Image) { posterize(m, 5) }, 0},
		"solarize":     {func(m *raster.Image) { solarize(m, 100) }, 0},
		"brightness":   {func(m *raster.Image) { awayFrom(m, 1.3, black) }, 0.6},
		"contrast":     {func(m *raster.Image) { awayFrom(m, 0.6, meanGrey(m)) }, 1},
		"saturation":   {func(m *raster.Image) { awayFrom(m, 1.5, luma) }, 1},
		"sharpness":    {func(m *raster.Image) { sharpen(m, 1.8) }, 0.6},
		"blur":         {func(m *raster.Image) { sharpen(m, 0.3) }, 0.6},
	} {
		m := draw(96, 64)
		for i, v := range m.Pix {
			m.Pix[i] = v/2 + 40
		}
		c.of(m)
		const part = 24 * 16
		got := make([]float64, 4*4*3)
		for i, v := range m.Pix {
			y, x := i/3/96, i/3%96
			got[(y/16*4+x/24)*3+i%3] += float64(v)
		}
		if len(want[name]) != len(got) {
			t.Fatalf("%s: no answer of Pillow's", name)
		}
		for i, v := range got {
			if d := math.Abs(v-want[name][i]) / part; d > c.level {
				t.Errorf("%s: part %d is off by %.3f levels on average, want at most %g", name, i, d, c.level)
			}
		}
	}
}

// TestMagnitude: views are changed more with it, by the seed alone, and as they were without it.
func TestMagnitude(t *testing.T) {
	x := views([]Picture{drawn(t, 64, 64)}, 1)[0]
	same := [2]float64{1, 1}
	still := Augment{Seed: 3, Scale: same, Ratio: same, Flip: -1}
	strong := still
	strong.Magnitude = 20
	plain, changed := augmented(t, still), augmented(t, strong)
	before, different := seen(t, plain, x).Pix, 0
	for view := range 20 {
		x.View = view + 1
		a, b := seen(t, changed, x).Pix, seen(t, changed, x).Pix
		if !bytes.Equal(a, b) {
			t.Fatalf("view %d is not the same twice", x.View)
		}
		if !bytes.Equal(a, before) {
			different++
		}
	}
	if different < 12 {
		t.Errorf("%d of 20 views differ from the picture", different)
	}
}
