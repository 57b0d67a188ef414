package optim

import (
	"fmt"
	"math"
)

// A Schedule is the shape of the learning rate over a run, after its warm-up.
type Schedule string

const (
	Linear   Schedule = "linear"   // down to 0 in a straight line
	Cosine   Schedule = "cosine"   // down to 0 along half a cosine (Loshchilov and Hutter, arXiv:1608.03983)
	Constant Schedule = "constant" // no change
)

// ParseSchedule returns the schedule of that name; empty is [Linear].
func ParseSchedule(name string) (Schedule, error) {
	switch s := Schedule(name); s {
	case "":
		return Linear, nil
	case Linear, Cosine, Constant:
		return s, nil
	}
	return "", fmt.Errorf("optim: schedule %q is none of linear, cosine, constant", name)
}

// At returns what the peak learning rate is multiplied by at step (0 to steps−1), when the first warmup steps rise in a
// straight line from 0, as Hugging Face's get_linear_schedule_with_warmup counts them.
func (s Schedule) At(step, warmup, steps int) float64 {
	if step < warmup {
		return float64(step) / float64(max(1, warmup))
	}
	done := float64(step-warmup) / float64(max(1, steps-warmup))
	switch s {
	case Constant:
		return 1
	case Cosine:
		return 0.5 * (1 + math.Cos(math.Pi*min(done, 1)))
	}
	return max(0, 1-done)
}
