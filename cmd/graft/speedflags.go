package main

import (
	"github.com/spf13/pflag"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/ort"
)

// speedFlags say how extraction is spread over the cores, where that shall
// not be measured.
type speedFlags struct {
	workers, threads, batch, tokens int
	fixed                           bool
}

func (s *speedFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&s.workers, "workers", 0, "batches run side by side (default: measured where the work is long, else one a thread)")
	flags.IntVar(&s.threads, "session-threads", 0, "threads that share each batch (default: measured where the work is long, else 1)")
	flags.IntVar(&s.batch, "batch-pictures", 0, "pictures a batch (default: measured where the work is long, else 8)")
	flags.IntVar(&s.tokens, "batch-tokens", 0, "tokens a batch of texts (default: measured where the work is long, else 512)")
	flags.BoolVar(&s.fixed, "no-calibration", false, "measure nothing: what is not given takes its usual value")
}

// check refuses what cannot be.
func (s *speedFlags) check() error {
	if min(s.workers, s.threads, s.batch, s.tokens) < 0 {
		return usagef("--workers, --session-threads, --batch-pictures and --batch-tokens take numbers of 0 or more")
	}
	return nil
}

// apply sets how a runtime is used. Only the processor's sessions have
// threads; an accelerator gets one batch at a time.
func (s *speedFlags) apply(e *finetune.ExtractSettings, rt *ort.Runtime, cores int) {
	e.Workers, e.Threads, e.Batch, e.Tokens, e.Fixed, e.Cores = s.workers, s.threads, s.batch, s.tokens, s.fixed, cores
	if rt.Provider() == ort.CPU {
		e.Sessions = func(threads int) onnx.Runtime { return rt.With(threads) }
	}
}
