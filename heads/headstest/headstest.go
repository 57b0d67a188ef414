// Package headstest is the contract every [heads.Head] keeps, as a test suite.
package headstest

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// Run tests a kind of head. newHead returns one that is not fitted, with the same options each time; rt runs what it
// emits.
func Run(t *testing.T, rt onnx.Runtime, task heads.Task, newHead func() heads.Head) {
	s := suite{rt: rt, task: task, newHead: newHead}
	for _, c := range contract {
		if c.task == "" || c.task == task {
			t.Run(c.name, func(t *testing.T) { c.test(t, s) })
		}
	}
}

type suite struct {
	rt      onnx.Runtime
	task    heads.Task
	newHead func() heads.Head
}

// contract lists what a head must do; a case with a task is for heads of that task.
var contract = []struct {
	name string
	task heads.Task
	test func(*testing.T, suite)
}{
	{"it learns", "", learns},
	{"that it is linear is known beforehand", "", linear},
	{"a second fit forgets the first", "", forgets},
	{"fit and predict only read their arguments", "", onlyReads},
	{"the number of cores changes nothing", "", anyCores},
	{"predict is safe for concurrent use", "", concurrent},
	{"a head that is not fitted says so", "", unfitted},
	{"shapes that do not fit are refused", "", wrongShapes},
	{"values that are no numbers are refused", "", notFinite},
	{"targets out of range are refused", "", badTargets},
	{"a fit that is cancelled stops", "", cancelled},
	{"a row of weight 0 is no row", "", weightless},
	{"what it emits computes what it predicts", "", emitted},
	{"features far from 0 survive float32", "", farFromZero},
	{"constant features do no harm", "", constant},
	{"more features than rows", "", wide},
	{"classes that are far apart", heads.Classification, separable},
	{"one row a class", heads.Classification, oneRowEach},
	{"one class only is refused", heads.Classification, oneClass},
	{"a class without rows is never predicted", heads.Classification, absentClass},
	{"a label that every row has, and one that none has", heads.MultiLabel, constantLabels},
}

// fit returns a head fitted on d.
func (s suite) fit(t *testing.T, d sample) heads.Head {
	t.Helper()
	h := s.newHead()
	if err := h.Fit(t.Context(), d.x, d.y); err != nil {
		t.Fatal(err)
	}
	return h
}

func predict(t *testing.T, h heads.Head, x heads.Matrix) heads.Matrix {
	t.Helper()
	z, err := h.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range z.Data {
		if v-v != 0 {
			t.Fatalf("row %d: prediction is %v", i/z.Cols, v)
		}
	}
	return z
}

// fitPredict returns what a new head, fitted on d, predicts of d's features.
func (s suite) fitPredict(t *testing.T, d sample) heads.Matrix {
	t.Helper()
	z := predict(t, s.fit(t, d), d.x)
	if z.Rows != d.x.Rows || z.Cols != d.y.Outputs() {
		t.Fatalf("predictions are %d×%d, want %d×%d", z.Rows, z.Cols, d.x.Rows, d.y.Outputs())
	}
	return z
}

func sameBits(t *testing.T, what string, got, want heads.Matrix) {
	t.Helper()
	if got.Rows != want.Rows || got.Cols != want.Cols {
		t.Fatalf("%s: %d×%d, want %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	for i, v := range got.Data {
		if math.Float32bits(v) != math.Float32bits(want.Data[i]) {
			t.Fatalf("%s: row %d column %d: %v, want %v", what, i/got.Cols, i%got.Cols, v, want.Data[i])
		}
	}
}

func learns(t *testing.T, s suite) {
	d := draw(s.task, 90, 6, 3)
	score := d.score(s.fitPredict(t, d))
	if score < 0.85 {
		t.Errorf("score on its own rows is %.3f, want 0.85 or more", score)
	}
}

// linear: whether a head is an affine map is told before it is fitted.
func linear(t *testing.T, s suite) {
	told, is := heads.IsLinear(s.newHead()), heads.LinearOf(s.fit(t, draw(s.task, 50, 4, 2))) != nil
	if told != is {
		t.Errorf("IsLinear says %t; there is an affine map: %t", told, is)
	}
}

func forgets(t *testing.T, s suite) {
	first, second := draw(s.task, 80, 6, 3), draw(s.task, 50, 4, 2)
	h := s.fit(t, first)
	if err := h.Fit(t.Context(), second.x, second.y); err != nil {
		t.Fatal(err)
	}
	sameBits(t, "fitted twice", predict(t, h, second.x), s.fitPredict(t, second))
}

func onlyReads(t *testing.T, s suite) {
	d := draw(s.task, 60, 5, 3)
	d.y.Weights = make([]float32, 60)
	for i := range d.y.Weights {
		d.y.Weights[i] = 1 + float32(i%3)
	}
	before := d.clone()
	s.fitPredict(t, d)
	same := slices.Equal(d.x.Data, before.x.Data) && slices.Equal(d.y.Class, before.y.Class) &&
		slices.Equal(d.y.Labels.Data, before.y.Labels.Data) && slices.Equal(d.y.Values.Data, before.y.Values.Data) &&
		slices.Equal(d.y.Weights, before.y.Weights)
	if !same {
		t.Error("features or targets have changed")
	}
}

func anyCores(t *testing.T, s suite) {
	d := draw(s.task, 1100, 7, 3)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := s.fitPredict(t, d)
	for _, cores := range []int{2, 5} {
		runtime.GOMAXPROCS(cores)
		sameBits(t, "on more cores", s.fitPredict(t, d), want)
	}
}

func concurrent(t *testing.T, s suite) {
	d := draw(s.task, 60, 5, 3)
	h := s.fit(t, d)
	want := predict(t, h, d.x)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if z, err := h.Predict(d.x); err != nil || !slices.Equal(z.Data, want.Data) {
				t.Errorf("concurrent predictions differ: %v", err)
			}
		})
	}
	wg.Wait()
}

func unfitted(t *testing.T, s suite) {
	d := draw(s.task, 30, 4, 2)
	check := func(t *testing.T, h heads.Head) {
		t.Helper()
		if _, err := h.Predict(d.x); !errors.Is(err, heads.ErrNotFitted) {
			t.Errorf("Predict: %v, want ErrNotFitted", err)
		}
		if _, err := emit(h, 4); !errors.Is(err, heads.ErrNotFitted) {
			t.Errorf("Emit: %v, want ErrNotFitted", err)
		}
	}
	check(t, s.newHead())
	h := s.fit(t, d)
	bad := d.clone()
	bad.x.Data[5] = float32(math.Inf(-1))
	if h.Fit(t.Context(), bad.x, bad.y) == nil {
		t.Fatal("infinite feature accepted")
	}
	check(t, h)
}

func cancelled(t *testing.T, s suite) {
	d := draw(s.task, 60, 5, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := s.newHead()
	if err := h.Fit(ctx, d.x, d.y); !errors.Is(err, context.Canceled) {
		t.Errorf("Fit: %v, want context.Canceled", err)
	}
	if _, err := h.Predict(d.x); !errors.Is(err, heads.ErrNotFitted) {
		t.Errorf("Predict: %v, want ErrNotFitted", err)
	}
}

func weightless(t *testing.T, s suite) {
	d := draw(s.task, 60, 5, 3)
	d.y.Weights = make([]float32, 60)
	var kept []int
	for i := range d.y.Weights {
		if i%4 != 1 {
			d.y.Weights[i] = 0.5 + float32(i%3)
			kept = append(kept, i)
		} else {
			d.x.Row(i)[0] += 50 // it would be noticed
		}
	}
	less := sample{task: d.task, x: d.x.Subset(kept), y: d.y.Subset(kept)}
	close(t, "without the rows", predict(t, s.fit(t, d), less.x), predict(t, s.fit(t, less), less.x), 5e-3)
}

func separable(t *testing.T, s suite) {
	d := draw(s.task, 60, 6, 3)
	for i, c := range d.y.Class {
		d.x.Row(i)[c] += 100
	}
	if score := d.score(s.fitPredict(t, d)); score != 1 {
		t.Errorf("accuracy is %v, want 1", score)
	}
}

func oneRowEach(t *testing.T, s suite) {
	d := draw(s.task, 4, 8, 4)
	if score := d.score(s.fitPredict(t, d)); score != 1 {
		t.Errorf("accuracy on one row of each class is %v, want 1", score)
	}
}

func absentClass(t *testing.T, s suite) {
	for _, k := range []int{3, 4} { // two classes with rows, then three
		d := draw(s.task, 60, 6, k-1)
		d.y.Classes = k
		for i, c := range d.y.Class {
			if c > 0 {
				d.y.Class[i]++ // class 1 has no rows
			}
		}
		z := s.fitPredict(t, d)
		for i := range z.Rows {
			if row := z.Row(i); slices.Max(row) == row[1] {
				t.Fatalf("row %d: the class without rows is predicted, logits %v", i, row)
			}
		}
	}
}

func constantLabels(t *testing.T, s suite) {
	d := draw(s.task, 60, 5, 3)
	for i := range 60 {
		d.y.Labels.Row(i)[0], d.y.Labels.Row(i)[2] = 1, 0
	}
	z := s.fitPredict(t, d)
	for i := range z.Rows {
		if row := z.Row(i); row[0] <= 0 || row[2] >= 0 {
			t.Fatalf("row %d: logits %v, want the first above 0 and the last below", i, row)
		}
	}
}
