package tune

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// A RatePoint is one step of a learning-rate range test.
type RatePoint struct {
	Rate float64 `json:"rate"`
	Loss float64 `json:"loss"` // smoothed
}

// The range test's rates, and how many steps lead from one end to the other.
const (
	lowestRate  = 1e-6
	highestRate = 1e-1
	rateSteps   = 60
)

// findRate trains for some steps with a rate that grows from step to step, and takes the one at which the loss fell most
// steeply (Smith, arXiv:1506.01186). The weights are then as they were before.
func (l *loop) findRate(ctx context.Context) (float64, []RatePoint, error) {
	own := l.weights()
	defer func() {
		l.setWeights(own)
		l.begin()
	}()
	var points []RatePoint
	var mean float64
	low := math.Inf(1)
	for epoch := 0; len(points) < rateSteps; epoch-- { // epochs that no training has
		for _, batch := range l.batches.epoch(l.p.Train, epoch) {
			i := len(points)
			if i == rateSteps {
				break
			}
			rate := lowestRate * math.Pow(highestRate/lowestRate, float64(i)/(rateSteps-1))
			loss, norm, err := l.step(ctx, [][]int{batch}, l.view(1), i, rate)
			var gone *DivergedError
			if errors.As(err, &gone) && i > 0 {
				return chosenRate(points), points, nil
			}
			if err != nil {
				return 0, nil, fmt.Errorf("tune: learning rate: %w", err)
			}
			const keep = 0.9
			mean = keep*mean + (1-keep)*loss
			smooth := mean / (1 - math.Pow(keep, float64(i+1)))
			points = append(points, RatePoint{Rate: rate, Loss: smooth})
			l.report(Step{Stage: Finding, Done: i + 1, Of: rateSteps, Loss: loss, Norm: norm})
			low = min(low, smooth)
			if i > rateSteps/6 && smooth > 4*low {
				return chosenRate(points), points, nil
			}
		}
	}
	return chosenRate(points), points, nil
}

// What chosenRate looks at: falls over so many steps, a rate three times as high at their end, behind so many first ones in
// which the mean of the losses has not settled.
const (
	fallSteps    = 6
	settledAfter = rateSteps / 6
)

// chosenRate reads the rate from the curve: the middle of the steepest fall before the lowest loss; a tenth of the rate of the
// lowest loss where nothing falls.
func chosenRate(points []RatePoint) float64 {
	lowest := 0
	for i, p := range points {
		if p.Loss < points[lowest].Loss {
			lowest = i
		}
	}
	chosen, steepest := points[lowest].Rate/10, 0.0
	for i := settledAfter; i+fallSteps <= lowest; i++ {
		if fall := points[i].Loss - points[i+fallSteps].Loss; fall > steepest {
			chosen, steepest = points[i+fallSteps/2].Rate, fall
		}
	}
	return max(chosen, lowestRate)
}
