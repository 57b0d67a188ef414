package main

import (
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/finetune/tune"
)

// tuneFlags say whether and how the backbone's own weights move.
type tuneFlags struct {
	unfreeze, schedule string
	settings           tune.Settings
}

func (t *tuneFlags) add(flags *pflag.FlagSet) {
	s := &t.settings
	flags.StringVar(&t.unfreeze, "unfreeze", "", "train the backbone too, from the fitted head on: all, top:N, from:LAYER, norm, bias or none (default: it stays frozen)")
	flags.IntVar(&s.Epochs, "epochs", 0, "passes over the training rows (default 6 below 2,000 rows, else 3)")
	flags.IntVar(&s.BatchSize, "batch-size", 0, "rows a step (default 16 below 2,000 rows, else 32)")
	flags.Float64Var(&s.LearningRate, "lr", 0, "peak learning rate of the backbone (default 1e-4)")
	flags.Float64Var(&s.HeadScale, "head-lr-scale", 0, "times as fast for the head (default 10)")
	flags.Float64Var(&s.LayerDecay, "layer-decay", 0, "learning rate of a layer relative to the one above (default 1)")
	flags.Float64Var(&s.WeightDecay, "weight-decay", 0, "decoupled decay of matrices; negative: none (default 0.01)")
	flags.Float64Var(&s.Warmup, "warmup", 0, "part of the steps in which the rate rises; negative: none (default 0.1)")
	flags.StringVar(&t.schedule, "schedule", "", "linear, cosine or constant (default linear)")
	flags.Float64Var(&s.Clip, "clip", 0, "limit of the gradient's norm; negative: none (default 1)")
	flags.Float64Var(&s.Dropout, "dropout", 0, "part of the features dropped; negative: none (default 0.1)")
	flags.IntVar(&s.Patience, "patience", 0, "stop after so many epochs without a better validation loss (default: never)")
}

// chosen returns the settings, nil where the backbone stays frozen.
func (t *tuneFlags) chosen(seed uint64) (*tune.Settings, error) {
	if t.unfreeze == "" {
		return nil, nil
	}
	s := t.settings
	s.Seed = seed
	var err error
	if s.Unfreeze, err = tune.ParseUnfreeze(t.unfreeze); err != nil {
		return nil, usagef("--unfreeze: %v", err)
	}
	if s.Schedule, err = optim.ParseSchedule(t.schedule); err != nil {
		return nil, usagef("--schedule: %v", err)
	}
	if s.Epochs < 0 || s.BatchSize < 0 || s.LearningRate < 0 || s.Dropout >= 1 {
		return nil, usagef("--epochs, --batch-size and --lr take numbers above 0, --dropout one below 1")
	}
	return &s, nil
}
