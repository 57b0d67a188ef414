package finetune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// SweepSettings ask [Run] to choose the tensor that features come from: the end of which of the backbone's layers.
type SweepSettings struct {
	Rows int // training rows the layers are tried on at most, drawn by ProbeSettings.Seed; 0: 2000
}

// A SweepPoint is how well a probe does on the features of one layer.
type SweepPoint struct {
	Feature string  `json:"feature"` // the tensor
	Dim     int64   `json:"dim"`
	Score   float64 `json:"score"` // on rows the probe was not fitted on: accuracy, or minus the loss where rows have no class
	SE      float64 `json:"se"`    // standard error of Score
	Chosen  bool    `json:"chosen,omitempty"`
}

const (
	sweepRows   = 2000
	sweepCuts   = 12   // layers that are tried, the last ones
	sweepWindow = 1024 // rows that are computed before they are kept
)

// sweep exchanges the backbone for one cut where a probe does best. The cut the backbone came with stays unless another
// does better by more than a standard error; among those, the deepest within one standard error of the best is taken. Test
// rows take no part.
func (w *workshop[T]) sweep(ctx context.Context) error {
	s := w.settings.Sweep
	if s == nil {
		return nil
	}
	if _, ok := w.form.(single[T]); !ok {
		return errors.New("finetune: sweep: layers are chosen for one row an example only, not for pairs or tagged words; name the feature")
	}
	cuts, err := cutsOf(w.backbone)
	if err != nil {
		return fmt.Errorf("finetune: sweep: %w", err)
	}
	limit := s.Rows
	if limit <= 0 {
		limit = sweepRows
	}
	train := examplesAt(w.data.Train, someOf(len(w.data.Train), limit, w.settings.Probe.Seed))
	y, err := w.goal.targets(truths(train), w.data.Labels, nil)
	if err != nil {
		return err
	}
	validY, err := w.goal.targets(truths(w.data.Validation), w.data.Labels, nil)
	if err != nil {
		return err
	}
	x, err := w.cutFeatures(ctx, cuts, slices.Concat(train, w.data.Validation))
	if err != nil {
		return err
	}
	points := make([]SweepPoint, len(cuts))
	for i, c := range cuts {
		p := w.settings.Probe
		p.Head, p.C, p.Folds, p.Progress = "", 0, cmp.Or(p.Folds, 5), w.settings.Progress
		n, scored := len(train), len(train)
		if enoughToChoose(validY) {
			p.ValidationX, p.ValidationY, scored = part(x[i], span{n, x[i].Rows}), validY, len(w.data.Validation)
		}
		r, err := w.settings.Extract.Cache.probe(ctx, part(x[i], span{0, n}), y, p)
		if err != nil {
			return fmt.Errorf("finetune: sweep: %s: %w", c.Feature, err)
		}
		points[i] = sweepPoint(c.Feature, x[i].Cols, r, y, scored)
	}
	best := deepest(points)
	points[best].Chosen = true
	w.result.Sweep, w.result.Feature = points, cuts[best].Feature
	w.given, w.backbone = cuts[best], cuts[best]
	return nil
}

// sweepPoint is how the C that was chosen did on so many rows.
func sweepPoint(feature string, cols int, r ProbeResult, y heads.Targets, rows int) SweepPoint {
	p := SweepPoint{Feature: feature, Dim: int64(cols), Score: math.Inf(-1)}
	for _, at := range r.Path {
		if at.C != r.C {
			continue
		}
		p.Score, p.SE = -at.Mean, at.SE
		if y.Task() == heads.Classification {
			p.Score = at.Accuracy
			p.SE = math.Sqrt(at.Accuracy * (1 - at.Accuracy) / float64(max(rows, 1)))
		}
	}
	if len(r.Path) == 0 { // too few rows to choose by
		p.Score = 0
	}
	return p
}

// deepest returns the last point within one standard error of the best. The points are in the network's order, and the
// last is the backbone's own.
func deepest(points []SweepPoint) int {
	best := len(points) - 1
	for i, p := range points {
		if p.Score > points[best].Score {
			best = i
		}
	}
	for i := len(points) - 1; ; i-- {
		if points[i].Score >= points[best].Score-points[best].SE {
			return i
		}
	}
}

// cutsOf returns the backbone cut at the end of each of its layers, and last the backbone itself.
func cutsOf[T any](b *Backbone[T]) ([]*Backbone[T], error) {
	if len(b.Model.Graph.Outputs) != 1 {
		return nil, fmt.Errorf("backbone %s has %d outputs, want one", b.Name, len(b.Model.Graph.Outputs))
	}
	layers, err := autodiff.Layers(b.Model, b.Model.Graph.Outputs[0].Name)
	if err != nil {
		return nil, err
	}
	layers = layers[:max(len(layers)-1, 0)]
	layers = layers[max(0, len(layers)-sweepCuts):]
	var cuts []*Backbone[T]
	for _, layer := range layers {
		if m := cutAt(b.Model, layer.Output, b.Options); m != nil {
			c := *b
			c.Model, c.Feature = m, layer.Output
			cuts = append(cuts, &c)
		}
	}
	return append(cuts, b), nil
}

// cutAt returns a copy of a backbone's graph whose features are of another tensor; nil where they cannot be, or where the
// graph would no longer read all that it is fed.
func cutAt(m *onnx.Model, tensor string, o onnx.FeatureOptions) *onnx.Model {
	f, err := onnx.FeatureAt(m, tensor)
	if err != nil || tensor == m.Graph.Outputs[0].Name {
		return nil
	}
	if f.Rank != 3 {
		o.Mask = ""
	}
	o.Name = m.Graph.Outputs[0].Name
	cut := m.Clone()
	v, err := onnx.MakeBackbone(cut, f, o)
	if err != nil || len(v.Shape) != 2 && f.Dim == 0 || !slices.Equal(inputNames(cut), inputNames(m)) {
		return nil
	}
	return cut
}

// inputNames lists what a graph is fed, in alphabetical order.
func inputNames(m *onnx.Model) []string {
	var names []string
	for _, in := range m.Inputs() {
		names = append(names, in.Name)
	}
	slices.Sort(names)
	return names
}

// cutFeatures computes the features of examples at every cut in one pass, or reads those that are kept: each cut has its
// own rows in the cache.
func (w *workshop[T]) cutFeatures(ctx context.Context, cuts []*Backbone[T], of []dataset.Example[T]) ([]heads.Matrix, error) {
	s := w.settings.Extract.exact()
	s.Progress, s.Name = w.settings.Progress, func(i int) string { return of[i].ID }
	orQuiet(s.Progress).Start(Sweeping, len(of))
	all, widths, err := joinCuts(cuts)
	if err != nil {
		return nil, fmt.Errorf("finetune: sweep: %w", err)
	}
	x := make([]heads.Matrix, len(cuts))
	for i, width := range widths {
		x[i] = heads.NewMatrix(len(of), width)
	}
	stores, wants, err := w.openCuts(ctx, cuts, of, s, x)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, store := range stores {
			store.close()
		}
	}()
	missing := missingOf(wants, len(of))
	orQuiet(s.Progress).Add(len(of) - len(missing))
	s.Cache, s.shared = nil, &sharedSession{}
	defer s.shared.close()
	wide := *cuts[len(cuts)-1]
	wide.Model = all
	for window := range slices.Chunk(missing, sweepWindow) {
		s.Name = func(i int) string { return of[window[i]].ID }
		s.continued = true
		rows, _, err := Extract(ctx, w.rt, &wide, dataset.Inputs(examplesAt(of, window)), s)
		if err != nil {
			return nil, err
		}
		for k, at := range window {
			from := 0
			for i, width := range widths {
				row := rows.Row(k)[from : from+width]
				from += width
				copy(x[i].Row(at), row)
				if stores != nil && !wants[i].found[wants[i].firstOf[at]] {
					stores[i].add(wants[i].contents[at], row)
				}
			}
		}
	}
	return x, nil
}

// openCuts opens what the cache has of each cut and reads it; without a cache it returns nothing.
func (w *workshop[T]) openCuts(ctx context.Context, cuts []*Backbone[T], of []dataset.Example[T], s ExtractSettings, x []heads.Matrix) (stores []*rowStore, wants []*wanted, err error) {
	if s.Cache == nil {
		return nil, nil, nil
	}
	pre := cuts[0].Preprocessor
	contents, err := contentsOf(ctx, pre, dataset.Inputs(of), s.Name)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range cuts {
		digest, err := w.digest(c.Model)
		if err != nil {
			return stores, nil, err
		}
		store := s.Cache.open(cacheAbout{
			Model: c.Name + " at " + c.Feature, ModelDigest: digest, Output: c.Model.Graph.Outputs[0].Name, Preprocessing: pre.Fingerprint(),
			Runtime: s.RuntimeID + ", several cuts in one pass", Type: string(Float32),
		}, orQuiet(s.Progress).Warn)
		stores = append(stores, store)
		want := newWanted(contents)
		wants = append(wants, want)
		if store.cols() == x[i].Cols {
			if err := store.read(ctx, want, x[i]); err != nil {
				return stores, wants, err
			}
		}
	}
	return stores, wants, nil
}

// missingOf returns the rows that some cut lacks.
func missingOf(wants []*wanted, n int) []int {
	if wants == nil {
		return allIndices(n)
	}
	var rows []int
	for i := range n {
		if slices.ContainsFunc(wants, func(w *wanted) bool { return !w.found[w.firstOf[i]] }) {
			rows = append(rows, i)
		}
	}
	return rows
}
