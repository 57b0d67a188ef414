package metrics

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// draws returns n rows of k classes whose logits are right about three times in four.
func draws(n, k int) ([]int, heads.Matrix) {
	r := rand.New(rand.NewPCG(3, 4))
	truth, z := make([]int, n), heads.NewMatrix(n, k)
	for i := range truth {
		truth[i] = r.IntN(k)
		for j := range k {
			z.Row(i)[j] = float32(r.NormFloat64())
		}
		z.Row(i)[truth[i]] += 1.5
	}
	return truth, z
}

func TestIntervalsAreTheSameOnAnyNumberOfCores(t *testing.T) {
	truth, z := draws(150, 3)
	var last Report
	for _, procs := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(procs)
		r, err := Settings{Resamples: 50, Seed: 9}.Classification(names(3), truth, z)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if last.Intervals != nil {
			for name, iv := range r.Intervals {
				if iv != last.Intervals[name] {
					t.Errorf("%s: %v on %d cores, %v before", name, iv, procs, last.Intervals[name])
				}
			}
		}
		last = r
	}
	other, err := Settings{Resamples: 50, Seed: 10}.Classification(names(3), truth, z)
	if err != nil {
		t.Fatal(err)
	}
	if other.Intervals["eval_log_loss"] == last.Intervals["eval_log_loss"] {
		t.Error("another seed gave the same interval")
	}
}

// The interval of a mean is known: about ±1.96 standard errors.
func TestIntervalOfAccuracyHasTheWidthOfABinomial(t *testing.T) {
	truth, z := draws(800, 4)
	r, err := Classification(names(4), truth, z)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Metrics["eval_accuracy"]
	want := 2 * 1.96 * math.Sqrt(p*(1-p)/800)
	iv := r.Intervals["eval_accuracy"]
	if got := iv.High - iv.Low; math.Abs(got/want-1) > 0.15 || iv.Low > p || iv.High < p {
		t.Errorf("accuracy %v has interval %+v of width %v, want about %v", p, iv, got, want)
	}
	for name := range r.Metrics {
		if _, ok := r.Intervals[name]; !ok {
			t.Errorf("%s has no interval", name)
		}
	}
}

func TestMetricsThatAreNotDefinedAreAbsent(t *testing.T) {
	truth, z := draws(20, 2)
	for i := range truth {
		truth[i] = 0
	}
	r, err := Classification(names(2), truth, z)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"eval_roc_auc", "eval_average_precision"} {
		if v, ok := r.Metrics[name]; ok {
			t.Errorf("%s is %v though all rows are of one class", name, v)
		}
	}
	for name, v := range r.Metrics {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s is %v", name, v)
		}
	}
}

func TestUnevenClassesAreWarnedOf(t *testing.T) {
	truth, z := draws(100, 2)
	for i := range truth {
		truth[i] = min(1, i%20) // 5 zeros, 95 ones
	}
	r, err := Classification([]string{"rare", "common"}, truth, z)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.Warnings, "\n")
	if !strings.Contains(all, `"common" has 95 rows`) || !strings.Contains(all, "fewer than 10 rows") {
		t.Errorf("warnings: %q", r.Warnings)
	}
	truth, z = draws(100, 2)
	if r, err = Classification(names(2), truth, z); err != nil || len(r.Warnings) > 0 {
		t.Errorf("even classes: %v, %q", err, r.Warnings)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	truth, z := draws(5, 3)
	nan := z.Subset([]int{0, 1, 2, 3, 4})
	nan.Row(3)[1] = float32(math.NaN())
	values := heads.Matrix{Rows: 5, Cols: 1, Data: make([]float32, 5)}
	cases := map[string]struct {
		run  func() (Report, error)
		want string
	}{
		"no rows":        {func() (Report, error) { return Classification(names(3), nil, heads.Matrix{Cols: 3}) }, "no rows"},
		"rows differ":    {func() (Report, error) { return Classification(names(3), truth[:4], z) }, "5×3, want 4×3"},
		"labels differ":  {func() (Report, error) { return Classification(names(2), truth, z) }, "5×3, want 5×2"},
		"class range":    {func() (Report, error) { return Classification(names(3), []int{0, 1, 2, 3, 0}, z) }, "row 3: its class is 3"},
		"nan":            {func() (Report, error) { return Classification(names(3), truth, nan) }, "row 3 column 1"},
		"label value":    {func() (Report, error) { return MultiLabel(names(3), z, z) }, "want 0 or 1"},
		"multi rows":     {func() (Report, error) { return MultiLabel(names(3), heads.NewMatrix(4, 3), z) }, "5×3, want 4×3"},
		"regression":     {func() (Report, error) { return Regression(values, z) }, "5×3, want 5×1"},
		"tag":            {func() (Report, error) { return Entities([][]string{{"O", "X-a"}}, [][]string{{"O", "O"}}) }, `row 0: heads: token 1: tag "X-a"`},
		"tags differ":    {func() (Report, error) { return Entities([][]string{{"O"}}, [][]string{{"O", "O"}}) }, "2 tags predicted for 1 tokens"},
		"entities empty": {func() (Report, error) { return Entities(nil, nil) }, "no rows"},
	}
	for name, c := range cases {
		_, err := c.run()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
		var rows *RowsError
		if name != "tag" && name != "tags differ" && !errors.As(err, &rows) {
			t.Errorf("%s: %v is not a RowsError", name, err)
		}
	}
}
