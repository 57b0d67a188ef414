package finetune

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/report"
	"github.com/onnx-graft/graft/heads"
)

// ReportSettings say what of a run is written for people to look at. The zero value writes report.html and the folder
// report beside the model.
type ReportSettings struct {
	Off     bool   // nothing is written
	Command string // what was typed, if anything was; told in the report alone
}

// A Thumbnailer is a [Preprocessor] whose inputs people can look at.
type Thumbnailer[T any] interface {
	Thumbnail(x T, side int) ([]byte, error) // a JPEG or PNG, at most side pixels wide and high
}

// What a report shows of rows.
const (
	shownMistakes  = 12
	shownSentences = 9
	shownLetters   = 500
	thumbnailSide  = 176
)

// writeReport writes the report into the folder that is about to be committed. A report that cannot be written is told, and
// leaves nothing behind; the model is worth having without.
func (w *workshop[T]) writeReport(dir string, verified VerifyResult) error {
	if w.settings.Report.Off {
		return nil
	}
	w.settings.Progress.Start(Reporting, 0)
	err := report.Write(dir, w.reportData(verified))
	if err == nil {
		w.result.Report = filepath.Join(w.settings.Out, report.PageFile)
		return nil
	}
	w.settings.Progress.Warn(fmt.Sprintf("no report was written: %v", err))
	for _, name := range []string{report.PageFile, report.FolderName} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("finetune: report: %w", err)
		}
	}
	return nil
}

// reportData gathers all that the report shows.
func (w *workshop[T]) reportData(verified VerifyResult) *report.Data {
	r, judged := w.result, w.result.Card.Report
	d := &report.Data{
		Title: r.Card.title(r.Record), Lead: w.lead(), Task: string(r.Task),
		Rows:    report.Rows{Train: r.Rows.Train, Validation: r.Rows.Validation, Test: r.Rows.Test},
		Metrics: shownMetrics(judged), Warnings: inWords(r.Warnings), Labels: judged.Labels, Confusion: judged.Confusion,
		Path: w.path(), Heads: w.compared(),
	}
	for _, p := range r.Sweep {
		d.Sweep = append(d.Sweep, report.SweepPoint{Layer: p.Feature, Dim: int(p.Dim), Score: p.Score, SE: p.SE, Chosen: p.Chosen})
	}
	d.Learning = learningCurve(r.Learning)
	for _, b := range r.Baselines {
		d.Baselines = append(d.Baselines, report.Baseline{Name: b.Name, Metrics: b.Metrics})
	}
	for _, c := range judged.Classes {
		d.PerClass = append(d.PerClass, report.Class{Label: c.Label, Precision: c.Precision, Recall: c.Recall, F1: c.F1, Rows: c.Support, ROCAUC: c.ROCAUC})
	}
	if r.Tuned != nil {
		for _, e := range r.Tuned.History {
			d.Training = append(d.Training, report.Epoch{Number: e.Number, Loss: e.Loss, Score: e.Score, Kept: e.Number == r.Tuned.Best})
		}
	}
	switch w.data.Target {
	case dataset.Classes:
		d.Classes = len(d.Labels)
		w.reportClasses(d)
	case dataset.Labels:
		w.reportLabels(d)
	case dataset.Values:
		w.reportValues(d)
	case dataset.Tags:
		w.reportTags(d)
	}
	d.Timings, d.Run = w.timings(), w.whatWasRun(verified)
	return d
}

// lead says in a sentence what was made.
func (w *workshop[T]) lead() string {
	r := w.result
	what := map[dataset.Target]string{
		dataset.Classes: "classifier", dataset.Labels: "classifier with any number of labels a row",
		dataset.Values: "model of numbers", dataset.Tags: "tagger of words",
	}[w.data.Target]
	subject := map[dataset.Kind]string{dataset.Images: "picture"}[w.data.Kind]
	if subject == "" {
		subject = "text"
	}
	if w.data.Pairs {
		subject += "-pair"
	}
	how := "the frozen backbone " + r.Backbone
	if r.Tuned != nil {
		how = "the backbone " + r.Backbone + ", fine-tuned"
	}
	return fmt.Sprintf("A %s %s: %s and a head of the kind %s, joined in one ONNX file that was proved to answer as the model judged here.", subject, what, how, r.Head)
}

// lossNames are losses as people read them.
var lossNames = map[string]string{"log_loss": "log loss (less is better)", "squared_error": "squared error (less is better)"}

// path is the curve of C, for each head that has one.
func (w *workshop[T]) path() []report.Path {
	var out []report.Path
	for _, q := range w.probed.Path {
		if q.C == 0 {
			continue
		}
		at := slices.IndexFunc(out, func(p report.Path) bool { return p.Head == q.Head })
		if at < 0 {
			at = len(out)
			p := report.Path{Head: q.Head, Score: cmp.Or(lossNames[w.probed.Loss], w.probed.Loss)}
			if q.Head == string(w.probed.Kind) {
				c := w.probed.C
				p.Chosen = &c
			}
			out = append(out, p)
		}
		out[at].Points = append(out[at].Points, report.PathPoint{C: q.C, Mean: short(q.Mean), SE: short(q.SE)})
	}
	for _, p := range out {
		slices.SortFunc(p.Points, func(a, b report.PathPoint) int { return cmp.Compare(a.C, b.C) })
	}
	return out
}

// compared are the heads that were chosen among.
func (w *workshop[T]) compared() []report.Candidate {
	var out []report.Candidate
	for _, q := range w.probed.Heads {
		c := report.Candidate{Name: q.Head, Loss: short(q.Mean), SE: short(q.SE), Accuracy: short(q.Accuracy), Chosen: q.Head == string(w.probed.Kind)}
		out = append(out, c)
	}
	return out
}

// trendPoints is how many points a learning curve's trend is drawn through.
const trendPoints = 40

// learningCurve is a learning curve with its trend, which goes on to twice the rows.
func learningCurve(c *LearningCurve) *report.Learning {
	if c == nil || len(c.Points) < 2 {
		return nil
	}
	out := &report.Learning{Score: c.Metric, Advice: inWords([]string{c.Advice})[0]}
	if at := slices.IndexFunc(headlines, func(m report.Metric) bool { return m.Key == c.Metric }); at >= 0 {
		out.Score, out.Percent = headlines[at].Name, headlines[at].Percent
	}
	for _, p := range c.Points {
		out.Points = append(out.Points, report.LearningPoint{Rows: p.Rows, Mean: short(p.Mean), SE: short(p.SE)})
	}
	first, last := float64(c.Points[0].Rows), 2*float64(c.Points[len(c.Points)-1].Rows)
	if c.Factor > 0 {
		for i := range trendPoints {
			rows := first * math.Pow(last/first, float64(i)/(trendPoints-1))
			out.Trend = append(out.Trend, report.XY{X: short(rows), Y: short(1 - c.Factor*math.Pow(rows, -c.Exponent))})
		}
	}
	return out
}

// projection draws rows of the held-out features in the plane. keep tells which rows, and describes each.
func projection(x heads.Matrix, keep func(row int) (report.Place, bool)) *report.Projection {
	var rows []int
	var places []report.Place
	for i := range x.Rows {
		if place, ok := keep(i); ok {
			rows, places = append(rows, i), append(places, place)
		}
	}
	if len(rows) < 3 || x.Cols < 2 {
		return nil
	}
	shown := everySo(len(rows), projectedRows)
	var drawn heads.Matrix
	if len(rows) == x.Rows {
		drawn = x
	} else {
		drawn = x.Subset(rows)
	}
	p := principal(drawn)
	out := &report.Projection{Method: "PCA", Explained: p.explained, Of: len(rows)}
	for _, i := range shown {
		place := places[i]
		place.X, place.Y = p.at(drawn.Row(i))
		place.X, place.Y = short(place.X), short(place.Y)
		out.Points = append(out.Points, place)
	}
	return out
}

// stageNames are stages as people read them, in their order.
var stageNames = []struct {
	stage Stage
	name  string
}{
	{Sweeping, "trying layers"}, {Extracting, "features"}, {Probing, "fitting the head"}, {Learning, "learning curve"}, {Freezing, "frozen layers"}, {Tuning, "training the backbone"},
	{Evaluating, "evaluation"}, {Exporting, "export"}, {Verifying, "proof"},
}

func (w *workshop[T]) timings() []report.Timing {
	clock, ok := w.settings.Progress.(*stageClock)
	if !ok {
		return nil
	}
	spent := clock.soFar()
	var out []report.Timing
	for _, s := range stageNames {
		if v := spent[s.stage]; v > 0 {
			out = append(out, report.Timing{Stage: s.name, Seconds: v})
			delete(spent, s.stage)
		}
	}
	for _, s := range slices.Sorted(maps.Keys(spent)) {
		if s != Reporting {
			out = append(out, report.Timing{Stage: string(s), Seconds: spent[s]})
		}
	}
	return out
}

// whatWasRun are the facts of a run.
func (w *workshop[T]) whatWasRun(verified VerifyResult) []report.Facts {
	r := w.result.Record
	model := report.Facts{Heading: "Model", Facts: []report.Fact{
		{Name: "backbone", Value: r.Backbone.Name}, {Name: "its SHA-256", Value: r.Backbone.SHA256, Code: true},
		{Name: "features", Value: fmt.Sprint(r.Backbone.Features)}, {Name: "from the tensor", Value: r.Backbone.Feature, Code: true},
		{Name: "preprocessing", Value: clip(r.Backbone.Preprocessing, 200), Code: true},
		{Name: "head", Value: r.Head.Kind}, {Name: "C", Value: fmt.Sprintf("%.3g (%s)", r.Head.C, r.Head.By)},
	}}
	if r.Tune != nil {
		model.Facts = append(model.Facts, report.Fact{Name: "trained", Value: fmt.Sprintf("%s: %d numbers, best epoch %d", r.Tune.Unfreeze, r.Tune.Trained, r.Tune.Best)})
	}
	data := report.Facts{Heading: "Data", Facts: []report.Fact{
		{Name: "name", Value: r.Data.Name}, {Name: "training rows, SHA-256", Value: r.Data.Train.SHA256, Code: true},
		{Name: "held-out rows, SHA-256", Value: r.Data.Test.SHA256, Code: true},
	}}
	for _, note := range r.Data.Report.Notes {
		data.Facts = append(data.Facts, report.Fact{Name: "noticed", Value: note})
	}
	proof := report.Facts{Heading: "Proof", Facts: []report.Fact{
		{Name: "rows", Value: fmt.Sprint(verified.Rows)}, {Name: "largest difference", Value: fmt.Sprintf("%.3g", verified.MaxAbsDiff)},
		{Name: "allowed", Value: fmt.Sprintf("%.3g", r.Proof.Tolerance)},
	}}
	command := report.Facts{Heading: "Command"}
	if c := w.settings.Report.Command; c != "" {
		command.Facts = append(command.Facts, report.Fact{Name: "command", Value: c, Code: true})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Options)) {
		command.Facts = append(command.Facts, report.Fact{Name: strings.ReplaceAll(name, "_", " "), Value: clip(fmt.Sprint(r.Options[name]), 200)})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		command.Facts = append(command.Facts, report.Fact{Name: name, Value: r.Versions[name]})
	}
	all := []report.Facts{model, data, proof, command}
	return slices.DeleteFunc(all, func(f report.Facts) bool { return len(f.Facts) == 0 })
}
