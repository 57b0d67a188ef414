package main

import (
	"fmt"
	"sync"

	"github.com/onnx-graft/graft/finetune"
)

// progress shows the stages of a fine-tune on a meter. It is a
// finetune.Progress.
type progress struct {
	a     *app
	meter *meter

	mu          sync.Mutex
	stage       finetune.Stage
	done, total int64
}

func (a *app) newProgress() *progress { return &progress{a: a, meter: a.newMeter("")} }

// Start implements finetune.Progress.
func (p *progress) Start(stage finetune.Stage, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.finish()
	p.stage, p.done, p.total = stage, 0, int64(total)
	p.meter.set(string(stage), 0, p.total)
}

// Add implements finetune.Progress.
func (p *progress) Add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += int64(n)
	p.meter.set(string(p.stage), p.done, p.total)
}

// Warn implements finetune.Progress. A warning is no progress: --quiet does
// not silence it.
func (p *progress) Warn(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.finish()
	fmt.Fprintln(p.a.stderr, "warning:", text)
}

// finish ends the last stage.
func (p *progress) finish() { p.meter.finish() }
