package vision

import (
	"encoding/json"
	"fmt"
	"image"
	"math"

	"github.com/onnx-graft/graft/vision/internal/resample"
)

// A Transform says what is done to a decoded picture: resize, crop, then a function of each pixel's value. The zero
// Transform does nothing.
type Transform struct {
	Resize        Resize        `json:"resize"`        // "" leaves the size
	Size          image.Point   `json:"size"`          // ResizeExact: width and height; else X is the side's length
	Interpolation Interpolation `json:"interpolation"` // "" is nearest
	CropSize      image.Point   `json:"crop_size"`     // the part kept from the middle, black where it reaches outside; zero keeps all
	CropRounding  CropRounding  `json:"crop_rounding"` // where the middle is when an odd number of pixels goes

	Rescale   float64    `json:"rescale"` // each 0…255 value is multiplied by it; 0 is 1
	Offset    float64    `json:"offset"`  // then this is added
	Normalize Normalize  `json:"norm"`    // then this is done
	Again     *Normalize `json:"again"`   // and this (EfficientNet divides by the standard deviation twice)
	BGR       bool       `json:"bgr"`     // channels come as blue, green, red
	Stored    bool       `json:"stored"`  // keep rows as stored: the EXIF orientation is not applied
}

// Normalize subtracts a mean and divides by a standard deviation for each of red, green and blue. A zero Std leaves the
// channels as they are.
type Normalize struct {
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`
}

// Resize is how a picture's new size is chosen.
type Resize string

const (
	ResizeNone    Resize = "none"
	ResizeShorter Resize = "shorter" // the shorter side gets the length, the longer keeps the ratio (rounded down)
	ResizeLonger  Resize = "longer"  // the longer side gets the length; with a square CropSize the rest is black
	ResizeExact   Resize = "exact"   // width and height, whatever the ratio was
)

// Interpolation is one of Pillow's resampling filters.
type Interpolation string

const (
	Nearest  Interpolation = "nearest"
	Box      Interpolation = "box"
	Bilinear Interpolation = "bilinear"
	Hamming  Interpolation = "hamming"
	Bicubic  Interpolation = "bicubic"
	Lanczos  Interpolation = "lanczos"
)

// interpolations gives each filter's number, which is Pillow's.
var interpolations = map[Interpolation]resample.Filter{
	Nearest: resample.Nearest, Box: resample.Box, Bilinear: resample.Bilinear,
	Hamming: resample.Hamming, Bicubic: resample.Bicubic, Lanczos: resample.Lanczos,
}

// CropRounding is which side loses one pixel more when an odd number of rows or columns is cropped.
type CropRounding string

const (
	RoundDown     CropRounding = "floor"     // right and bottom: Hugging Face's image processors
	RoundHalfEven CropRounding = "half_even" // whichever makes the left margin even: torchvision and timm
)

// canonical gives every way to say the same one form.
func (t *Transform) canonical() {
	if t.Resize == "" {
		t.Resize = ResizeNone
	}
	if t.Resize == ResizeNone {
		t.Size, t.Interpolation = image.Point{}, ""
	} else if t.Resize != ResizeExact {
		t.Size.Y = 0
	}
	if t.Interpolation == "" && t.Resize != ResizeNone {
		t.Interpolation = Nearest
	}
	if t.CropSize == (image.Point{}) {
		t.CropRounding = ""
	} else if t.CropRounding == "" {
		t.CropRounding = RoundDown
	}
	if t.Rescale == 1 {
		t.Rescale = 0
	}
	if !t.Normalize.active() {
		t.Normalize = Normalize{}
	}
	if t.Again != nil && !t.Again.active() {
		t.Again = nil
	}
}

// OutputSize returns the width and height of what t makes, 0 and 0 where they depend on the picture.
func (t *Transform) OutputSize() image.Point {
	switch {
	case t.CropSize != image.Point{}:
		return t.CropSize
	case t.Resize == ResizeExact:
		return t.Size
	}
	return image.Point{}
}

// check reports what is wrong with t.
func (t *Transform) check() error {
	const most = 1 << 16
	_, known := interpolations[t.Interpolation]
	switch {
	case !known && t.Interpolation != "":
		return fmt.Errorf("vision: interpolation %q is none of nearest, box, bilinear, hamming, bicubic, lanczos", t.Interpolation)
	case t.Resize != "" && t.Resize != ResizeNone && (t.Size.X < 1 || t.Size.X > most):
		return fmt.Errorf("vision: resize to %d pixels: want 1 to %d", t.Size.X, most)
	case t.Resize == ResizeExact && (t.Size.Y < 1 || t.Size.Y > most):
		return fmt.Errorf("vision: resize to %d pixels of height: want 1 to %d", t.Size.Y, most)
	case t.CropSize != image.Point{} && (t.CropSize.X < 1 || t.CropSize.Y < 1 || t.CropSize.X > most || t.CropSize.Y > most):
		return fmt.Errorf("vision: crop to %dx%d pixels: want sides of 1 to %d", t.CropSize.X, t.CropSize.Y, most)
	}
	switch t.Resize {
	case "", ResizeNone, ResizeShorter, ResizeLonger, ResizeExact:
	default:
		return fmt.Errorf("vision: resize %q is none of none, shorter, longer, exact", t.Resize)
	}
	switch t.CropRounding {
	case "", RoundDown, RoundHalfEven:
	default:
		return fmt.Errorf("vision: crop rounding %q is neither floor nor half_even", t.CropRounding)
	}
	for _, v := range []float64{t.Rescale, t.Offset} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("vision: rescale by %v, offset %v: want finite numbers", t.Rescale, t.Offset)
		}
	}
	if err := t.Normalize.check(); err != nil {
		return err
	}
	if t.Again != nil {
		return t.Again.check()
	}
	return nil
}

func (n Normalize) check() error {
	if n.Std == [3]float64{} {
		return nil
	}
	for i, s := range n.Std {
		if m := n.Mean[i]; s == 0 || math.IsNaN(s) || math.IsInf(s, 0) || math.IsNaN(m) || math.IsInf(m, 0) {
			return fmt.Errorf("vision: mean %v, standard deviation %v: want finite numbers, deviations not 0", n.Mean, n.Std)
		}
	}
	return nil
}

// String is a canonical form of t: transforms of equal strings give equal tensors.
func (t *Transform) String() string {
	b, err := json.Marshal(t)
	if err != nil { // a number that is not finite; check refuses it
		return fmt.Sprintf("%+v", *t)
	}
	return string(b)
}

// A plan is what a Transform makes of one picture's size.
type plan struct {
	from image.Rectangle // the part of the upright picture that is resized
	to   image.Point     // its size after that
	crop image.Rectangle // the part of that which is kept; may reach outside
}

// plan lays out what t does to an upright w×h picture.
func (t *Transform) plan(w, h int) plan {
	p := plan{from: image.Rect(0, 0, w, h), to: image.Pt(w, h)}
	short, long := min(w, h), max(w, h)
	switch t.Resize {
	case ResizeExact:
		p.to = t.Size
	case ResizeShorter:
		p.to = upTo(p.to, t.Size.X, int(float64(t.Size.X*long)/float64(short)))
	case ResizeLonger: // as Hugging Face's max_height and max_width, rounding included
		scale := float64(t.Size.X) / float64(long)
		p.to = image.Pt(max(1, int(float64(w)*scale)), max(1, int(float64(h)*scale)))
	}
	p.crop = image.Rectangle{Max: p.to}
	if t.CropSize != (image.Point{}) {
		at := image.Pt(t.margin(p.to.X, t.CropSize.X), t.margin(p.to.Y, t.CropSize.Y))
		p.crop = image.Rectangle{Min: at, Max: at.Add(t.CropSize)}
	}
	return p
}

// upTo gives the shorter side of size the length short, and the longer long.
func upTo(size image.Point, short, long int) image.Point {
	if size.X <= size.Y {
		return image.Pt(short, long)
	}
	return image.Pt(long, short)
}

// margin is where the middle crop pixels of have start; negative where there are fewer than crop.
func (t *Transform) margin(have, crop int) int {
	d := have - crop
	if t.CropRounding == RoundHalfEven {
		if d < 0 {
			return d / 2
		}
		return int(math.RoundToEven(float64(d) / 2))
	}
	return d >> 1
}

// filter is the resampling filter of t.
func (t *Transform) filter() resample.Filter { return interpolations[t.Interpolation] }

// active reports whether n changes anything.
func (n Normalize) active() bool { return n.Std != [3]float64{} }

// value is what t makes of a pixel's value v in channel c, rounded to float32 after each step as numpy does it: rescaling
// in double precision, the rest in single.
func (t *Transform) value(v uint8, c int) float32 {
	x := float32(v)
	if t.Rescale != 0 {
		x = float32(float64(v) * t.Rescale)
	}
	x += float32(t.Offset)
	x = t.Normalize.apply(x, c)
	if t.Again != nil {
		x = t.Again.apply(x, c)
	}
	return x
}

func (n Normalize) apply(x float32, c int) float32 {
	if !n.active() {
		return x
	}
	d := x - float32(n.Mean[c])
	return d / float32(n.Std[c])
}
