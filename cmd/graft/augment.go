package main

import (
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/vision"
)

// augmentFlags ask for random views of training pictures.
type augmentFlags struct{ views int }

func (f *augmentFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&f.views, "augment", 0, "fit the head on K random views of each training picture too, cached as pictures are: cropped, flipped, recoloured")
}

// jitter is how far a view's brightness, contrast and saturation may be from the picture's.
const jitter = 0.2

// apply lets b make views.
func (f *augmentFlags) apply(b *vision.Backbone, seed uint64) error {
	switch {
	case f.views < 0:
		return usagef("--augment takes a number of 0 or more; got %d", f.views)
	case f.views == 0:
		return nil
	}
	p, err := b.Preprocessor.Augmented(vision.Augment{Seed: seed, Brightness: jitter, Contrast: jitter, Saturation: jitter})
	if err != nil {
		return usagef("--augment: %v", err)
	}
	b.Preprocessor = p
	return nil
}
