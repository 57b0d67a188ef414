package main

import (
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// visionFlags override how a backbone's pictures are prepared.
type visionFlags struct{ s vision.Settings }

func (v *visionFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&v.s.InputSize, "image-size", 0, "side of the square picture the model takes (default: as the model says, else 224)")
	flags.Float64Var(&v.s.CropPct, "crop-pct", 0, "share of the resized picture's side that is kept, above 0 and at most 1")
	flags.StringVar((*string)(&v.s.Resize), "resize", "", "how pictures are resized: shorter, longer, exact or none")
	flags.StringVar((*string)(&v.s.Interpolation), "interpolation", "", "nearest, box, bilinear, hamming, bicubic or lanczos")
	flags.Float64SliceVar(&v.s.Mean, "mean", nil, "what is subtracted from red, green and blue, on the scale of 0 to 1: R,G,B")
	flags.Float64SliceVar(&v.s.Std, "std", nil, "what they are divided by: R,G,B")
	flags.StringVar((*string)(&v.s.Layout), "layout", "", "NCHW or NHWC (default: as the graph says)")
	flags.BoolVar(&v.s.IgnoreOrientation, "ignore-exif", false, "do not turn pictures as their EXIF tag says")
}

func (v *visionFlags) settings() vision.Settings { return v.s }

// textFlags override how a backbone's texts are prepared.
type textFlags struct{ maxLength int }

func (t *textFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&t.maxLength, "max-length", 0, "most tokens of a text (default: as the model says)")
}

// featureFlags choose the tensor features are made from.
type featureFlags struct {
	tensor    string
	pooling   string
	normalize bool
	set       *pflag.Flag // of --normalize, to tell "no" from "not said"
}

func (f *featureFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.tensor, "feature", "", "the tensor to take features from, or auto: the layer that a probe does best on (default: the best that graft inspect lists)")
	flags.StringVar(&f.pooling, "pooling", "", "how tokens become one row: mean, cls, max or last (default: as the model says)")
	flags.BoolVar(&f.normalize, "normalize", false, "divide each row of features by its length (default: as the model says)")
	f.set = flags.Lookup("normalize")
}

// autoFeature, in place of a tensor, asks for the layer that does best.
const autoFeature = "auto"

// named is the tensor that was named, if one was.
func (f *featureFlags) named() string {
	if f.tensor == autoFeature {
		return ""
	}
	return f.tensor
}

// sweep is what auto asks of package finetune.
func (f *featureFlags) sweep() *finetune.SweepSettings {
	if f.tensor != autoFeature {
		return nil
	}
	return &finetune.SweepSettings{}
}

// openText opens a text backbone.
func openText(src models.Source, f featureFlags, t textFlags) (*text.Backbone, error) {
	s := text.Settings{Pooling: onnx.Pooling(f.pooling), MaxLength: t.maxLength, Feature: f.named()}
	if f.set != nil && f.set.Changed {
		s.Normalize = &f.normalize
	}
	var b *text.Backbone
	var err error
	if src.FS != nil {
		b, err = text.OpenFS(src.FS, s)
	} else {
		b, err = text.Open(src.Path, s)
	}
	if err != nil {
		return nil, &modelError{err}
	}
	return b, nil
}

// openVision opens an image backbone.
func openVision(src models.Source, s vision.Settings) (*vision.Backbone, error) {
	var b *vision.Backbone
	var err error
	if src.FS != nil {
		b, err = vision.OpenFS(src.FS, s)
	} else {
		b, err = vision.Open(src.Path, s)
	}
	if err != nil {
		return nil, &modelError{err}
	}
	return b, nil
}
