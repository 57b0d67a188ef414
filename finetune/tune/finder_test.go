package tune

import (
	"math"
	"testing"
)

// TestChosenRate: the rate is where the loss falls most steeply, whatever the first losses do and where it rises again.
func TestChosenRate(t *testing.T) {
	for name, c := range map[string]struct {
		loss     func(decade float64) float64 // by the rate's logarithm to base 10
		low, top float64
	}{
		"one fall":            {func(x float64) float64 { return 1 / (1 + math.Exp(6*(x+4))) }, 5e-5, 2e-4},
		"noise at first":      {func(x float64) float64 { return 1/(1+math.Exp(6*(x+3.5))) + max(0, -x-5.7) }, 1.5e-4, 6e-4},
		"it rises again":      {func(x float64) float64 { return 1/(1+math.Exp(6*(x+4))) + max(0, x+2.5) }, 5e-5, 2e-4},
		"it only rises":       {func(x float64) float64 { return x }, lowestRate, lowestRate},
		"it falls to the end": {func(x float64) float64 { return -math.Exp(x) }, 1e-2, 1e-1},
	} {
		var points []RatePoint
		for i := range rateSteps {
			rate := lowestRate * math.Pow(highestRate/lowestRate, float64(i)/(rateSteps-1))
			points = append(points, RatePoint{Rate: rate, Loss: c.loss(math.Log10(rate))})
		}
		if got := chosenRate(points); got < c.low || got > c.top {
			t.Errorf("%s: chosen is %.2g, want %.2g to %.2g", name, got, c.low, c.top)
		}
	}
	if got := chosenRate([]RatePoint{{Rate: 1e-6, Loss: 1}}); got != lowestRate {
		t.Errorf("of one point, chosen is %g", got)
	}
}
