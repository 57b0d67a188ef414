package heads

import (
	"math"
	"testing"
)

func TestGaussIsTheNormalDistribution(t *testing.T) {
	g := gaussTable()
	for x := -8.0; x <= 8; x += 0.000317 {
		v := float64(float32(x))
		below, density := g.at(float32(x))
		wantBelow, wantDensity := 0.5*math.Erfc(-v/math.Sqrt2), math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
		if math.Abs(float64(below)-wantBelow) > 1.5e-7 || math.Abs(float64(density)-wantDensity) > 1.5e-7 {
			t.Fatalf("at %v: %v and %v, want %v and %v", v, below, density, wantBelow, wantDensity)
		}
	}
	for _, x := range []float32{float32(math.Inf(-1)), float32(math.Inf(1)), float32(math.NaN())} {
		if below, _ := g.at(x); x == x && below != float32(max(0, math.Copysign(1, float64(x)))) || x != x && below == below {
			t.Errorf("at %v: %v", x, below)
		}
	}
}
