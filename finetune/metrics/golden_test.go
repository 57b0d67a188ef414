package metrics

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
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

type line struct {
	Precision, Recall, F1 float64
	Support               int
	ROCAUC                *float64 `json:"roc_auc"`
	Average               *float64 `json:"average_precision"`
}

type golden struct {
	Name      string
	Metrics   map[string]float64
	Truth     json.RawMessage
	Predicted json.RawMessage
	Logits    wide
	Classes   json.RawMessage
	Confusion [][]int
}

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// goldens returns the cases of a kind in testdata/goldens.json, which testdata/goldens.py wrote.
func goldens(t *testing.T, kind string) []golden {
	t.Helper()
	data, err := os.ReadFile("testdata/goldens.json")
	if err != nil {
		t.Fatal(err)
	}
	cases := decode[map[string][]golden](t, data)[kind]
	if len(cases) == 0 {
		t.Fatalf("no goldens of kind %q", kind)
	}
	return cases
}

const tolerance = 1e-6

func compareMetrics(t *testing.T, got Report, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		g, ok := got.Metrics[name]
		if !ok || math.Abs(g-v) > tolerance {
			t.Errorf("%s: got %v (present: %v), want %v", name, g, ok, v)
		}
	}
}

func compareClass(t *testing.T, got Class, want line) {
	t.Helper()
	same := func(a, b *float64) bool {
		return a == nil && b == nil || a != nil && b != nil && math.Abs(*a-*b) <= tolerance
	}
	if math.Abs(got.Precision-want.Precision) > tolerance || math.Abs(got.Recall-want.Recall) > tolerance ||
		math.Abs(got.F1-want.F1) > tolerance || got.Support != want.Support ||
		!same(got.ROCAUC, want.ROCAUC) || !same(got.Average, want.Average) {
		t.Errorf("class %s: got %+v, want %+v", got.Label, got, want)
	}
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "class " + strconv.Itoa(i)
	}
	return out
}

var quick = Settings{Resamples: -1}

func TestClassificationAgreesWithScikitLearn(t *testing.T) {
	for _, g := range goldens(t, "classification") {
		t.Run(g.Name, func(t *testing.T) {
			truth := decode[[]int](t, g.Truth)
			r, err := quick.Classification(names(g.Logits.Cols), truth, g.Logits.matrix())
			if err != nil {
				t.Fatal(err)
			}
			compareMetrics(t, r, g.Metrics)
			if len(r.Metrics) != len(g.Metrics) {
				t.Errorf("%d metrics, %d checked", len(r.Metrics), len(g.Metrics))
			}
			for j, want := range decode[[]line](t, g.Classes) {
				compareClass(t, r.Classes[j], want)
			}
			for i, row := range g.Confusion {
				for j, n := range row {
					if r.Confusion[i][j] != n {
						t.Errorf("confusion %d→%d: got %d, want %d", i, j, r.Confusion[i][j], n)
					}
				}
			}
		})
	}
}

func TestMultiLabelAgreesWithScikitLearn(t *testing.T) {
	for _, g := range goldens(t, "multilabel") {
		t.Run(g.Name, func(t *testing.T) {
			r, err := quick.MultiLabel(names(g.Logits.Cols), decode[wide](t, g.Truth).matrix(), g.Logits.matrix())
			if err != nil {
				t.Fatal(err)
			}
			compareMetrics(t, r, g.Metrics)
			if len(r.Metrics) != len(g.Metrics) {
				t.Errorf("%d metrics, %d checked", len(r.Metrics), len(g.Metrics))
			}
			for j, want := range decode[[]line](t, g.Classes) {
				compareClass(t, r.Classes[j], want)
			}
		})
	}
}

func TestRegressionAgreesWithScikitLearn(t *testing.T) {
	for _, g := range goldens(t, "regression") {
		t.Run(g.Name, func(t *testing.T) {
			r, err := quick.Regression(decode[wide](t, g.Truth).matrix(), decode[wide](t, g.Predicted).matrix())
			if err != nil {
				t.Fatal(err)
			}
			compareMetrics(t, r, g.Metrics)
		})
	}
}

func TestEntitiesAgreeWithSeqeval(t *testing.T) {
	for _, g := range goldens(t, "entities") {
		t.Run(g.Name, func(t *testing.T) {
			r, err := quick.Entities(decode[[][]string](t, g.Truth), decode[[][]string](t, g.Predicted))
			if err != nil {
				t.Fatal(err)
			}
			compareMetrics(t, r, g.Metrics)
			want := decode[map[string]line](t, g.Classes)
			if len(want) != len(r.Classes) {
				t.Errorf("%d types, want %d", len(r.Classes), len(want))
			}
			for _, c := range r.Classes {
				compareClass(t, c, want[c.Label])
			}
		})
	}
}
