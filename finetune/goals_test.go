package finetune

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
)

// A text is computed once, whatever pairs it is in and on whichever side, with a cache and without.
func TestPairsComputeATextOnce(t *testing.T) {
	texts := sentences(12)
	var examples []dataset.Example[string]
	for i := range 40 {
		examples = append(examples, dataset.Example[string]{ID: "x", Input: texts[i%12], Second: texts[(i*5+3)%12]})
	}
	for _, cache := range []*Cache{nil, {Dir: t.TempDir()}} {
		rt := &fakeRuntime{cols: 4}
		x, stats, err := pairs[string]{}.features(context.Background(), rt, fakeBackbone("b", 4), examples, ExtractSettings{Cache: cache})
		if err != nil {
			t.Fatal(err)
		}
		if stats.Computed != 12 || x.Rows != 40 || x.Cols != 16 {
			t.Errorf("%+v, %d×%d", stats, x.Rows, x.Cols)
		}
		alone, _ := extract(t, &fakeRuntime{cols: 4}, fakeBackbone("b", 4), texts, ExtractSettings{})
		u, v := alone.Row(7), alone.Row((7*5+3)%12)
		for j := range 4 {
			want := []float32{u[j], v[j], float32(math.Abs(float64(u[j] - v[j]))), u[j] * v[j]}
			got := []float32{x.Row(7)[j], x.Row(7)[4+j], x.Row(7)[8+j], x.Row(7)[12+j]}
			if !slices.Equal(got, want) {
				t.Errorf("pair 7, feature %d: %v, want %v", j, got, want)
			}
		}
	}
}

// Only pairs whose texts agree in length, first with first and second with second, share a batch.
func TestPairsOfABatchAgreeInLength(t *testing.T) {
	p := pairFeeds[string]{fakeWords{}}
	var xs []twoInputs[string]
	var sizes, all []int
	for a := 1; a <= 4; a++ {
		for b := 1; b <= 4; b++ {
			for range 5 {
				x := twoInputs[string]{strings.Repeat("w ", a), strings.Repeat("w ", b)}
				xs, sizes, all = append(xs, x), append(sizes, p.Size(x)), append(all, len(all))
			}
		}
	}
	biggest := 0
	for _, batch := range planBatches(all, sizes, 8, 12*sizeUnit) {
		first := xs[batch[0]]
		cost := len(batch) * (len(first.first) + len(first.second)) / 2
		if len(batch) > 1 && cost > 12 {
			t.Errorf("a batch of %d tokens, at most 12 were asked for", cost)
		}
		biggest = max(biggest, len(batch))
		for _, i := range batch {
			if xs[i] != first {
				t.Errorf("%q with %q", xs[i], first)
			}
		}
	}
	if biggest < 5 {
		t.Errorf("no batch has more than %d pairs", biggest)
	}
}

// A word without a row counts as outside, in judging and in telling.
func TestWordsWithoutARow(t *testing.T) {
	labels := []string{"O", "B-per", "I-per"}
	example := truth{id: "x:1", words: []dataset.Word{{Start: 0, End: 3, Tag: "B-per"}, {Start: 4, End: 7, Tag: "I-per"}, {Start: 8, End: 11, Tag: "B-per"}}}
	rows := []place{{0, 0, 1, [2]int{0, 3}}, {0, 1, 2, [2]int{4, 7}}, {2, 0, 1, [2]int{0, 3}}}
	logits := heads.Matrix{Rows: 3, Cols: 3, Data: []float32{0, 5, 0, 0, 0, 5, 0, 5, 0}}
	none := truth{id: "x:2", words: []dataset.Word{{Start: 0, End: 1, Tag: "O"}}}
	last := truth{id: "x:3", words: []dataset.Word{{Start: 0, End: 3, Tag: "B-per"}}}
	r, err := tags{}.report([]truth{example, none, last}, labels, rows, logits)
	if err != nil {
		t.Fatal(err)
	}
	if r.Metrics["eval_precision"] != 1 || math.Abs(r.Metrics["eval_recall"]-2.0/3) > 1e-12 || math.Abs(r.Metrics["eval_accuracy"]-4.0/5) > 1e-12 {
		t.Errorf("%v, want two of three entities, and four of five tags", r.Metrics)
	}
	p := Prediction{Input: "Änn Lee Bob"}
	rows[0].bytes, rows[1].bytes = [2]int{0, 4}, [2]int{5, 8}
	if err := (tags{}).tell(&p, labels, rows[:2], part(logits, span{0, 2})); err != nil {
		t.Fatal(err)
	}
	if len(p.Entities) != 1 || p.Entities[0].Text != "Änn Lee" || p.Entities[0].Start != 0 || p.Entities[0].End != 7 || p.Entities[0].Type != "per" {
		t.Errorf("%+v", p.Entities)
	}
	if _, err := (tags{}).targets([]truth{{id: "x:9", words: []dataset.Word{{Tag: "B-lake"}}}}, labels, []place{{}}); err == nil || !strings.Contains(err.Error(), "x:9") {
		t.Errorf("an unknown tag: %v", err)
	}
}

func TestAnswersAlike(t *testing.T) {
	for name, c := range map[string]struct {
		goal goal
		a, b []float32
		want bool
	}{
		"the same class":    {classes{}, []float32{1, 2}, []float32{1, 2.1}, true},
		"another class":     {classes{}, []float32{2, 1}, []float32{1, 2}, false},
		"a tie":             {classes{}, []float32{1, 1.00001}, []float32{1.00001, 1}, true},
		"another label":     {labelSets{}, []float32{1, -1}, []float32{1, 1}, false},
		"a label at its 0":  {labelSets{}, []float32{1, -1e-5}, []float32{1, 1e-5}, true},
		"the same labels":   {labelSets{}, []float32{1, -1}, []float32{2, -3}, true},
		"numbers are alike": {values{}, []float32{1}, []float32{2}, true},
	} {
		if got := c.goal.alike(c.a, c.b, 1e-4); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
