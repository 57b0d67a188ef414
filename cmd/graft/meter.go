package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/mattn/go-isatty"
)

// lineEvery is how long a running step keeps silent on a pipe.
const lineEvery = 5 * time.Second

// A meter shows how far a step has come: a bar on a terminal, plain lines on a
// pipe, nothing with --quiet. Its methods may be called by several goroutines.
type meter struct {
	out  io.Writer // nil is silence
	tty  bool
	unit string // "bytes", what else is counted, or "" for a bare number

	mu          sync.Mutex
	step        string
	bar         *pb.ProgressBar
	done, total int64
	began, said time.Time
}

func (a *app) newMeter(unit string) *meter {
	if a.quiet {
		return &meter{}
	}
	f, ok := a.stderr.(*os.File)
	return &meter{out: a.stderr, tty: ok && isatty.IsTerminal(f.Fd()), unit: unit}
}

// set says that step has done so many of total, which is negative where it is
// not known. Another step than before ends that one.
func (m *meter) set(step string, done, total int64) {
	if m.out == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if step != m.step {
		m.end()
		m.step, m.began, m.said = step, time.Now(), time.Now()
		if m.tty {
			m.bar = m.newBar(step)
		}
	}
	m.done, m.total = done, total
	if m.bar != nil {
		m.bar.SetTotal(max(total, 0)).SetCurrent(done)
		return
	}
	if now := time.Now(); now.Sub(m.said) >= lineEvery {
		m.said = now
		m.line("…" + m.left(now))
	}
}

// finish ends the running step.
func (m *meter) finish() {
	if m.out == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end()
}

func (m *meter) end() {
	switch {
	case m.step == "":
	case m.bar != nil:
		m.bar.Finish()
		m.bar = nil
	default:
		m.line(fmt.Sprintf("done in %.1f s", time.Since(m.began).Seconds()))
	}
	m.step = ""
}

// left says how long the step will still take if it goes on as so far.
func (m *meter) left(now time.Time) string {
	if m.done <= 0 || m.total <= m.done {
		return ""
	}
	spent := now.Sub(m.began)
	rest := time.Duration(float64(spent) * float64(m.total-m.done) / float64(m.done))
	return fmt.Sprintf(" about %v left", rest.Round(time.Second))
}

// line writes how far the step is.
func (m *meter) line(suffix string) {
	far := ""
	switch {
	case m.total > m.done:
		far = m.count(m.done) + " of " + m.count(m.total) + " "
	case m.done > 0:
		far = m.count(m.done) + " "
	}
	fmt.Fprintf(m.out, "%s: %s%s\n", m.step, far, suffix)
}

func (m *meter) count(n int64) string {
	if m.unit == "bytes" {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return strings.TrimSuffix(fmt.Sprintf("%d %s", n, m.unit), " ")
}

func (m *meter) newBar(step string) *pb.ProgressBar {
	bar := pb.New64(0).SetTemplate(`{{string . "prefix"}} {{counters . }} {{bar . }} {{percent . }} {{rtime . "%s left"}}`)
	bar.Set("prefix", fmt.Sprintf("%-12s", step))
	bar.Set(pb.Bytes, m.unit == "bytes")
	return bar.SetWriter(m.out).SetRefreshRate(100 * time.Millisecond).Start()
}
