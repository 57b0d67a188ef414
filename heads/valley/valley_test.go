package valley

import (
	"math"
	"testing"
)

func TestLowest(t *testing.T) {
	for _, bottom := range []float64{-2, 0.3, 4.9} {
		got := Lowest(func(x float64) float64 { return math.Abs(x-bottom) + (x-bottom)*(x-bottom) }, -3, 5, 1e-6)
		if math.Abs(got-bottom) > 1e-6 {
			t.Errorf("the lowest point is %v, found %v", bottom, got)
		}
	}
	if got := Lowest(func(x float64) float64 { return x }, -3, 5, 1e-6); math.Abs(got+3) > 1e-6 {
		t.Errorf("a slope is lowest at its end, -3; found %v", got)
	}
}
