package vision

import (
	"fmt"
	"image"

	"github.com/onnx-graft/graft/onnx"
)

// Settings override what a model's folder and graph say. The zero value overrides nothing.
type Settings struct {
	Feature   string       // the tensor that becomes the features; "" is the best of onnx.Features
	Pooling   onnx.Pooling // of a backbone that gives a row of tokens; "" takes the first (CLS)
	Normalize bool         // divide each row of features by its length

	InputSize     int           // side of the square the model takes; 0: from preprocessor_config.json, the graph, 224
	CropPct       float64       // InputSize over the size resized to, 0 < CropPct ≤ 1; 0: from the config, else see Defaults
	Resize        Resize        // "": from the config, else shorter
	Interpolation Interpolation // "": from the config, else bilinear
	CropRounding  CropRounding  // "": from the config, else half_even
	Mean, Std     []float64     // three values each, or one for all, on the 0…1 scale; nil: from the config, else ImageNet's
	Layout        Layout        // "": from the graph's input

	IgnoreOrientation bool   // keep the rows as stored; false turns pictures as their EXIF tag says
	Limits            Limits // zero fields: 178.9 million pixels, 256 MiB, 10,000 frames
	Threads           int    // pictures prepared at once; 0: as many as there are cores
}

// Layout is the order of an input's axes.
type Layout string

const (
	NCHW Layout = "NCHW" // one plane a channel: PyTorch
	NHWC Layout = "NHWC" // channels of a pixel together: TensorFlow
)

// imageNetMean and imageNetStd are the usual statistics of ImageNet's pixels on the 0…1 scale.
var (
	imageNetMean = [3]float64{0.485, 0.456, 0.406}
	imageNetStd  = [3]float64{0.229, 0.224, 0.225}
)

// Defaults returns the preprocessing of models that say nothing but their input's size, as torchvision's and timm's
// classifiers are evaluated: the shorter side resized to the input's side over 0.875 (256 for 224), bilinear, the middle
// cropped, pixels scaled to 0…1 and normalised by ImageNet's statistics. Inputs under 64 pixels (CIFAR's 32, say) are fed
// whole pictures: the shorter side becomes the input's side. For an input that is not square, both sides are resized.
func Defaults(width, height int) Transform {
	pct := 0.875
	if min(width, height) < 64 {
		pct = 1
	}
	t := Transform{
		Interpolation: Bilinear,
		CropRounding:  RoundHalfEven,
		Rescale:       1.0 / 255,
		Normalize:     Normalize{Mean: imageNetMean, Std: imageNetStd},
	}
	t.fit(ResizeShorter, image.Pt(width, height), pct)
	return t
}

// fit makes t give pictures of the size out: resized to out/pct in the way of mode, then cropped.
func (t *Transform) fit(mode Resize, out image.Point, pct float64) {
	if t.Interpolation == "" {
		t.Interpolation = Bilinear
	}
	if t.CropRounding == "" {
		t.CropRounding = RoundHalfEven
	}
	t.CropSize = out
	wide := image.Pt(int(float64(out.X)/pct), int(float64(out.Y)/pct))
	if mode == ResizeShorter && out.X != out.Y {
		mode = ResizeExact
	}
	t.Resize, t.Size = mode, wide
	switch mode {
	case ResizeLonger:
		t.Size = image.Pt(max(wide.X, wide.Y), 0)
	case ResizeExact:
		if wide == out {
			t.CropSize = image.Point{}
		}
	}
}

// cropPct is how much of the resized picture t keeps.
func (t *Transform) cropPct() float64 {
	if t.CropSize.X == 0 || t.Size.X == 0 {
		return 1
	}
	return min(1, float64(t.CropSize.X)/float64(t.Size.X))
}

// apply overrides t by s.
func (s *Settings) apply(t *Transform) error {
	if s.InputSize < 0 || s.CropPct < 0 || s.CropPct > 1 {
		return fmt.Errorf("vision: input size %d, crop fraction %v: want a size above 0 and a fraction above 0, at most 1",
			s.InputSize, s.CropPct)
	}
	if s.Interpolation != "" {
		t.Interpolation = s.Interpolation
	}
	if s.CropRounding != "" {
		t.CropRounding = s.CropRounding
	}
	if s.InputSize > 0 || s.CropPct > 0 || s.Resize != "" {
		s.refit(t)
	}
	if s.IgnoreOrientation {
		t.Stored = true
	}
	if s.Mean != nil || s.Std != nil {
		if err := s.renormalize(t); err != nil {
			return err
		}
	}
	t.canonical()
	return t.check()
}

// refit gives t the size, crop fraction and way of resizing of s, keeping those that s does not give.
func (s *Settings) refit(t *Transform) {
	out, mode, pct := t.OutputSize(), t.Resize, t.cropPct()
	if s.InputSize > 0 {
		out = image.Pt(s.InputSize, s.InputSize)
	}
	if out == (image.Point{}) {
		out = image.Pt(t.Size.X, t.Size.X)
	}
	if s.Resize != "" {
		mode = s.Resize
		if s.CropPct == 0 && mode != ResizeShorter {
			pct = 1
		}
	}
	if s.CropPct > 0 {
		pct = s.CropPct
	}
	t.fit(mode, out, pct)
}

func (s *Settings) renormalize(t *Transform) error {
	n := t.Normalize
	if !n.active() {
		n = Normalize{Mean: imageNetMean, Std: imageNetStd}
	}
	for _, c := range []struct {
		name string
		from []float64
		to   *[3]float64
	}{{"mean", s.Mean, &n.Mean}, {"std", s.Std, &n.Std}} {
		switch len(c.from) {
		case 0:
		case 1:
			*c.to = [3]float64{c.from[0], c.from[0], c.from[0]}
		case 3:
			copy(c.to[:], c.from)
		default:
			return fmt.Errorf("vision: %s has %d values: want one, or one for each of red, green and blue", c.name, len(c.from))
		}
	}
	if n.Std == [3]float64{} {
		return fmt.Errorf("vision: std 0: want standard deviations above 0")
	}
	if t.Rescale == 0 {
		t.Rescale = 1.0 / 255
	}
	t.Normalize = n
	return nil
}

// Limits bound what one picture may ask for. A picture beyond them is refused before anything of it is decoded.
type Limits struct {
	Pixels int64 // width times height
	Bytes  int64 // of the encoded file
	Frames int64 // of an animation; only the first is decoded
}

// defaultLimits are what zero fields of [Limits] stand for: Pillow's number of pixels (2³⁰/6), 256 MiB, 10,000 frames.
var defaultLimits = Limits{Pixels: 178_956_970, Bytes: 256 << 20, Frames: 10_000}

func (l Limits) orDefault() Limits {
	if l.Pixels == 0 {
		l.Pixels = defaultLimits.Pixels
	}
	if l.Bytes == 0 {
		l.Bytes = defaultLimits.Bytes
	}
	if l.Frames == 0 {
		l.Frames = defaultLimits.Frames
	}
	return l
}
