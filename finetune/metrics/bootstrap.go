package metrics

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// A measure is one or more metrics as a function of how often each row counts; w nil: once. NaN where one is not defined.
type measure struct {
	names []string
	of    func(w []float64) []float64
	point bool // no interval: it would take too long
}

func one(name string, of func(w []float64) float64) measure {
	return measure{names: []string{name}, of: func(w []float64) []float64 { return []float64{of(w)} }}
}

// mean returns the weighted mean of v.
func mean(v []float64) func(w []float64) float64 {
	return func(w []float64) float64 {
		var sum, n float64
		for i, f := range v {
			sum += at(w, i) * f
			n += at(w, i)
		}
		return ratio(sum, n)
	}
}

// defaultResamples is how many bootstrap resamples stand behind an interval unless Settings say otherwise.
const defaultResamples = 1000

// measure computes each measure over n rows, and its percentile bootstrap interval (Efron 1979): rows are drawn anew
// with replacement and the metric computed on each draw. Draw i has its own generator, so that the result does not depend
// on which goroutine makes it.
func (s Settings) measure(n int, list []measure) (map[string]float64, map[string]Interval) {
	values := map[string]float64{}
	var names []string
	var sampled []measure
	for _, m := range list {
		for j, v := range m.of(nil) {
			if !math.IsNaN(v) {
				values[m.names[j]] = v
			}
		}
		if !m.point {
			sampled = append(sampled, m)
			names = append(names, m.names...)
		}
	}
	resamples := s.Resamples
	if resamples == 0 {
		resamples = defaultResamples
	}
	if resamples < 0 || n < 2 {
		return values, nil
	}
	drawn := make([][]float64, len(names)) // by name, by resample
	for j := range drawn {
		drawn[j] = make([]float64, resamples)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), resamples) {
		wg.Go(func() {
			w := make([]float64, n)
			for {
				i := int(next.Add(1)) - 1
				if i >= resamples {
					return
				}
				draw(w, s.Seed, uint64(i))
				j := 0
				for _, m := range sampled {
					for _, v := range m.of(w) {
						drawn[j][i] = v
						j++
					}
				}
			}
		})
	}
	wg.Wait()
	intervals := map[string]Interval{}
	for j, name := range names {
		if _, ok := values[name]; !ok {
			continue
		}
		if iv, ok := percentiles(drawn[j]); ok {
			intervals[name] = iv
		}
	}
	return values, intervals
}

// draw sets w to how often each row is among len(w) drawn with replacement.
func draw(w []float64, seed, stream uint64) {
	clear(w)
	r := rand.New(rand.NewPCG(seed, stream))
	for range w {
		w[r.IntN(len(w))]++
	}
}

// percentiles returns the 2.5 % and 97.5 % points of v, interpolated linearly; false where fewer than half are defined.
func percentiles(v []float64) (Interval, bool) {
	kept := slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	if len(kept) == 0 || 2*len(kept) < len(v) {
		return Interval{}, false
	}
	slices.Sort(kept)
	point := func(q float64) float64 {
		f := q * float64(len(kept)-1)
		i := int(f)
		if i+1 == len(kept) {
			return kept[i]
		}
		return kept[i] + (f-float64(i))*(kept[i+1]-kept[i])
	}
	return Interval{Low: point(0.025), High: point(0.975)}, true
}
