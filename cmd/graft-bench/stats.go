package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A spread is what repeated measurements of one thing came to.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Of     int     `json:"of"` // measurements
}

// spreadOf summarises measurements; those of an even number have the mean of the middle two as their median.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1], Of: n}
}

// ratios divides measurements of one round by another's of the same round: what slowed a whole round cancels out.
func ratios(over, under []float64) []float64 {
	out := make([]float64, min(len(over), len(under)))
	for i := range out {
		out[i] = over[i] / under[i]
	}
	return out
}

// per turns durations into rates: amount a second each.
func per(amount float64, seconds []float64) []float64 {
	out := make([]float64, len(seconds))
	for i, s := range seconds {
		out[i] = amount / s
	}
	return out
}

// A timing is what one run took.
type timing struct {
	Wall float64 `json:"wall"` // seconds
	CPU  float64 `json:"cpu"`  // seconds of all cores together; 0 where it was not taken
}

// A contestant is one way of doing the work that is compared.
type contestant struct {
	name string
	run  func(ctx context.Context) (timing, error)
}

// timings are a contestant's runs, one a round.
type timings []timing

func (t timings) walls() []float64 {
	out := make([]float64, len(t))
	for i, one := range t {
		out[i] = one.Wall
	}
	return out
}

func (t timings) cpus() []float64 {
	out := make([]float64, len(t))
	for i, one := range t {
		out[i] = one.CPU
	}
	return out
}

// pause lies between two runs, for threads of the one before to stop spinning.
const pause = 300 * time.Millisecond

// interleave runs every contestant once unmeasured, and then all of them in turn, rounds times over: A B C A B C … What it
// returns is in the contestants' order.
func (b *bench) interleave(ctx context.Context, rounds int, contestants []contestant) ([]timings, error) {
	out := make([]timings, len(contestants))
	for round := range rounds + 1 {
		for i, c := range contestants {
			time.Sleep(pause)
			t, err := c.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round == 0 {
				b.say("  %-40s warm-up %8.3f s", c.name, t.Wall)
				continue
			}
			out[i] = append(out[i], t)
			b.say("  %-40s %d of %d  %8.3f s, %.3f s of all cores", c.name, round, rounds, t.Wall, t.CPU)
		}
	}
	return out, nil
}

// clock takes the wall and processor time of f in this process.
func clock(f func() error) (timing, error) {
	cpu, start := processorTime(), time.Now()
	err := f()
	return timing{Wall: time.Since(start).Seconds(), CPU: processorTime() - cpu}, err
}
