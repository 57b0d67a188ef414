package main

import (
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
)

// judgeFlags ask for more than figures.
type judgeFlags struct {
	curve bool
}

func (f *judgeFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.curve, "learning-curve", false, "tell whether more labels would help: fit on growing parts of the training rows")
}

func (f *judgeFlags) settings() (finetune.JudgeSettings, error) {
	return finetune.JudgeSettings{LearningCurve: f.curve}, nil
}
