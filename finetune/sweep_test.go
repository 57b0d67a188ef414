package finetune_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/models/demo"
	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
	"github.com/onnx-graft/graft/vision"
)

// countingRuntime counts sessions.
type countingRuntime struct {
	onnx.Runtime
	sessions atomic.Int64
}

func (r *countingRuntime) NewSession(m *onnx.Model) (onnx.Session, error) {
	r.sessions.Add(1)
	return r.Runtime.NewSession(m)
}

func TestSweepOverTheLayersOfAText(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	if err := demo.WriteTexts(dir); err != nil {
		t.Fatal(err)
	}
	data := must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{}))
	opened := miniText(t)
	layers := must[[]autodiff.Layer](t)(autodiff.Layers(opened.Model, opened.Model.Graph.Outputs[0].Name))
	cache := &finetune.Cache{Dir: t.TempDir()}
	var first []finetune.SweepPoint
	for round := range 2 {
		rt := &countingRuntime{Runtime: runtimes(t)}
		b := textBackbone(t, miniText(t))
		b.Options = opened.Options
		s := finetune.Settings{Out: filepath.Join(t.TempDir(), "out"), Sweep: &finetune.SweepSettings{}}
		s.Extract.Cache = cache
		r, err := finetune.Run(ctx, rt, nil, b, data, s)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v, features from %s, %d sessions, %v", r.Sweep, r.Feature, rt.sessions.Load(), r.Timings)
		// Two sessions in the first run for features, of all layers and of the one chosen; one in each to prove the model.
		if want := []int64{3, 1}[round]; rt.sessions.Load() != want {
			t.Errorf("round %d: %d sessions, want %d", round, rt.sessions.Load(), want)
		}
		if len(r.Sweep) != len(layers) || r.Sweep[len(r.Sweep)-1].Feature != opened.Feature.Tensor {
			t.Fatalf("%d points for %d layers", len(r.Sweep), len(layers))
		}
		for i, p := range r.Sweep[:len(layers)-1] {
			if p.Feature != layers[i].Output || p.Dim != 192 || !(p.Score > 0.3 && p.Score <= 1) || !(p.SE > 0) {
				t.Errorf("point %d: %+v", i, p)
			}
		}
		at := slices.IndexFunc(r.Sweep, func(p finetune.SweepPoint) bool { return p.Chosen })
		if at < 0 || r.Sweep[at].Feature != r.Feature || r.Record.Backbone.Feature != r.Feature {
			t.Errorf("chosen %d, features from %s", at, r.Feature)
		}
		if first == nil {
			first = r.Sweep
		}
		if !slices.Equal(first, r.Sweep) {
			t.Errorf("run again: %+v", r.Sweep)
		}
	}
}

// One pass over all cuts gives each the features it gives alone.
func TestSweepInOnePassIsEachCutAlone(t *testing.T) {
	rt, ctx := runtimes(t), context.Background()
	image := must[*vision.Backbone](t)(vision.OpenFS(embedded.Image(), vision.Settings{}))
	dir := t.TempDir()
	if err := demo.DrawPictures(dir, 1); err != nil {
		t.Fatal(err)
	}
	pictures := dataset.Inputs(dataset.Map(must[dataset.Split[string]](t)(dataset.Read(ctx, dir, dataset.Settings{})), picture).Test)[:5]
	b := imageBackbone(t, image)
	b.Options = image.Options
	compareCuts(t, ctx, rt, b, pictures, 4)
	mini := miniText(t)
	words := textBackbone(t, mini)
	words.Options = mini.Options
	compareCuts(t, ctx, rt, words, []string{"one", "two three four", "and a longer text that has a few more words in it"}, 5)
}

func compareCuts[T any](t *testing.T, ctx context.Context, rt onnx.Runtime, b *finetune.Backbone[T], xs []T, atLeast int) {
	t.Helper()
	cuts, joined, widths := finetune.CutsForTest(t, b)
	if len(cuts) < atLeast {
		t.Fatalf("%d cuts", len(cuts))
	}
	whole, _, err := finetune.Extract(ctx, rt, joined, xs, finetune.ExtractSettings{})
	if err != nil {
		t.Fatal(err)
	}
	from := 0
	for i, c := range cuts {
		alone, _, err := finetune.Extract(ctx, rt, c, xs, finetune.ExtractSettings{})
		if err != nil || alone.Cols != widths[i] {
			t.Fatalf("%s: %d columns, want %d; %v", c.Feature, alone.Cols, widths[i], err)
		}
		for k := range xs {
			for j, want := range alone.Row(k) {
				if got := whole.Row(k)[from+j]; math.Abs(float64(got-want)) > 1e-5*max(1, math.Abs(float64(want))) {
					t.Fatalf("%s, row %d, column %d: %g in one pass, %g alone", c.Feature, k, j, got, want)
				}
			}
		}
		from += widths[i]
	}
}
