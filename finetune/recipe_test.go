package finetune

import (
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/tune"
)

// TestRecipe: what goes by the classes is filled in, what was set stays.
func TestRecipe(t *testing.T) {
	type want struct {
		smoothing float64
		epochs    int // 0: as package tune has it
	}
	for _, c := range []struct {
		name          string
		target        dataset.Target
		classes, rows int
		set           tune.Settings
		want
	}{
		{"few classes", dataset.Classes, 2, 1000, tune.Settings{}, want{0.1, 0}},
		{"no smoothing asked for", dataset.Classes, 2, 1000, tune.Settings{Smoothing: -1}, want{0, 0}},
		{"other smoothing", dataset.Classes, 2, 1000, tune.Settings{Smoothing: 0.2}, want{0.2, 0}},
		{"many classes of few rows", dataset.Classes, 77, 1000, tune.Settings{}, want{0, 12}},
		{"epochs asked for", dataset.Classes, 77, 1000, tune.Settings{Epochs: 4}, want{0, 4}},
		{"many classes of many rows", dataset.Classes, 77, 10000, tune.Settings{}, want{0, 0}},
		{"numbers", dataset.Values, 0, 40, tune.Settings{}, want{0, 0}},
		{"label sets", dataset.Labels, 3, 40, tune.Settings{}, want{0, 0}},
	} {
		w := &workshop[string]{data: dataset.Split[string]{
			Target: c.target, Labels: make([]string, c.classes), Train: make([]dataset.Example[string], c.rows),
		}}
		if s := w.recipe(c.set); s.Smoothing != c.smoothing || s.Epochs != c.epochs {
			t.Errorf("%s: smoothing %g, %d epochs, want %+v", c.name, s.Smoothing, s.Epochs, c.want)
		}
	}
}
