package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/optim"
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/text"
)

// tuneFlags say whether and how the backbone's own weights move.
type tuneFlags struct {
	unfreeze, schedule, optimizer, rate string
	saveSteps, saveLimit                int
	resume                              bool
	wordDropout                         float64
	saveBackbone                        string
	settings                            tune.Settings
}

func (t *tuneFlags) add(flags *pflag.FlagSet) {
	s := &t.settings
	flags.StringVar(&t.unfreeze, "unfreeze", "", "train the backbone too, from the fitted head on: all, top:N, from:LAYER, norm, bias or none (default: it stays frozen)")
	flags.IntVar(&s.LoRA.Rank, "lora", 0, "train adapters of this rank beside the matrices of the unfrozen layers, and add them to the weights at the end")
	flags.Float64Var(&s.LoRA.Alpha, "lora-alpha", 0, "adapters count alpha/rank times (default twice the rank)")
	flags.IntVar(&s.Epochs, "epochs", 0, "passes over the training rows (default 6 below 2,000 rows, 12 with fewer than 50 a class there, else 3)")
	flags.IntVar(&s.BatchSize, "batch-size", 0, "rows a batch (default 16 below 2,000 rows, else 32)")
	flags.IntVar(&s.Accumulate, "accumulate", 0, "batches a step (default 1)")
	flags.StringVar(&t.optimizer, "optimizer", "", "adamw or sgd (default adamw)")
	flags.StringVar(&t.rate, "lr", "", "peak learning rate of the backbone, or auto for a range test (default 1e-4, of adapters 1e-3)")
	flags.Float64Var(&s.HeadScale, "head-lr-scale", 0, "times as fast for the head (default 10, beside adapters 1)")
	flags.Float64Var(&s.LayerDecay, "layer-decay", 0, "learning rate of a layer relative to the one above (default 1)")
	flags.Float64Var(&s.WeightDecay, "weight-decay", 0, "decoupled decay of matrices; negative: none (default 0.01)")
	flags.Float64Var(&s.Warmup, "warmup", 0, "part of the steps in which the rate rises; negative: none (default 0.1)")
	flags.StringVar(&t.schedule, "schedule", "", "linear, cosine or constant (default linear)")
	flags.Float64Var(&s.Clip, "clip", 0, "limit of the gradient's norm; negative: none (default 1)")
	flags.Float64Var(&s.Dropout, "dropout", 0, "part of the features dropped; negative: none (default 0.1)")
	flags.Float64Var(&t.wordDropout, "word-dropout", 0, "part of a text's words masked while the backbone is trained (default none)")
	flags.Float64Var(&s.Mixup, "mixup", 0, "mix pairs of pictures and their classes by Beta(A, A), A from 0 to 1 (default none)")
	flags.Float64Var(&s.Average, "ema", 0, "judge and keep a running mean of the weights of this decay, such as 0.99 (default none)")
	flags.IntVar(&s.Patience, "patience", 0, "stop after so many epochs without a better validation loss (default: never)")
	flags.IntVar(&t.saveSteps, "save-steps", 0, "leave a checkpoint beside the output every so many steps of training (default: none)")
	flags.IntVar(&t.saveLimit, "save-total-limit", 0, "how many checkpoints stay (default 2)")
	flags.BoolVar(&t.resume, "resume", false, "go on from the newest checkpoint, to the same model; without --save-steps, leave one an epoch")
	flags.StringVar(&t.saveBackbone, "save-backbone", "", "folder to write the trained backbone alone to, for the next task")
}

// checkpointSuffix is added to the output's name for the folder of its checkpoints.
const checkpointSuffix = ".checkpoints"

// chosen returns the settings, nil where the backbone stays frozen. out is the model's folder.
func (t *tuneFlags) chosen(seed uint64, out string) (*tune.Settings, error) {
	if t.unfreeze == "" && t.settings.LoRA.Rank == 0 {
		if t.resume || t.saveSteps != 0 || t.saveBackbone != "" || t.wordDropout != 0 {
			return nil, usagef("--resume, --save-steps, --save-backbone and --word-dropout are for training a backbone: give --unfreeze or --lora")
		}
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
	if s.Optimizer, err = optim.ParseKind(t.optimizer); err != nil {
		return nil, usagef("--optimizer: %v", err)
	}
	switch t.rate {
	case "":
	case "auto":
		s.FindRate = true
	default:
		if s.LearningRate, err = strconv.ParseFloat(t.rate, 64); err != nil || !(s.LearningRate > 0) {
			return nil, usagef("--lr takes a number above 0, or auto; got %q", t.rate)
		}
	}
	if s.Epochs < 0 || s.BatchSize < 0 || s.Accumulate < 0 || s.LoRA.Rank < 0 || t.saveSteps < 0 || t.saveLimit < 0 {
		return nil, usagef("--epochs, --batch-size, --accumulate, --lora, --save-steps and --save-total-limit take numbers above 0")
	}
	if s.Dropout >= 1 || !(t.wordDropout >= 0 && t.wordDropout < 1) {
		return nil, usagef("--dropout and --word-dropout take numbers below 1")
	}
	if t.wordDropout > 0 {
		s.Augmented = fmt.Sprintf("words masked: %g", t.wordDropout)
	}
	if t.saveSteps > 0 || t.resume {
		s.Checkpoints = tune.Checkpoints{Dir: out + checkpointSuffix, Every: t.saveSteps, Keep: t.saveLimit, Resume: t.resume}
	}
	return &s, nil
}

// maskWords lets a training see texts with words masked.
func (t *tuneFlags) maskWords(b *finetune.Backbone[string], words *text.Tokenizer, seed uint64) error {
	if t.wordDropout == 0 {
		return nil
	}
	d, err := words.WordDropout(t.wordDropout, seed)
	if err != nil {
		return usagef("--word-dropout: %v", err)
	}
	b.View = d.View
	return nil
}

// sayResume tells how a training that was stopped goes on.
func (t *tuneFlags) sayResume(ctx context.Context, a *app, s *tune.Settings) {
	if ctx.Err() != nil && s != nil && s.Checkpoints.Dir != "" {
		a.say("checkpoints are in %s; the same command with --resume goes on from the newest", s.Checkpoints.Dir)
	}
}

// tunedRows tell how a backbone was trained; none where it was not.
func tunedRows(r *finetune.RecordTune) [][]string {
	if r == nil {
		return nil
	}
	what := r.Unfreeze
	if rank := r.Settings.LoRA.Rank; rank > 0 {
		what += fmt.Sprintf(" by adapters of rank %d", rank)
	}
	losses := []string{}
	for _, e := range r.History {
		if e.Loss != nil {
			losses = append(losses, fmt.Sprintf("%.3f", *e.Loss))
		}
	}
	return [][]string{
		{"trained", fmt.Sprintf("%s: %d numbers, rate %.3g, weights of epoch %d", what, r.Trained, r.Settings.LearningRate, r.Best)},
		{"loss", strings.Join(losses, " ")},
	}
}
