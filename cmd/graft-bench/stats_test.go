package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{3}, spread{3, 3, 3, 1}},
		{[]float64{5, 1, 3}, spread{3, 1, 5, 3}},
		{[]float64{4, 1, 3, 9}, spread{3.5, 1, 9, 4}},
	} {
		before := slices.Clone(c.values)
		if got := spreadOf(c.values); got != c.want {
			t.Errorf("spreadOf(%v) = %+v, want %+v", c.values, got, c.want)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("spreadOf changed its argument: %v, was %v", c.values, before)
		}
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	// The second round was slow for both: the ratio does not see it.
	got := ratios([]float64{2, 20, 3}, []float64{1, 10, 2})
	if want := []float64{2, 2, 1.5}; !slices.Equal(got, want) {
		t.Errorf("ratios = %v, want %v", got, want)
	}
}

func TestInterleave(t *testing.T) {
	b := &bench{log: io.Discard}
	var order string
	runs := 0.0
	entrant := func(name string) contestant {
		return contestant{name, func(context.Context) (timing, error) {
			order += name
			runs++
			return timing{Wall: runs, CPU: 2 * runs}, nil
		}}
	}
	got, err := b.interleave(context.Background(), 2, []contestant{entrant("A"), entrant("B"), entrant("C")})
	if err != nil {
		t.Fatal(err)
	}
	if order != "ABCABCABC" {
		t.Errorf("the runs were %s, want one of each unmeasured and then ABCABC", order)
	}
	if a, c := got[0].walls(), got[2].cpus(); !slices.Equal(a, []float64{4, 7}) || !slices.Equal(c, []float64{12, 18}) {
		t.Errorf("A took %v, C's processor time was %v: want 4, 7 and 12, 18, without the unmeasured run", a, c)
	}
}

func TestInterleaveStopsAtAnError(t *testing.T) {
	b := &bench{log: io.Discard}
	broken := errors.New("broken")
	_, err := b.interleave(context.Background(), 3, []contestant{{"A", func(context.Context) (timing, error) { return timing{}, broken }}})
	if !errors.Is(err, broken) || err.Error() != "A: broken" {
		t.Errorf("the error is %v, want A's", err)
	}
}

func TestSampleIsTheSameAndInOrder(t *testing.T) {
	values := make([]int, 100)
	for i := range values {
		values[i] = i
	}
	one, two := sample(values, 10), sample(values, 10)
	if !slices.Equal(one, two) || len(one) != 10 || !slices.IsSorted(one) || slices.Max(one) == 9 {
		t.Errorf("samples %v and %v: want ten of all values, in order, the same", one, two)
	}
	if got := sample(values, 1000); len(got) != 100 {
		t.Errorf("a sample of more than there is has %d values", len(got))
	}
}

func TestAgree(t *testing.T) {
	nan := float32(0)
	nan /= nan
	for _, c := range []struct {
		a, b []float32
		ok   bool
	}{
		{[]float32{1, 2}, []float32{1, 2.00001}, true},
		{[]float32{1, 2}, []float32{1, 2.1}, false},
		{[]float32{1, 2}, []float32{1}, false},
		{[]float32{nan}, []float32{nan}, false},
	} {
		if err := agree("x", c.a, c.b, 1e-4); (err == nil) != c.ok {
			t.Errorf("agree(%v, %v) = %v", c.a, c.b, err)
		}
	}
}
