package vision

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// TestThumbnail: a thumbnail is what the model sees, made small, and never larger than that.
func TestThumbnail(t *testing.T) {
	wide := image.NewRGBA(image.Rect(0, 0, 300, 100))
	for y := range 100 {
		for x := range 300 {
			wide.Set(x, y, color.RGBA{200, 40, 40, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, wide); err != nil {
		t.Fatal(err)
	}
	p := newPreprocessor(Defaults(224, 224), &Settings{})
	for side, want := range map[int]int{64: 64, 1: 1, 1000: 224} {
		data, err := p.Thumbnail(Picture{Data: b.Bytes()}, side)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size != image.Pt(want, want) {
			t.Errorf("at most %d a side: %v", side, size)
		}
		if r, g, _, _ := img.At(want/2, want/2).RGBA(); r>>8 < 180 || g>>8 > 70 {
			t.Errorf("at most %d a side: the middle is %v", side, img.At(want/2, want/2))
		}
	}
	if _, err := p.Thumbnail(Picture{Data: b.Bytes()}, 0); err == nil {
		t.Error("a thumbnail of no pixels is made")
	}
	var bad *PictureError
	if _, err := p.Thumbnail(Picture{Data: []byte("no picture")}, 64); !errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
}
