package heads_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// wide is a matrix of testdata/goldens.json.
type wide struct {
	Rows, Cols int
	Data       []float64
}

func (w wide) matrix() heads.Matrix {
	m := heads.NewMatrix(w.Rows, w.Cols)
	for i, v := range w.Data {
		m.Data[i] = float32(v)
	}
	return m
}

func float32s(v []float64) []float32 {
	if v == nil {
		return nil
	}
	out := make([]float32, len(v))
	for i, f := range v {
		out[i] = float32(f)
	}
	return out
}

type logisticGolden struct {
	Name      string
	X         wide
	Y         []int
	Classes   int
	C         float64
	Weights   []float64
	Balanced  bool
	Of        map[int]float64
	Objective float64
	Logits    wide
}

// goldens reads what testdata/goldens.py wrote.
func goldens(t *testing.T, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/goldens.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if d := math.Abs(got - want); !(d <= relative*math.Abs(want)) {
		t.Errorf("%s: got %.12g, want %.12g (%.2g relative)", what, got, want, d/math.Abs(want))
	}
}

// nearMatrix compares with a tolerance relative to the larger of 1 and the largest element.
func nearMatrix(t *testing.T, what string, got heads.Matrix, want wide, tolerance float64) {
	t.Helper()
	if got.Rows != want.Rows || got.Cols != want.Cols {
		t.Fatalf("%s: got %d×%d, want %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	worst, at, scale := 0.0, 0, 1.0
	for i, v := range got.Data {
		scale = max(scale, math.Abs(want.Data[i]))
		if d := math.Abs(float64(v) - want.Data[i]); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance*scale) {
		t.Errorf("%s: row %d column %d: got %g, want %g", what, at/got.Cols, at%got.Cols, got.Data[at], want.Data[at])
	}
}
