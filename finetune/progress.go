package finetune

import (
	"sync"
	"time"
)

// A Stage is a step of the way, as [Progress] is told of it and as timings are keyed.
type Stage string

const (
	Sweeping   Stage = "sweep"
	Extracting Stage = "extract"
	Probing    Stage = "probe"
	Freezing   Stage = "frozen layers"
	Finding    Stage = "learning rate"
	Learning   Stage = "learning curve"
	Deciding   Stage = "decide"
	Tuning     Stage = "tune"
	Evaluating Stage = "evaluate"
	Exporting  Stage = "export"
	Verifying  Stage = "verify"
	Reporting  Stage = "report"
	Predicting Stage = "predict"
)

// Progress is told how the work goes. Its methods may be called by several goroutines at once. A nil Progress is silence.
type Progress interface {
	Start(stage Stage, total int) // a stage of that many steps begins, and the one before has ended; 0: not known
	Add(n int)                    // n more steps of the stage are done
	Warn(text string)             // something people should know, that stops nothing; one sentence
}

// quiet is the Progress of nobody.
type quiet struct{}

func (quiet) Start(Stage, int) {}
func (quiet) Add(int)          {}
func (quiet) Warn(string)      {}

func orQuiet(p Progress) Progress {
	if p == nil {
		return quiet{}
	}
	return p
}

// A stageClock measures how long stages last, and passes everything on.
type stageClock struct {
	Progress
	mu    sync.Mutex
	spent map[Stage]time.Duration
	stage Stage
	began time.Time // of the run
	since time.Time // of the stage
}

func newStageClock(p Progress) *stageClock {
	now := time.Now()
	return &stageClock{Progress: orQuiet(p), spent: map[Stage]time.Duration{}, began: now, since: now}
}

// Start implements Progress.
func (c *stageClock) Start(stage Stage, total int) {
	c.mark(stage)
	c.Progress.Start(stage, total)
}

func (c *stageClock) mark(stage Stage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.stage != "" {
		c.spent[c.stage] += now.Sub(c.since)
	}
	c.stage, c.since = stage, now
}

// soFar returns what each stage took up to now.
func (c *stageClock) soFar() map[Stage]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[Stage]float64{}
	for stage, d := range c.spent {
		out[stage] = d.Seconds()
	}
	return out
}

// seconds ends the last stage and returns what each took, and "total".
func (c *stageClock) seconds() map[Stage]float64 {
	c.mark("")
	out := map[Stage]float64{"total": time.Since(c.began).Seconds()}
	for stage, d := range c.spent {
		out[stage] = d.Seconds()
	}
	return out
}
