package finetune

import (
	"context"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxgo"
)

// wordedToy is a toy whose words can be told without its model.
type wordedToy struct{ toyWords }

func (wordedToy) Terms(x string) []string { return strings.Fields(x) }

// colouredToy tells shares: of each letter.
type colouredToy struct{ toyWords }

func (colouredToy) Colours(x string) ([]float32, error) {
	shares := make([]float32, 128)
	for _, c := range []byte(x) {
		shares[c%128] += 1 / float32(len(x))
	}
	return shares, nil
}

// runWith runs the toy with another preprocessor.
func runWith(t *testing.T, p Preprocessor[string], data dataset.Split[string], s Settings) *Result {
	t.Helper()
	b := toyBackbone(t)
	b.Preprocessor, b.Reopen = p, func(string, *onnx.Model) (Preprocessor[string], error) { return p, nil }
	s.Out = filepath.Join(t.TempDir(), "out")
	r, err := Run(context.Background(), &onnxgo.Runtime{}, nil, b, data, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func toyPreprocessor(t *testing.T) toyWords { return toyBackbone(t).Preprocessor.(toyWords) }

func TestBaselinesStandBesideTheResult(t *testing.T) {
	plain := toyPreprocessor(t)
	cache := &Cache{Dir: t.TempDir()}
	for name, p := range map[string]Preprocessor[string]{"bag of words": wordedToy{plain}, "colour histogram": colouredToy{plain}} {
		s := Settings{Extract: ExtractSettings{Cache: cache}}
		r := runWith(t, p, toyData(300), s)
		if len(r.Baselines) != 2 || r.Baselines[0].Name != "majority class" || r.Baselines[1].Name != name {
			t.Fatalf("%s: baselines %+v", name, r.Baselines)
		}
		if a := r.Baselines[0].Metrics["eval_accuracy"]; a != 20.0/60 {
			t.Errorf("always answering one of three even classes is right for %v", a)
		}
		if l := r.Baselines[0].Metrics["eval_log_loss"]; math.Abs(l-math.Log(3)) > 1e-3 {
			t.Errorf("the shares of three even classes have log loss %v", l)
		}
		if a := r.Baselines[1].Metrics["eval_accuracy"]; a < 0.75 || r.Baselines[1].Rows != 60 {
			t.Errorf("%s: %+v", name, r.Baselines[1])
		}
		if !reflect.DeepEqual(r.Record.Baselines, r.Baselines) {
			t.Errorf("%s: the record has %+v", name, r.Record.Baselines)
		}
		procs := runtime.GOMAXPROCS(1)
		again := runWith(t, p, toyData(300), s)
		runtime.GOMAXPROCS(procs)
		if !reflect.DeepEqual(again.Baselines, r.Baselines) {
			t.Errorf("%s: on one core, from the cache, it is %+v", name, again.Baselines[1])
		}
	}
}

func TestABackboneThatAddsNothingIsWarnedOf(t *testing.T) {
	p := toyPreprocessor(t)
	p.cols = 97
	data := toyData(300)
	for i := range data.Train { // what the backbone hears is one word alike for all
		data.Train[i].Input = "same " + data.Train[i].Input
	}
	r := runWith(t, deaf{wordedToy{p}}, data, Settings{})
	all := strings.Join(r.Warnings, "\n")
	if !strings.Contains(all, "the backbone adds nothing: bag of words") || !slices.Equal(r.Record.Warnings, r.Warnings) {
		t.Errorf("warnings %q", r.Warnings)
	}
	if r = runWith(t, p, toyData(300), Settings{}); len(r.Warnings) > 0 {
		t.Errorf("without reason: %q", r.Warnings)
	}
}

// deaf hears the number of characters only.
type deaf struct{ wordedToy }

func (d deaf) Feeds(batch []string) (onnx.Feeds, error) {
	short := make([]string, len(batch))
	for i, x := range batch {
		short[i] = strings.Repeat("a", len(x))
	}
	return d.wordedToy.Feeds(short)
}

func TestCaveats(t *testing.T) {
	data := toyData(90)
	data.Train = append(data.Train, data.Test[:7]...)
	r := runWith(t, toyPreprocessor(t), data, Settings{})
	if len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "7 training rows are also in the test split") {
		t.Errorf("warnings %q", r.Warnings)
	}
	data = toyData(300)
	few := 0
	data.Train = slices.DeleteFunc(data.Train, func(e dataset.Example[string]) bool {
		if e.Label == "metal" {
			few++
		}
		return e.Label == "metal" && few > 3
	})
	r = runWith(t, toyPreprocessor(t), data, Settings{})
	if !slices.ContainsFunc(r.Warnings, func(w string) bool {
		return strings.Contains(w, `1 of 3 classes have fewer than 5 rows to learn from: "metal" (3)`)
	}) {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestTermsOfPairs(t *testing.T) {
	e := dataset.Example[string]{Input: "a plane takes off", Second: "a plane lands"}
	got := termsOf[string](wordedToy{}, e, true)
	want := []string{"both a", "both plane", "one takes", "one off", "one lands", "tenth 0", "tenth 1", "tenth 2", "tenth 3"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
