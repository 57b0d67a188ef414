package vision

import (
	"encoding/json"
	"fmt"
	"image"
	"strings"
)

// preprocessorFile is where Hugging Face's folders keep an image processor's settings.
const preprocessorFile = "preprocessor_config.json"

// config is preprocessor_config.json. A nil field is not there. Keys that graft adds stand last; Hugging Face's
// processors ignore them.
type config struct {
	ImageProcessorType   *string  `json:"image_processor_type,omitempty"`
	FeatureExtractorType *string  `json:"feature_extractor_type,omitempty"`
	DoConvertRGB         *bool    `json:"do_convert_rgb,omitempty"`
	DoResize             *bool    `json:"do_resize,omitempty"`
	Size                 *size    `json:"size,omitempty"`
	Resample             *int     `json:"resample,omitempty"`
	CropPct              *float64 `json:"crop_pct,omitempty"`
	DoCenterCrop         *bool    `json:"do_center_crop,omitempty"`
	CropSize             *size    `json:"crop_size,omitempty"`
	DoRescale            *bool    `json:"do_rescale,omitempty"`
	RescaleFactor        *float64 `json:"rescale_factor,omitempty"`
	RescaleOffset        *bool    `json:"rescale_offset,omitempty"`
	DoNormalize          *bool    `json:"do_normalize,omitempty"`
	ImageMean            *stats   `json:"image_mean,omitempty"`
	ImageStd             *stats   `json:"image_std,omitempty"`
	IncludeTop           *bool    `json:"include_top,omitempty"`
	FlipChannels         *bool    `json:"do_flip_channel_order,omitempty"`
	DoPad                *bool    `json:"do_pad,omitempty"`

	CropRounding  *CropRounding `json:"crop_rounding,omitempty"`
	ExifTranspose *bool         `json:"do_exif_transpose,omitempty"`
}

// A size is one of the ways in which the files give a size: a number, [height, width], or an object.
type size struct {
	Number   int `json:"-"`
	Height   int `json:"height,omitempty"`
	Width    int `json:"width,omitempty"`
	Shortest int `json:"shortest_edge,omitempty"`
	Longest  int `json:"longest_edge,omitempty"`
	MaxH     int `json:"max_height,omitempty"`
	MaxW     int `json:"max_width,omitempty"`
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *size) UnmarshalJSON(b []byte) error {
	var pair []int
	switch {
	case json.Unmarshal(b, &s.Number) == nil:
		return nil
	case json.Unmarshal(b, &pair) == nil:
		if len(pair) != 2 {
			return fmt.Errorf("%d numbers: want [height, width]", len(pair))
		}
		s.Height, s.Width = pair[0], pair[1]
		return nil
	}
	type object size
	return json.Unmarshal(b, (*object)(s))
}

// stats are a value a channel; the files also give one for all.
type stats [3]float64

// UnmarshalJSON implements [json.Unmarshaler].
func (s *stats) UnmarshalJSON(b []byte) error {
	var one float64
	if json.Unmarshal(b, &one) == nil {
		*s = stats{one, one, one}
		return nil
	}
	var many []float64
	if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	if len(many) != 3 {
		return fmt.Errorf("%d values: want one for each of red, green and blue", len(many))
	}
	*s = stats(many)
	return nil
}

// A family is an image processor class: what it does about keys a file leaves out, and what it does in its own way.
type family struct {
	square   bool // a size given as a number is a square
	size     size
	crop     int // 0: no crop unless the file says so
	resample int
	norm     Normalize
	bgr      bool
	twice    bool // normalises again by the standard deviation alone
	geometry func(t *Transform, c *config, s size) error
}

var (
	halves   = Normalize{Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{0.5, 0.5, 0.5}}
	imageNet = Normalize{Mean: imageNetMean, Std: imageNetStd}
	clip     = Normalize{Mean: [3]float64{0.48145466, 0.4578275, 0.40821073}, Std: [3]float64{0.26862954, 0.26130258, 0.27577711}}

	vitFamily  = family{square: true, size: size{Height: 224, Width: 224}, resample: 2, norm: halves}
	clipFamily = family{size: size{Shortest: 224}, crop: 224, resample: 3, norm: clip}
	mobile     = family{size: size{Shortest: 256}, crop: 224, resample: 2, norm: halves}
)

// families are the classes known, by the name before ImageProcessor or FeatureExtractor, with the defaults of Hugging
// Face's transformers. Many models (ResNet, Swin, DINOv2, …) use another's class. What is not listed is read as ViT's.
var families = map[string]family{
	"ViT":          vitFamily,
	"CLIP":         clipFamily,
	"Bit":          clipFamily,
	"ConvNext":     {size: size{Shortest: 384}, resample: 3, norm: halves, geometry: convNext},
	"MobileNetV1":  mobile,
	"MobileNetV2":  mobile,
	"MobileViT":    {size: size{Shortest: 224}, crop: 256, resample: 3, bgr: true},
	"EfficientNet": {square: true, size: size{Height: 346, Width: 346}, resample: 3, norm: halves, twice: true},
	"DeiT":         {square: true, size: size{Height: 256, Width: 256}, crop: 224, resample: 3, norm: halves},
	"Beit":         {square: true, size: size{Height: 224, Width: 224}, resample: 3, norm: halves},
	"Siglip":       {square: true, size: size{Height: 224, Width: 224}, resample: 3, norm: halves},
	"Levit":        {size: size{Shortest: 224}, crop: 224, resample: 3, norm: imageNet, geometry: levit},
	"PoolFormer":   {size: size{Shortest: 224}, crop: 224, resample: 3, norm: imageNet, geometry: poolFormer},
}

// convNext resizes to the size over crop_pct and crops, or from 384 on resizes to the square.
func convNext(t *Transform, c *config, s size) error {
	if s.Shortest == 0 {
		return &ConfigError{Key: "size", Reason: "ConvNextImageProcessor wants shortest_edge"}
	}
	pct := or(c.CropPct, 224.0/256)
	if !(pct > 0 && pct <= 1) {
		return &ConfigError{Key: "crop_pct", Reason: fmt.Sprintf("%v is not above 0 and at most 1", pct)}
	}
	square := image.Pt(s.Shortest, s.Shortest)
	if s.Shortest >= 384 {
		t.Resize, t.Size = ResizeExact, square
		return nil
	}
	t.Resize, t.Size, t.CropSize = ResizeShorter, image.Pt(int(float64(s.Shortest)/pct), 0), square
	return nil
}

// levit resizes the shorter side to 256/224 of the size.
func levit(t *Transform, _ *config, s size) error {
	if s.Shortest > 0 {
		s.Shortest = int(256.0 / 224.0 * float64(s.Shortest))
	}
	return t.resizeTo(s)
}

// poolFormer resizes the shorter side to the size over crop_pct.
func poolFormer(t *Transform, c *config, s size) error {
	pct := or(c.CropPct, 0.9)
	if !(pct > 0 && pct <= 1) {
		return &ConfigError{Key: "crop_pct", Reason: fmt.Sprintf("%v is not above 0 and at most 1", pct)}
	}
	if s.Shortest == 0 && s.Height == s.Width {
		s.Shortest = s.Height
	}
	if s.Shortest == 0 {
		return t.resizeTo(size{Height: int(float64(s.Height) / pct), Width: int(float64(s.Width) / pct)})
	}
	return t.resizeTo(size{Shortest: int(float64(s.Shortest) / pct)})
}

// resizeTo sets how t resizes.
func (t *Transform) resizeTo(s size) error {
	switch {
	case s.Height > 0 && s.Width > 0:
		t.Resize, t.Size = ResizeExact, image.Pt(s.Width, s.Height)
	case s.Shortest > 0 && s.Longest == 0:
		t.Resize, t.Size = ResizeShorter, image.Pt(s.Shortest, 0)
	case s.MaxH > 0 && s.MaxH == s.MaxW:
		t.Resize, t.Size = ResizeLonger, image.Pt(s.MaxH, 0)
	case s.Longest > 0 && s.Shortest == 0:
		t.Resize, t.Size = ResizeLonger, image.Pt(s.Longest, 0)
	default:
		return &ConfigError{Key: "size", Reason: fmt.Sprintf("%+v: want height and width, shortest_edge, or longest_edge", s)}
	}
	return nil
}

// parseConfig reads preprocessor_config.json.
func parseConfig(b []byte) (Transform, error) {
	var c config
	if err := json.Unmarshal(b, &c); err != nil {
		return Transform{}, &ConfigError{Err: err}
	}
	f := c.family()
	t := Transform{CropRounding: or(c.CropRounding, RoundDown), BGR: or(c.FlipChannels, f.bgr), Stored: !or(c.ExifTranspose, true)}
	if or(c.DoPad, false) {
		return t, &ConfigError{Key: "do_pad", Reason: "padding is not supported"}
	}
	if or(c.DoResize, true) {
		if err := c.resize(&t, &f); err != nil {
			return t, err
		}
	}
	if or(c.DoCenterCrop, f.crop > 0) {
		if err := c.crop(&t, &f); err != nil {
			return t, err
		}
	}
	if err := c.valueSteps(&t, &f); err != nil {
		return t, err
	}
	t.canonical()
	if err := t.check(); err != nil {
		return t, &ConfigError{Err: err}
	}
	return t, nil
}

// family finds the processor's class.
func (c *config) family() family {
	name := or(c.ImageProcessorType, or(c.FeatureExtractorType, ""))
	for _, end := range []string{"Fast", "Pil", "ImageProcessor", "FeatureExtractor"} {
		name = strings.TrimSuffix(name, end)
	}
	f, ok := families[name]
	if !ok {
		f = families["ViT"]
	}
	return f
}

func (c *config) resize(t *Transform, f *family) error {
	s := or(c.Size, f.size)
	if s.Number > 0 && f.square {
		s = size{Height: s.Number, Width: s.Number}
	} else if s.Number > 0 {
		s = size{Shortest: s.Number}
	}
	n := or(c.Resample, f.resample)
	for name, filter := range interpolations {
		if int(filter) == n {
			t.Interpolation = name
		}
	}
	if t.Interpolation == "" {
		return &ConfigError{Key: "resample", Reason: fmt.Sprintf("%d is none of Pillow's filters, 0 to 5", n)}
	}
	if f.geometry != nil {
		return f.geometry(t, c, s)
	}
	return t.resizeTo(s)
}

func (c *config) crop(t *Transform, f *family) error {
	s := or(c.CropSize, size{Number: f.crop})
	if c.CropSize == nil && f.crop == 0 {
		s = or(c.Size, f.size)
	}
	if s.Number == 0 {
		s.Number = s.Shortest
	}
	if s.Number > 0 {
		s.Height, s.Width = s.Number, s.Number
	}
	if s.Height <= 0 || s.Width <= 0 {
		return &ConfigError{Key: "crop_size", Reason: "want a number, or height and width"}
	}
	t.CropSize = image.Pt(s.Width, s.Height)
	return nil
}

// valueSteps sets what t does to pixels' values.
func (c *config) valueSteps(t *Transform, f *family) error {
	if or(c.DoRescale, true) {
		t.Rescale = or(c.RescaleFactor, 1.0/255)
		if t.Rescale == 0 {
			return &ConfigError{Key: "rescale_factor", Reason: "0 would make every picture black"}
		}
		if or(c.RescaleOffset, false) {
			t.Offset = -1
		}
	}
	n := f.norm
	if n.active() || c.ImageMean != nil && c.ImageStd != nil && !f.bgr {
		n.Mean = [3]float64(or(c.ImageMean, stats(n.Mean)))
		n.Std = [3]float64(or(c.ImageStd, stats(n.Std)))
	}
	if or(c.DoNormalize, true) {
		t.Normalize = n
	}
	if f.twice && or(c.IncludeTop, true) {
		t.Again = &Normalize{Std: n.Std}
	}
	return nil
}

// or is *p, or otherwise where p is nil.
func or[T any](p *T, otherwise T) T {
	if p != nil {
		return *p
	}
	return otherwise
}
