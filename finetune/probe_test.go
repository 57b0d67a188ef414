package finetune

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/heads"
)

// blobs are points of k classes around centres, noise apart.
func blobs(n, d, k int, noise float64, seed uint64) (heads.Matrix, heads.Targets) {
	centres := rand.New(rand.NewPCG(99, 99))
	c := make([]float64, k*d)
	for i := range c {
		c[i] = centres.NormFloat64()
	}
	rng := rand.New(rand.NewPCG(seed, seed))
	x, y := heads.NewMatrix(n, d), heads.Targets{Class: make([]int, n), Classes: k}
	for i := range n {
		y.Class[i] = i % k
		for j := range d {
			x.Data[i*d+j] = float32(c[y.Class[i]*d+j] + noise*rng.NormFloat64())
		}
	}
	return x, y
}

func TestRowsAreDealtByClassAndSeed(t *testing.T) {
	_, y := blobs(103, 2, 4, 1, 1)
	parts := deal(y, nil, 5, 7)
	var all []int
	for _, rows := range parts {
		count := make([]int, 4)
		for _, i := range rows {
			count[y.Class[i]]++
		}
		if len(rows) < 20 || len(rows) > 21 || slices.Min(count) < 5 || slices.Max(count) > 6 {
			t.Errorf("a part of %d rows, %v a class", len(rows), count)
		}
		all = append(all, rows...)
	}
	slices.Sort(all)
	if !slices.Equal(all, allIndices(103)) {
		t.Error("parts do not hold every row once")
	}
	if !reflect.DeepEqual(parts, deal(y, nil, 5, 7)) || reflect.DeepEqual(parts, deal(y, nil, 5, 8)) {
		t.Error("parts do not follow the seed")
	}
	if n := len(deal(heads.Targets{Class: []int{0, 0, 1, 1}, Classes: 2}, nil, 5, 0)); n != 4 {
		t.Errorf("four rows make %d parts", n)
	}
}

func TestGroupsAreNeverOnBothSides(t *testing.T) {
	x, y := blobs(300, 4, 3, 1, 1)
	groups := make([]int, 300)
	for i := range groups {
		groups[i] = i / 7
	}
	s := ProbeSettings{Groups: groups, Folds: 4}
	folds, by, err := s.folds(x, y)
	if err != nil || len(folds) != 4 || by != ChosenByFolds {
		t.Fatal(len(folds), by, err)
	}
	held := 0
	for _, f := range folds {
		for i, u := range f.units {
			held++
			if i > 0 && u == f.units[i-1] {
				continue
			}
			for r := 0; r < f.x.Rows; r++ {
				for h := range f.heldX.Rows {
					if f.units[h] == u && slices.Equal(f.x.Row(r), x.Row(u*7)) {
						t.Fatalf("group %d is on both sides", u)
					}
				}
			}
		}
	}
	if held != 300 {
		t.Errorf("%d rows were held out, want all", held)
	}
	if _, err := Probe(context.Background(), x, y, ProbeSettings{Groups: groups[1:]}); err == nil {
		t.Error("a group is missing, and that was accepted")
	}
	// a view of one row is no more evidence than the row
	scores := []rowScore{{1, 0, 1, 0}, {3, 1, 1, 1}, {2, 1, 1, 2}}
	_, one := mean(scores, nil, lossOf)
	twice := append(slices.Clone(scores), scores...)
	if _, two := mean(twice, nil, lossOf); math.Abs(one-two) > 1e-12 {
		t.Errorf("standard error %g, with every row twice %g", one, two)
	}
	for i := range twice {
		twice[i].unit = i
	}
	if _, two := mean(twice, nil, lossOf); math.Abs(two-one/math.Sqrt2) > 1e-12 {
		t.Errorf("standard error of twice as many rows %g, want %g", two, one/math.Sqrt2)
	}
}

func TestManyRowsAreJudgedByTenths(t *testing.T) {
	for _, c := range []struct{ rows, folds, held int }{{1999, 5, 1999}, {2000, 5, 1000}, {3000, 4, 1200}, {10000, 1, 1000}, {30000, 1, 3000}} {
		x, y := blobs(c.rows, 2, 2, 3, 1)
		folds, _, err := ProbeSettings{}.folds(x, y)
		held := 0
		for _, f := range folds {
			held += f.heldX.Rows
			if f.x.Rows+f.heldX.Rows != c.rows {
				t.Errorf("%d rows: %d and %d", c.rows, f.x.Rows, f.heldX.Rows)
			}
		}
		if err != nil || len(folds) != c.folds || held != c.held {
			t.Errorf("%d rows: %d folds hold %d rows, want %d and %d (%v)", c.rows, len(folds), held, c.folds, c.held, err)
		}
	}
	x, y := blobs(250_000, 1, 2, 3, 1)
	groups := make([]int, y.Rows())
	for i := range groups {
		groups[i] = i / 2
	}
	for _, s := range []ProbeSettings{{}, {Groups: groups}} {
		total := 0
		for _, rows := range s.parts(x, y, 10) {
			total += len(rows)
		}
		if total < choosingRows*4/5 || total > choosingRows {
			t.Errorf("of 250,000 rows %d take part", total)
		}
	}
}

func TestSearchFindsTheValley(t *testing.T) {
	for lowest := -24; lowest <= 24; lowest++ {
		tried, err := search(func(c float64) (trial, error) {
			return trial{PathPoint: PathPoint{C: c, Mean: math.Abs(4*math.Log10(c) - float64(lowest))}}, nil
		})
		best := slices.MinFunc(tried, func(a, b trial) int { return cmp.Compare(a.Mean, b.Mean) })
		if err != nil || math.Abs(4*math.Log10(best.C)-float64(lowest)) > 1e-9 || len(tried) > 9+max(0, lowest+8)/2 {
			t.Errorf("lowest at %d: found C = %g among %d", lowest, best.C, len(tried))
		}
	}
}

func TestPickTakesTheSimplestThatIsAsGood(t *testing.T) {
	trials := func(rows ...[]float64) (all []trial) {
		for i, row := range rows {
			one := trial{PathPoint: PathPoint{C: float64(i + 1)}}
			for k, v := range row {
				one.scores = append(one.scores, rowScore{loss: v, weight: 1, unit: k})
			}
			all = append(all, one)
		}
		return all
	}
	for _, c := range []struct {
		name string
		rows [][]float64
		want float64
	}{
		{"the best is far better", [][]float64{{3, 3, 3, 3}, {1, 1.1, 1, 1.1}}, 2},
		{"the difference is chance", [][]float64{{3, 1, 3, 1.1}, {1, 3, 1, 3}}, 1},
		{"the same rows are a little worse, each", [][]float64{{1.11, 5.1, 3.1, 7.1}, {1, 5, 3, 7}}, 2},
		{"what is more complicated must be better", [][]float64{{1, 5, 3, 7}, {1, 5, 3, 7}}, 1},
		{"a thousandth is nothing", [][]float64{{1.0005, 5.0005}, {1, 5}}, 1},
	} {
		if got := pick(trials(c.rows...), slack, lossOf).C; got != c.want {
			t.Errorf("%s: picked %g, want %g", c.name, got, c.want)
		}
	}
}

// heldLoss is the log loss of a probe on rows it has not seen.
func heldLoss(t *testing.T, r ProbeResult, x heads.Matrix, y heads.Targets) float64 {
	t.Helper()
	report, err := Evaluate(r.Head, x, y.Class, make([]string, y.Classes))
	if err != nil {
		t.Fatal(err)
	}
	return report.Metrics["eval_log_loss"]
}

func TestProbeChoosesByHeldOutLoss(t *testing.T) {
	x, y := blobs(300, 40, 3, 4, 1)
	testX, testY := blobs(3000, 40, 3, 4, 2)
	chosen, err := Probe(context.Background(), x, y, ProbeSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if chosen.By != ChosenByFolds || chosen.Kind != heads.KindLogistic || len(chosen.Path) < 6 || chosen.Heads != nil || chosen.Loss != "log_loss" {
		t.Errorf("%+v", chosen)
	}
	for _, c := range []float64{1e-5, 100} {
		given, err := Probe(context.Background(), x, y, ProbeSettings{C: c})
		if err != nil || given.By != ChosenByCaller || given.Path != nil {
			t.Fatal(err, given)
		}
		if heldLoss(t, given, testX, testY) <= heldLoss(t, chosen, testX, testY) {
			t.Errorf("C = %g does better than the chosen %g", c, chosen.C)
		}
	}
	fewX, fewY := blobs(30, 40, 3, 4, 3)
	few, err := Probe(context.Background(), x, y, ProbeSettings{ValidationX: fewX, ValidationY: fewY})
	if err != nil || few.By != ChosenByFolds {
		t.Errorf("few validation rows: by %s, %v", few.By, err)
	}
	many, err := Probe(context.Background(), x, y, ProbeSettings{ValidationX: testX, ValidationY: testY})
	if err != nil || many.By != ChosenByValidation {
		t.Errorf("many validation rows: by %s, %v", many.By, err)
	}
	given, err := Probe(context.Background(), x, y, ProbeSettings{C: many.C})
	if err != nil {
		t.Fatal(err)
	}
	if d := heldLoss(t, given, testX, testY) - heldLoss(t, many, testX, testY); math.Abs(d) > 1e-4 {
		t.Errorf("validation rows were fitted on: %g", d)
	}
	grid, err := Probe(context.Background(), x, y, ProbeSettings{Grid: []float64{10, 1e-3, 1e-2, 10}})
	if err != nil || len(grid.Path) != 3 || grid.Path[0].C != 1e-3 {
		t.Errorf("%+v, %v", grid.Path, err)
	}
}

// The same rows and seed give the same head to the last bit, on one core and on several.
func TestProbeIsTheSameOnAnyCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	x, y := blobs(2300, 24, 3, 3, 1)
	var want []float32
	var path []PathPoint
	for _, cores := range []int{1, 2, 3} {
		runtime.GOMAXPROCS(cores)
		for _, kind := range []heads.Kind{"", AutoHead} {
			r, err := Probe(context.Background(), x, y, ProbeSettings{Head: kind, Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			z, err := r.Head.Predict(x)
			if err != nil {
				t.Fatal(err)
			}
			z.Data, r.Path = slices.Clone(z.Data), append(r.Path, r.Heads...)
			if cores == 1 {
				want, path = append(want, z.Data...), append(path, r.Path...)
				continue
			}
			at, of := 0, 0
			if kind == AutoHead {
				at, of = len(want)-len(z.Data), len(path)-len(r.Path)
			}
			if !slices.Equal(want[at:at+len(z.Data)], z.Data) || !slices.Equal(path[of:of+len(r.Path)], r.Path) {
				t.Errorf("%d cores, head %q: another head", cores, kind)
			}
		}
	}
}

func TestAutoHeadComparesThemAll(t *testing.T) {
	x, y := blobs(600, 6, 3, 1, 1)
	r, err := Probe(context.Background(), x, y, ProbeSettings{Head: AutoHead})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, p := range r.Heads {
		kinds = append(kinds, p.Head)
	}
	if !slices.Equal(kinds, []string{"centroid", "logistic", "ridge", "svm"}) || r.Kind == heads.KindSVM {
		t.Errorf("of %v it chose %s", kinds, r.Kind)
	}
	// of a class inside the other no line tells
	bigX, bigY := ring(2400)
	r, err = Probe(context.Background(), bigX, bigY, ProbeSettings{Head: AutoHead, Seed: 3, Hidden: []int{16}})
	if err != nil || r.Kind != heads.KindMLP || r.C != 0 {
		t.Errorf("of a ring it chose %s, %v", r.Kind, err)
	}
	r, err = Probe(context.Background(), x, y, ProbeSettings{Head: AutoHead, Smoothing: 0.1})
	if err != nil || r.Kind != heads.KindLogistic || r.Heads != nil {
		t.Errorf("with smoothing: %s, %v, %v", r.Kind, r.Heads, err)
	}
	for _, bad := range []ProbeSettings{{Head: "forest"}, {Head: heads.KindSVM, Smoothing: 0.2}, {Head: heads.KindKNN, C: 1}, {Head: AutoHead, Dropout: -1, Smoothing: 2}} {
		if _, err := Probe(context.Background(), x, y, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// ring is two classes, one around the other.
func ring(n int) (heads.Matrix, heads.Targets) {
	rng := rand.New(rand.NewPCG(4, 4))
	x, y := heads.NewMatrix(n, 2), heads.Targets{Class: make([]int, n), Classes: 2}
	for i := range n {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		x.Row(i)[0], x.Row(i)[1] = float32(a), float32(b)
		if a*a+b*b > 1.4 {
			y.Class[i] = 1
		}
	}
	return x, y
}

func TestProbeOfLabelsAndValues(t *testing.T) {
	x, y := blobs(400, 30, 3, 2, 1)
	labels, values := heads.NewMatrix(400, 4), heads.NewMatrix(400, 2)
	for i, k := range y.Class {
		labels.Row(i)[k], labels.Row(i)[3] = 1, 1
		values.Row(i)[0], values.Row(i)[1] = x.Row(i)[0]+float32(k), 100*x.Row(i)[1]
	}
	many, err := Probe(context.Background(), x, heads.Targets{Labels: labels}, ProbeSettings{})
	if err != nil || many.Kind != heads.KindMultiLabel || many.C <= 0 || many.Loss != "log_loss" {
		t.Errorf("%+v, %v", many, err)
	}
	ridge, err := Probe(context.Background(), x, heads.Targets{Values: values}, ProbeSettings{})
	if err != nil || ridge.Kind != heads.KindRidge || ridge.C <= 0 || ridge.Loss != "squared_error" || ridge.By != ChosenByLeaveOneOut || len(ridge.Path) != 9 {
		t.Errorf("%+v, %v", ridge, err)
	}
	folds, err := Probe(context.Background(), x, heads.Targets{Values: values}, ProbeSettings{Folds: 5})
	if err != nil || folds.By != ChosenByFolds || folds.C <= 0 {
		t.Errorf("by folds %+v, by leaving one out C %g, %v", folds, ridge.C, err)
	}
	for _, p := range append(ridge.Path, folds.Path...) {
		if p.Mean <= 0 || p.Mean > 1.5 || p.SE <= 0 {
			t.Errorf("%+v", p)
		}
	}
	if auto, err := Probe(context.Background(), x, heads.Targets{Values: values}, ProbeSettings{Head: AutoHead}); err != nil || auto.Kind != heads.KindRidge {
		t.Errorf("%+v, %v", auto, err)
	}
}

func TestProbeOfOneRowAClass(t *testing.T) {
	x := heads.Matrix{Rows: 3, Cols: 2, Data: []float32{1, 2, 10, 11, 30, 4}}
	y := heads.Targets{Class: []int{0, 1, 2}, Classes: 3}
	for _, kind := range []heads.Kind{"", AutoHead, heads.KindCentroid} {
		r, err := Probe(context.Background(), x, y, ProbeSettings{Head: kind})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: ChosenByCaller, false: ChosenByDefault}[kind == heads.KindCentroid]; r.By != want {
			t.Errorf("%s: by %s", kind, r.By)
		}
	}
}

func TestProbeOfTheSmallestData(t *testing.T) {
	x := heads.Matrix{Rows: 4, Cols: 1, Data: []float32{1, 2, 10, 11}}
	y := heads.Targets{Class: []int{0, 0, 1, 1}, Classes: 2}
	r, err := Probe(context.Background(), x, y, ProbeSettings{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Evaluate(r.Head, x, y.Class, []string{"a", "b"})
	if err != nil || report.Metrics["eval_accuracy"] != 1 {
		t.Errorf("%v %v", report.Metrics, err)
	}
	if _, err := Probe(context.Background(), x, y, ProbeSettings{Folds: 1}); err == nil {
		t.Error("one fold was accepted")
	}
	if _, err := Probe(context.Background(), x, heads.Targets{Class: []int{0, 0, 0, 0}, Classes: 2}, ProbeSettings{}); err == nil {
		t.Error("one class was accepted")
	}
}
