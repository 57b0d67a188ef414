package heads_test

import (
	"errors"
	"math"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// rows are n rows of d features, of k classes apart from each other.
func rows(n, d, k int) (heads.Matrix, []int) {
	x, class := heads.NewMatrix(n, d), make([]int, n)
	state := uint64(n*d + k)
	next := func() float64 { // xorshift
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return float64(state>>11)/(1<<53) - 0.5
	}
	for i := range n {
		class[i] = i % k
		for j := range d {
			x.Row(i)[j] = float32(3*next() + 5)
		}
		x.Row(i)[class[i]%d]++
	}
	return x, class
}

func TestEveryKindIsMadeByName(t *testing.T) {
	x, class := rows(60, 5, 3)
	labels, values := heads.NewMatrix(60, 3), heads.NewMatrix(60, 2)
	for i, k := range class {
		labels.Row(i)[k] = 1
		values.Row(i)[0], values.Row(i)[1] = x.Row(i)[0], -x.Row(i)[1]
	}
	for task, y := range map[heads.Task]heads.Targets{
		heads.Classification: {Class: class, Classes: 3}, heads.MultiLabel: {Labels: labels}, heads.Regression: {Values: values},
	} {
		for _, kind := range heads.Kinds(task) {
			h, err := heads.New(kind, task, heads.Options{})
			if err != nil {
				t.Fatalf("%s of %s: %v", kind, task, err)
			}
			if err := h.Fit(t.Context(), x, y); err != nil {
				t.Errorf("%s of %s: %v", kind, task, err)
			}
		}
	}
	if n := len(heads.Kinds(heads.Classification)); n != 6 {
		t.Errorf("%d kinds of classifiers", n)
	}
}

func TestOptionsThatMeanNothingAreRefused(t *testing.T) {
	balanced := heads.Options{ClassWeight: heads.ClassWeight{Balanced: true}}
	for _, c := range []struct {
		kind heads.Kind
		task heads.Task
		o    heads.Options
	}{
		{"forest", heads.Classification, heads.Options{}},
		{"", heads.Classification, heads.Options{}},
		{heads.KindSVM, heads.Regression, heads.Options{}},
		{heads.KindSVM, heads.Classification, heads.Options{Smoothing: 0.1}},
		{heads.KindCentroid, heads.Classification, heads.Options{C: 1}},
		{heads.KindCentroid, heads.Classification, balanced},
		{heads.KindKNN, heads.Classification, balanced},
		{heads.KindRidge, heads.Regression, balanced},
		{heads.KindMLP, heads.MultiLabel, balanced},
		{heads.KindLogistic, heads.MultiLabel, heads.Options{Smoothing: 0.1}},
		{heads.KindMultiLabel, heads.MultiLabel, heads.Options{ClassWeight: heads.ClassWeight{Of: map[int]float64{0: 2}}}},
	} {
		var bad *heads.SettingError
		if _, err := heads.New(c.kind, c.task, c.o); !errors.As(err, &bad) {
			t.Errorf("%s of %s with %+v: %v, want a SettingError", c.kind, c.task, c.o, err)
		}
	}
}

// A path gives what fits on their own give, in whatever order it is asked.
func TestPathFitsAsOneFitDoes(t *testing.T) {
	x, class := rows(300, 12, 3)
	two := make([]int, len(class))
	labels, values := heads.NewMatrix(300, 3), heads.NewMatrix(300, 1)
	for i, k := range class {
		two[i] = min(k, 1)
		labels.Row(i)[k] = 1
		values.Row(i)[0] = 2*x.Row(i)[0] - x.Row(i)[3]*x.Row(i)[4]
	}
	for _, c := range []struct {
		name string
		kind heads.Kind
		y    heads.Targets
	}{
		{"three classes", heads.KindLogistic, heads.Targets{Class: class, Classes: 3}},
		{"two classes and one without rows", heads.KindLogistic, heads.Targets{Class: two, Classes: 3}},
		{"labels", heads.KindMultiLabel, heads.Targets{Labels: labels}},
		{"svm", heads.KindSVM, heads.Targets{Class: class, Classes: 3}},
		{"svm of two", heads.KindSVM, heads.Targets{Class: two, Classes: 2}},
		{"ridge", heads.KindRidge, heads.Targets{Values: values}},
		{"ridge of classes", heads.KindRidge, heads.Targets{Class: class, Classes: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := heads.NewPath(t.Context(), c.kind, x, c.y, heads.Options{Tol: 1e-9 * tolOf(c.kind)})
			if err != nil {
				t.Fatal(err)
			}
			var last heads.Head
			for _, strength := range []float64{1e-2, 1e-4, 1, 1e-3} {
				if last != nil {
					p.Start(last)
				}
				if last, err = p.Fit(strength); err != nil {
					t.Fatal(err)
				}
				alone, err := heads.New(c.kind, c.y.Task(), heads.Options{C: strength, Tol: 1e-9 * tolOf(c.kind)})
				if err != nil {
					t.Fatal(err)
				}
				if err := alone.Fit(t.Context(), x, c.y); err != nil {
					t.Fatal(err)
				}
				got, want := predicted(t, last, x), predicted(t, alone, x)
				quick, err := heads.Quick(t.Context(), last, x)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range want.Data {
					if math.Abs(float64(got.Data[i]-v)) > 1e-4 || math.Abs(float64(quick.Data[i]-v)) > 1e-4 {
						t.Fatalf("C = %g, row %d: %v, quickly %v, want %v", strength, i/want.Cols, got.Data[i], quick.Data[i], v)
					}
				}
			}
			rough, err := heads.NewPath(t.Context(), c.kind, x, c.y, heads.Options{Tol: 1e-3})
			if err != nil {
				t.Fatal(err)
			}
			h, err := rough.Fit(1e-3)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range predicted(t, h, x).Data {
				if want := predicted(t, last, x).Data[i]; math.Abs(float64(v-want)) > 2e-2*max(1, math.Abs(float64(want))) {
					t.Fatalf("roughly, row %d: %v, want %v", i, v, want)
				}
			}
			if _, err := p.Fit(0); err == nil {
				t.Error("C = 0 was accepted")
			}
		})
	}
	for _, kind := range []heads.Kind{heads.KindCentroid, heads.KindMLP, "forest"} {
		if _, err := heads.NewPath(t.Context(), kind, x, heads.Targets{Class: class, Classes: 3}, heads.Options{}); err == nil || heads.HasC(kind) {
			t.Errorf("a path of %s was made", kind)
		}
	}
}

// tolOf is 1 for heads that are fitted step by step.
func tolOf(kind heads.Kind) float64 {
	if kind == heads.KindRidge {
		return 0
	}
	return 1
}

func predicted(t *testing.T, h heads.Head, x heads.Matrix) heads.Matrix {
	t.Helper()
	z, err := h.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
