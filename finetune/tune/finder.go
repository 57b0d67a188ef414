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

// findRate trains for some steps with a rate that grows from step to step, and takes a tenth of the one at which the loss
// was lowest before it rose, or the one at which it fell most steeply where that is lower (Smith, arXiv:1506.01186). The
// weights are then as they were before.
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

// chosenRate reads the rate from the curve.
func chosenRate(points []RatePoint) float64 {
	lowest := 0
	for i, p := range points {
		if p.Loss < points[lowest].Loss {
			lowest = i
		}
	}
	steepest := 0
	fall := func(i int) float64 { return points[i].Loss - points[i+1].Loss }
	for i := range lowest {
		if fall(i) > fall(steepest) {
			steepest = i
		}
	}
	return min(points[lowest].Rate/10, points[steepest].Rate)
}
