package heads

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// wideRows are n rows of d standardised features with a few strong common causes, in k classes.
func wideRows(n, d, k int) (Matrix, Targets) {
	r := rand.New(rand.NewPCG(uint64(n), uint64(d)))
	const causes = 24
	mix := make([]float64, causes*d)
	for i := range mix {
		mix[i] = r.NormFloat64()
	}
	x, y := NewMatrix(n, d), Targets{Class: make([]int, n), Classes: k}
	for i := range n {
		y.Class[i] = i % k
		cause := make([]float64, causes)
		for c := range cause {
			cause[c] = r.NormFloat64()
		}
		cause[y.Class[i]]++
		for j := range d {
			v := 0.7 * r.NormFloat64()
			for c, f := range cause {
				v += f * mix[c*d+j] / 5
			}
			x.Row(i)[j] = float32(v)
		}
	}
	return x, y
}

func TestSketchKnowsTheCovariance(t *testing.T) {
	const n, d = 900, 208
	x, _ := wideRows(n, d, 3)
	z, _, err := standardize(t.Context(), x, nil, copyBytes)
	if err != nil {
		t.Fatal(err)
	}
	y := Targets{Class: make([]int, n), Classes: 2}
	for i := range y.Class {
		y.Class[i] = i % 2
	}
	weights, _ := ClassWeight{}.rowWeights(y)
	f, _, err := newSoftmax(t.Context(), z, d, y, weights, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSketch(t.Context(), f.objective)
	if err != nil || s == nil {
		t.Fatal(s, err)
	}
	for a := range s.rank {
		for b := range a + 1 {
			var dot float64
			for j := range d {
				dot += float64(s.basis[j*s.rank+a]) * float64(s.basis[j*s.rank+b])
			}
			want := 0.0
			if a == b {
				want = 1
			}
			if math.Abs(dot-want) > 1e-4 {
				t.Fatalf("columns %d and %d of the basis: product %g, want %g", a, b, dot, want)
			}
		}
	}
	// along the strongest directions the covariance is as the sketch says
	m := z.(Matrix)
	for k := range 10 {
		var variance float64
		for i := range n {
			var along float64
			for j := range d {
				along += float64(m.Row(i)[j]) * float64(s.basis[j*s.rank+k])
			}
			variance += along * along / n
		}
		if math.Abs(variance-s.values[k]) > 0.05*variance {
			t.Errorf("direction %d: variance %g, the sketch says %g", k, variance, s.values[k])
		}
	}
	// and apply divides by α·value + l2 along them
	f.objective.l2, s.alpha = 0.01, []float64{0.25}
	v := make([]float64, d+1)
	for j := range d {
		v[j] = float64(s.basis[j*s.rank+2])
	}
	v[d] = 1
	s.apply(v)
	for j := range d {
		want := float64(s.basis[j*s.rank+2]) / (0.25*s.values[2] + 0.01)
		if math.Abs(v[j]-want) > 1e-4 {
			t.Fatalf("element %d: %g, want %g", j, v[j], want)
		}
	}
	if v[d] != 4 {
		t.Errorf("intercept: %g, want 4", v[d])
	}
}

// With so many features that a sketch is made, fits come to the minimum that plain L-BFGS comes to.
func TestManyFeaturesReachTheSameMinimum(t *testing.T) {
	for _, c := range []struct{ n, k int }{{500, 2}, {500, 4}, {70, 3}} {
		k := c.k
		x, y := wideRows(c.n, sketchFrom+5, k)
		var h Logistic
		h.C, h.Tol = 0.05, 1e-7
		d, err := h.descent(t.Context(), x, y, copyBytes)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := d.precondition.(*sketch); !ok {
			t.Fatalf("the preconditioner is a %T", d.precondition)
		}
		_, with, err := d.to(h.C, h.Tol, 0)
		if err != nil {
			t.Fatal(err)
		}
		d.done, d.precondition = nil, nil
		_, without, err := d.to(h.C, h.Tol, 0)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(with.Objective-without.Objective) > 1e-6*without.Objective {
			t.Errorf("%d classes: %.9g with a sketch, %.9g without", k, with.Objective, without.Objective)
		}
		if c.n == 500 && with.Evaluations >= without.Evaluations {
			t.Errorf("%d classes: %d passes with a sketch, %d without", k, with.Evaluations, without.Evaluations)
		}
	}
}

// What is standardised as it is read gives the same head, to the last bit, as what is kept, and takes little memory.
func TestLargeFeaturesAreNotCopied(t *testing.T) {
	x, y := wideRows(3000, 40, 3)
	y.Weights = make([]float32, 3000)
	for i := range y.Weights {
		y.Weights[i] = float32(i%3) / 2
	}
	type linear interface {
		descent(ctx context.Context, x Matrix, y Targets, limit int) (*descent, error)
	}
	labels := NewMatrix(3000, 3)
	for i, k := range y.Class {
		labels.Row(i)[k] = 1
	}
	for name, c := range map[string]struct {
		head linear
		y    Targets
	}{
		"logistic": {&Logistic{}, y}, "svm": {&LinearSVM{}, y}, "labels": {&MultiLabelLogistic{}, Targets{Labels: labels, Weights: y.Weights}},
	} {
		var heads [2]*affine
		for i, limit := range []int{copyBytes, 0} {
			d, err := c.head.descent(t.Context(), x, c.y, limit)
			if err != nil {
				t.Fatal(err)
			}
			if _, kept := d.objective.x.(Matrix); kept != (i == 0) {
				t.Errorf("%s, limit %d: features are a %T", name, limit, d.objective.x)
			}
			if heads[i], _, err = d.to(0.1, 0, 0); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(heads[0].weight, heads[1].weight) || !slices.Equal(heads[0].bias, heads[1].bias) {
			t.Errorf("%s: another head", name)
		}
	}
}

// So does a ridge regression, to within rounding: rows of weight 0 are left in.
func TestRidgeOfLargeFeatures(t *testing.T) {
	x, y := wideRows(9000, 120, 3)
	y.Weights = make([]float32, x.Rows)
	for i := range y.Weights {
		y.Weights[i] = float32(i % 3)
	}
	var got [2]*affine
	var chosen [2]float64
	for i, limit := range []int{copyBytes, 0} {
		r, err := (&RidgeClassifier{}).prepare(t.Context(), x, y, limit)
		if err != nil {
			t.Fatal(err)
		}
		if _, kept := r.x.(Matrix); kept != (i == 0) {
			t.Errorf("limit %d: features are a %T", limit, r.x)
		}
		if got[i], chosen[i], _, err = r.fit(t.Context(), "RidgeClassifier", 0, nil, 1); err != nil {
			t.Fatal(err)
		}
	}
	if chosen[0] != chosen[1] {
		t.Errorf("chosen: %v", chosen)
	}
	for i, w := range got[0].weight {
		if math.Abs(float64(w-got[1].weight[i])) > 1e-6 {
			t.Fatalf("weight %d: %v and %v", i, w, got[1].weight[i])
		}
	}
}

// A fit on 300,000 rows that are standardised as they are read takes a fraction of the rows' memory.
func TestMemoryOfLargeFits(t *testing.T) {
	const n, d = 300_000, 64
	x, y := NewMatrix(n, d), Targets{Class: make([]int, n), Classes: 2}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		y.Class[i] = r.IntN(2)
		for j := range d {
			x.Row(i)[j] = r.Float32() + float32(y.Class[i]*(j%3))/4
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d0, err := (&Logistic{}).descent(t.Context(), x, y, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d0.to(1, 0, 0); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	took := float64(after.TotalAlloc-before.TotalAlloc) / float64(4*n*d)
	t.Logf("%.2f of the features' memory", took)
	if took > 0.25 { // weights and targets are 16 bytes a row, 0.06
		t.Errorf("allocated %.2f of the features' memory", took)
	}
}
