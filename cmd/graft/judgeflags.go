package main

import (
	"strconv"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
)

// judgeFlags ask for more than figures, and how answers follow from logits.
type judgeFlags struct {
	curve, calibrate bool
	threshold        string
	abstain          float64
}

// autoThreshold asks for a threshold to be chosen.
const autoThreshold = "auto"

func (f *judgeFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.curve, "learning-curve", false, "tell whether more labels would help: fit on growing parts of the training rows")
	flags.BoolVar(&f.calibrate, "calibrate", false, "divide logits by the temperature that makes their probabilities truest on rows held out")
	flags.StringVar(&f.threshold, "threshold", "", "probability above which the second of two classes is the answer, or a label, or auto for the largest F1 on rows held out (default 0.5)")
	flags.Float64Var(&f.abstain, "abstain", 0, "withhold unsure answers, so that the others are right this often, as 0.95, on rows held out")
}

func (f *judgeFlags) settings() (finetune.JudgeSettings, error) {
	s := finetune.JudgeSettings{LearningCurve: f.curve, Calibrate: f.calibrate, Abstain: f.abstain, AutoThreshold: f.threshold == autoThreshold}
	if f.threshold != "" && !s.AutoThreshold {
		var err error
		if s.Threshold, err = strconv.ParseFloat(f.threshold, 64); err != nil || !(s.Threshold > 0 && s.Threshold < 1) {
			return s, usagef("--threshold takes a number between 0 and 1, or auto; got %q", f.threshold)
		}
	}
	if !(f.abstain >= 0 && f.abstain < 1) {
		return s, usagef("--abstain takes a share below 1 of answers that are right")
	}
	return s, nil
}

// options adds what decides what the model becomes.
func (f *judgeFlags) options(all map[string]any) {
	if f.calibrate {
		all["calibrate"] = true
	}
	if f.threshold != "" {
		all["threshold"] = f.threshold
	}
	if f.abstain > 0 {
		all["abstain"] = f.abstain
	}
}
