package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/vision"
)

// augmentFlags ask for random views of training pictures.
type augmentFlags struct{ views, magnitude int }

func (f *augmentFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&f.views, "augment", 0, "fit the head on K random views of each training picture too, cached as pictures are: cropped, flipped, recoloured")
	flags.IntVar(&f.magnitude, "rand-augment", 0, fmt.Sprintf("change each view further by two random operations of this magnitude, 1 to %d: contrast, sharpness, posterize, … (default none)", vision.MostMagnitude))
}

// jitter is how far a view's brightness, contrast and saturation may be from the picture's.
const jitter = 0.2

// apply lets b make views.
func (f *augmentFlags) apply(b *vision.Backbone, seed uint64) error {
	switch {
	case f.views < 0:
		return usagef("--augment takes a number of 0 or more; got %d", f.views)
	case f.views == 0 && f.magnitude != 0:
		return usagef("--rand-augment changes the views that --augment asks for: give it, as --augment 4")
	case f.views == 0:
		return nil
	}
	p, err := b.Preprocessor.Augmented(vision.Augment{Seed: seed, Brightness: jitter, Contrast: jitter, Saturation: jitter, Magnitude: f.magnitude})
	if err != nil {
		return usagef("--augment: %v", err)
	}
	b.Preprocessor = p
	return nil
}

// describe says what views have changed, for the record.
func (f *augmentFlags) describe() string {
	text := fmt.Sprintf("cropped, flipped, recoloured by %g", jitter)
	if f.magnitude > 0 {
		text += fmt.Sprintf(", RandAugment of magnitude %d", f.magnitude)
	}
	return text
}
