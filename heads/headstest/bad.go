package headstest

import (
	"errors"
	"math"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// refused tells whether Fit refuses d with an error of type E, and that the head is not fitted then.
func refused[E error](t *testing.T, s suite, what string, d sample) (e E) {
	t.Helper()
	h := s.newHead()
	err := h.Fit(t.Context(), d.x, d.y)
	if !errors.As(err, &e) {
		t.Errorf("%s: Fit's error is %v, want a %T", what, err, e)
	}
	if _, err := h.Predict(draw(s.task, 3, d.x.Cols, 2).x); err == nil {
		t.Errorf("%s: the head predicts after a Fit that failed", what)
	}
	return e
}

func wrongShapes(t *testing.T, s suite) {
	d := draw(s.task, 40, 5, 3)
	fewer := d.clone()
	fewer.y = d.y.Subset([]int{0, 1, 2, 3})
	refused[*heads.ShapeError](t, s, "fewer targets than rows", fewer)

	torn := d.clone()
	torn.x.Data = torn.x.Data[:len(torn.x.Data)-1]
	refused[*heads.ShapeError](t, s, "a number short", torn)

	weights := d.clone()
	weights.y.Weights = make([]float32, 39)
	refused[*heads.ShapeError](t, s, "a weight short", weights)

	other := map[heads.Task]heads.Task{heads.Classification: heads.Regression, heads.Regression: heads.MultiLabel, heads.MultiLabel: heads.Classification}
	task := d.clone()
	task.y = draw(other[s.task], 40, 5, 3).y
	if h := s.newHead(); h.Fit(t.Context(), task.x, task.y) != nil {
		refused[*heads.ShapeError](t, s, "targets of another task", task)
	} else if z := predict(t, h, task.x); z.Cols != task.y.Outputs() {
		t.Errorf("fitted on targets of another task: %d columns, want %d", z.Cols, task.y.Outputs())
	}

	empty := d.clone()
	empty.x = heads.Matrix{Cols: 5}
	empty.y = d.y.Subset(nil)
	refused[*heads.TooFewError](t, s, "no rows", empty)

	var shape *heads.ShapeError
	h := s.fit(t, d)
	if _, err := h.Predict(heads.NewMatrix(3, 4)); !errors.As(err, &shape) {
		t.Errorf("Predict of 4 columns after a fit on 5: %v, want a ShapeError", err)
	}
	if z, err := h.Predict(heads.Matrix{Cols: 5}); err != nil || z.Rows != 0 || z.Cols != 3 {
		t.Errorf("Predict of no rows: %d×%d, %v; want 0×3", z.Rows, z.Cols, err)
	}
}

func notFinite(t *testing.T, s suite) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		d := draw(s.task, 40, 5, 3)
		d.x.Row(17)[2] = float32(v)
		if e := refused[*heads.RowError](t, s, "a feature that is no number", d); e != nil && e.Row != 17 {
			t.Errorf("the error names row %d, want 17", e.Row)
		}
		d = draw(s.task, 40, 5, 3)
		d.y.Weights = make([]float32, 40)
		d.y.Weights[11] = float32(v)
		if e := refused[*heads.RowError](t, s, "a weight that is no number", d); e != nil && e.Row != 11 {
			t.Errorf("the error names row %d, want 11", e.Row)
		}
		if s.task != heads.Regression {
			continue
		}
		d = draw(s.task, 40, 5, 3)
		d.y.Values.Row(3)[1] = float32(v)
		if e := refused[*heads.RowError](t, s, "a value that is no number", d); e != nil && e.Row != 3 {
			t.Errorf("the error names row %d, want 3", e.Row)
		}
	}
}

func badTargets(t *testing.T, s suite) {
	bad := func(change func(d *sample)) sample {
		d := draw(s.task, 40, 5, 3)
		change(&d)
		return d
	}
	cases := map[string]sample{
		"a weight below 0": bad(func(d *sample) {
			d.y.Weights = make([]float32, 40)
			d.y.Weights[7] = -1
		}),
	}
	switch s.task {
	case heads.Classification:
		cases["a class too high"] = bad(func(d *sample) { d.y.Class[7] = 3 })
		cases["a class below 0"] = bad(func(d *sample) { d.y.Class[7] = -1 })
	case heads.MultiLabel:
		cases["half a label"] = bad(func(d *sample) { d.y.Labels.Row(7)[1] = 0.5 })
	}
	for what, d := range cases {
		if e := refused[*heads.RowError](t, s, what, d); e != nil && e.Row != 7 {
			t.Errorf("%s: the error names row %d, want 7", what, e.Row)
		}
	}
	refused[*heads.TooFewError](t, s, "only weights of 0", bad(func(d *sample) { d.y.Weights = make([]float32, 40) }))
}

func oneClass(t *testing.T, s suite) {
	d := draw(s.task, 40, 5, 3)
	for i := range d.y.Class {
		d.y.Class[i] = 1
	}
	refused[*heads.TooFewError](t, s, "one class", d)

	d = draw(s.task, 40, 5, 3)
	d.y.Weights = make([]float32, 40)
	for i, c := range d.y.Class {
		if c == 2 {
			d.y.Weights[i] = 1
		}
	}
	refused[*heads.TooFewError](t, s, "one class with weight", d)
}
