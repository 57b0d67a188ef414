package vision

import (
	"cmp"
	"encoding/json"
	"fmt"
)

// Files returns the files that belong beside a model fed by p: preprocessor_config.json, of the Hugging Face image
// processor that does what p does. Opened again, it gives a Preprocessor of the same Fingerprint.
//
// One thing the processors cannot be told: [RoundHalfEven]. It stands in a key of graft's own (crop_rounding), and for the
// quarter of pictures where it matters their crop lies one pixel beside ours.
func (p *Preprocessor) Files() (map[string][]byte, error) {
	c, err := p.Transform.config()
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("vision: %s: %w", preprocessorFile, err)
	}
	return map[string][]byte{preprocessorFile: append(b, '\n')}, nil
}

// config describes t in Hugging Face's words.
func (t *Transform) config() (*config, error) {
	c := &config{DoConvertRGB: new(true)}
	c.DoResize = new(t.Resize != ResizeNone && t.Resize != "")
	if *c.DoResize {
		c.Resample = new(int(t.filter()))
		switch t.Resize {
		case ResizeExact:
			c.Size = &size{Height: t.Size.Y, Width: t.Size.X}
		case ResizeShorter:
			c.Size = &size{Shortest: t.Size.X}
		case ResizeLonger:
			c.Size = &size{MaxH: t.Size.X, MaxW: t.Size.X}
		}
	}
	cropped := t.CropSize.X > 0
	c.DoCenterCrop = new(cropped)
	if cropped {
		c.CropSize = &size{Height: t.CropSize.Y, Width: t.CropSize.X}
		if t.CropRounding == RoundHalfEven {
			c.CropRounding = new(t.CropRounding)
		}
	}
	c.DoRescale = new(t.Rescale != 0 || t.Offset != 0)
	if *c.DoRescale {
		c.RescaleFactor = new(cmp.Or(t.Rescale, 1))
	}
	c.DoNormalize = new(t.Normalize.active())
	if t.Normalize.active() {
		c.ImageMean, c.ImageStd = new(stats(t.Normalize.Mean)), new(stats(t.Normalize.Std))
	}
	if t.Stored {
		c.ExifTranspose = new(false)
	}
	return c, t.class(c)
}

// class picks the processor class that does what t does and says in c what only that class can be told.
func (t *Transform) class(c *config) error {
	name := "BitImageProcessor"
	switch {
	case t.BGR && (t.Again != nil || t.Offset != 0 || t.Normalize.active()):
		return fmt.Errorf("vision: no Hugging Face image processor both swaps channels and normalises")
	case t.BGR:
		name, c.FlipChannels = "MobileViTImageProcessor", new(true)
	case t.Again != nil || t.Offset != 0:
		name = "EfficientNetImageProcessor"
		c.RescaleOffset, c.IncludeTop = new(t.Offset != 0), new(t.Again != nil)
		if t.Offset != 0 && t.Offset != -1 {
			return fmt.Errorf("vision: no Hugging Face image processor adds %v to pixels", t.Offset)
		}
		if t.Again != nil {
			c.ImageStd = new(stats(t.Again.Std))
		}
	case t.Resize == ResizeExact && t.CropSize.X == 0:
		name = "ViTImageProcessor"
	}
	c.ImageProcessorType = &name
	return nil
}
