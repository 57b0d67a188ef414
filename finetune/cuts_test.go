package finetune

import "testing"

// CutsForTest returns the cuts of a backbone, and all of them as one.
func CutsForTest[T any](t *testing.T, b *Backbone[T]) (cuts []*Backbone[T], joined *Backbone[T], widths []int) {
	t.Helper()
	cuts, err := cutsOf(b)
	if err != nil {
		t.Fatal(err)
	}
	all := *b
	if all.Model, widths, err = joinCuts(cuts); err != nil {
		t.Fatal(err)
	}
	return cuts, &all, widths
}

func TestDeepestWithinOneStandardError(t *testing.T) {
	point := func(score float64) SweepPoint { return SweepPoint{Score: score, SE: 0.02} }
	for _, c := range []struct {
		scores []float64
		want   int
	}{
		{[]float64{0.7, 0.8, 0.9}, 2},
		{[]float64{0.91, 0.8, 0.9}, 2},  // no more than a standard error better
		{[]float64{0.93, 0.8, 0.9}, 0},  // more
		{[]float64{0.93, 0.92, 0.9}, 1}, // the deeper of two that are
		{[]float64{0.5}, 0},
	} {
		var points []SweepPoint
		for _, s := range c.scores {
			points = append(points, point(s))
		}
		if got := deepest(points); got != c.want {
			t.Errorf("%v: %d, want %d", c.scores, got, c.want)
		}
	}
}
