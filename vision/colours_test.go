package vision

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
)

func TestColoursAreSharesOfTheWholeAndOfItsParts(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 224, 224))
	for y := range 224 {
		for x := range 224 {
			c := color.RGBA{R: 255, A: 255}
			if x >= 112 {
				c = color.RGBA{B: 200, G: 40, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	p := newPreprocessor(Defaults(224, 224), &Settings{Resize: ResizeNone})
	p.Transform.Resize = ResizeNone
	got, err := p.Colours(Picture{Data: file.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want float32) {
		if math.Abs(float64(got-want)) > 1e-3 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("red of the whole", got[box(255, 0, 0, wholeSteps)], 0.5)
	near("blue of the whole", got[box(0, 40, 200, wholeSteps)], 0.5)
	const whole, part = 512, 64
	near("red of the first part", got[whole+box(255, 0, 0, partSteps)], 75.0*75/224/224)
	near("blue of the first part", got[whole+box(0, 40, 200, partSteps)], 0)
	near("blue of the last part", got[whole+8*part+box(0, 40, 200, partSteps)], 74.0*74/224/224)
	var sum float32
	for _, v := range got {
		sum += v
	}
	near("all", sum, 2)
	if _, err := p.Colours(Picture{Data: []byte("no picture")}); err == nil {
		t.Error("no picture was read")
	}
}
