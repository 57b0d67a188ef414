package vision

import (
	"bytes"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

func augmented(t testing.TB, a Augment) *Preprocessor {
	t.Helper()
	p, err := newPreprocessor(Defaults(64, 64), &Settings{}).Augmented(a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// views are view number k of pictures.
func views(pictures []Picture, k int) []Picture {
	out := slices.Clone(pictures)
	for i := range out {
		out[i].View = k
	}
	return out
}

func seen(t testing.TB, p *Preprocessor, x Picture) *raster.Image {
	t.Helper()
	m, err := p.View(x)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*raster.Image)
}

// Same seed, view and picture: same bytes, in whatever batch, on however many threads. Any other: other bytes.
func TestAugmentDeterministic(t *testing.T) {
	all := Augment{Seed: 7, Brightness: 0.4, Contrast: 0.4, Saturation: 0.4, Erase: 0.5}
	plain := []Picture{drawn(t, 120, 90), drawn(t, 80, 100), drawn(t, 64, 64)}
	pictures := views(plain, 3)
	p := augmented(t, all)
	batch, err := p.Tensor(pictures)
	if err != nil {
		t.Fatal(err)
	}
	one := *p
	one.Threads = 1
	turned, err := one.Tensor([]Picture{pictures[2], pictures[1], pictures[0]})
	if err != nil {
		t.Fatal(err)
	}
	n := len(batch.Data) / 3
	if !bytes.Equal(batch.Data[:n], turned.Data[2*n:]) || !bytes.Equal(batch.Data[n:2*n], turned.Data[n:2*n]) {
		t.Error("a picture's view depends on its batch")
	}
	first := seen(t, p, pictures[0])
	other := all
	other.Seed = 8
	for name, is := range map[string]struct {
		*Preprocessor
		Picture
	}{"view": {p, views(plain, 4)[0]}, "seed": {augmented(t, other), pictures[0]}, "original": {p, plain[0]}} {
		if bytes.Equal(first.Pix, seen(t, is.Preprocessor, is.Picture).Pix) {
			t.Errorf("another %s gives the same view", name)
		}
		if bytes.Equal(content(t, is.Preprocessor, is.Picture), content(t, p, pictures[0])) {
			t.Errorf("another %s has the same content", name)
		}
	}
}

// Pictures that are no view are what they are without augmentation, cached features included.
func TestAugmentLeavesOriginals(t *testing.T) {
	bare, p, x := newPreprocessor(Defaults(64, 64), &Settings{}), augmented(t, Augment{}), drawn(t, 120, 90)
	if !bytes.Equal(seen(t, bare, x).Pix, seen(t, p, x).Pix) {
		t.Error("an original was changed")
	}
	if bare.Fingerprint() != p.Fingerprint() || !bytes.Equal(content(t, bare, x), content(t, p, x)) {
		t.Error("an original has another name")
	}
	x.View = 1
	if _, err := bare.View(x); err == nil {
		t.Error("a view was made without augmentation")
	}
	if _, err := bare.Content(x); err == nil {
		t.Error("a view has a content without augmentation")
	}
}

func content(t testing.TB, p *Preprocessor, x Picture) []byte {
	t.Helper()
	b, err := p.Content(x)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Over many views, each change happens as often and as strongly as asked for.
func TestAugmentDistribution(t *testing.T) {
	const tried = 400
	grey := new(raster.Image)
	grey.Reset(64, 64)
	for i := range grey.Pix {
		grey.Pix[i] = byte(20 + 3*(i/3%64)) // brighter to the right
	}
	flips, erased := 0, 0
	low, high := 255.0, 0.0
	for k := range tried {
		a := Augment{Brightness: 0.5, Erase: 0.25}
		v := a.variant([]byte("picture"), k)
		a.Flip = 0.5
		m := &raster.Image{W: 64, H: 64, Pix: bytes.Clone(grey.Pix)}
		v.paint(m, [3]float64{1, 0, 1})
		mid := m.Row(32)
		hue := 0
		for i := 0; i < len(m.Pix); i += 3 {
			if m.Pix[i] == 255 && m.Pix[i+1] == 0 {
				hue++
			}
		}
		if hue > 0 {
			erased++
			if hue < 64*64/100 || hue > 64*64*36/100 {
				t.Errorf("view %d: %d pixels erased", k, hue)
			}
			continue
		}
		if mid[0] > mid[len(mid)-1] {
			flips++
		}
		ratio := luma(mid[3*32:]) / luma(grey.Row(32)[3*32:])
		low, high = min(low, ratio), max(high, ratio)
	}
	if plain := tried - erased; flips < plain*2/5 || flips > plain*3/5 {
		t.Errorf("%d of %d flipped", flips, plain)
	}
	if erased < tried*18/100 || erased > tried*32/100 {
		t.Errorf("%d of %d erased, expected about a quarter", erased, tried)
	}
	if low < 0.48 || low > 0.6 || high < 1.4 || high > 1.52 {
		t.Errorf("brightness from %.2f to %.2f, expected 0.5 to 1.5", low, high)
	}
}

// The crop is a part of the picture, of the share and ratio asked for.
func TestAugmentCrop(t *testing.T) {
	a := augmented(t, Augment{Scale: [2]float64{0.1, 0.5}}).augment
	for k := range 500 {
		w, h := 50+k, 400-k/2
		p := a.variant(nil, k).plan(w, h, Defaults(64, 64).CropSize)
		box := p.from
		share := float64(box.Dx()*box.Dy()) / float64(w*h)
		ratio := float64(box.Dx()) / float64(box.Dy())
		if box.Min.X < 0 || box.Min.Y < 0 || box.Max.X > w || box.Max.Y > h || share < 0.09 || share > 0.52 || ratio < 0.72 || ratio > 1.38 {
			t.Errorf("%dx%d: box %v, share %.2f, ratio %.2f", w, h, box, share, ratio)
		}
	}
	// A strip has no such part: the middle is taken.
	if p := a.variant(nil, 1).plan(1000, 2, Defaults(64, 64).CropSize); p.from.Dy() != 2 || p.from.Dx() > 3 {
		t.Errorf("of a strip: %v", p.from)
	}
}

func TestAugmentErrors(t *testing.T) {
	p := newPreprocessor(Defaults(64, 64), &Settings{})
	for _, a := range []Augment{
		{Scale: [2]float64{0.5, 0.2}}, {Scale: [2]float64{0, 2}}, {Ratio: [2]float64{-1, 1}}, {Brightness: -1}, {Erase: 2},
	} {
		if _, err := p.Augmented(a); err == nil {
			t.Errorf("%+v: no error", a)
		}
	}
	if _, err := newPreprocessor(Transform{}, &Settings{}).Augmented(Augment{}); err == nil {
		t.Error("no error for pictures of any size")
	}
}
