package finetune

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/finetune/report"
	"github.com/onnx-graft/graft/heads"
)

// headlines are the metrics of a report's top, the most telling first, and how people read them.
var headlines = []report.Metric{
	{Key: "eval_spearmanr", Name: "Spearman"},
	{Key: "eval_pearson", Name: "Pearson"},
	{Key: "eval_r2", Name: "R²"},
	{Key: "eval_mae", Name: "Mean absolute error", Less: true},
	{Key: "eval_rmse", Name: "RMSE", Less: true},
	{Key: "eval_f1", Name: "F1", Percent: true},
	{Key: "eval_precision", Name: "Precision", Percent: true},
	{Key: "eval_recall", Name: "Recall", Percent: true},
	{Key: "eval_accuracy", Name: "Accuracy", Percent: true},
	{Key: "eval_f1_macro", Name: "F1, macro", Percent: true},
	{Key: "eval_f1_micro", Name: "F1, micro", Percent: true},
	{Key: "eval_subset_accuracy", Name: "All labels right", Percent: true},
	{Key: "eval_balanced_accuracy", Name: "Balanced accuracy", Percent: true},
	{Key: "eval_matthews_correlation", Name: "Matthews correlation"},
	{Key: "eval_roc_auc", Name: "ROC AUC"},
	{Key: "eval_average_precision", Name: "Average precision"},
	{Key: "eval_hamming_loss", Name: "Hamming loss", Less: true},
	{Key: "eval_log_loss", Name: "Log loss", Less: true},
	{Key: "eval_brier", Name: "Brier score", Less: true},
	{Key: "eval_ece", Name: "Calibration error (ECE)", Percent: true, Less: true},
}

// inWords writes the metrics that sentences speak of as people read them.
func inWords(sentences []string) []string {
	byLength := slices.Clone(headlines)
	slices.SortStableFunc(byLength, func(a, b report.Metric) int { return cmp.Compare(len(b.Key), len(a.Key)) })
	var pairs []string
	for _, m := range byLength {
		name := m.Name
		if !strings.HasPrefix(name, "F1") && name[1] >= 'a' && name[1] <= 'z' {
			name = strings.ToLower(name[:1]) + name[1:]
		}
		pairs = append(pairs, m.Key, name)
	}
	replacer := strings.NewReplacer(pairs...)
	out := make([]string, len(sentences))
	for i, s := range sentences {
		out[i] = replacer.Replace(s)
	}
	return out
}

// shownMetrics are a report's headlines. Of classes and entities the micro averages are left out: they are told already.
func shownMetrics(r metrics.Report) []report.Metric {
	var out []report.Metric
	for _, m := range headlines {
		v, ok := r.Metrics[m.Key]
		if !ok || v-v != 0 || m.Key == "eval_f1_micro" && (len(r.Confusion) > 0 || r.Task == metrics.TokenClassification) {
			continue
		}
		if r.Task == metrics.TokenClassification {
			m.Name = cmp.Or(map[string]string{"eval_f1": "Entity F1", "eval_accuracy": "Accuracy of words"}[m.Key], m.Name)
		}
		m.Value = v
		if i, ok := r.Intervals[m.Key]; ok {
			m.Range = &report.Range{Low: i.Low, High: i.High}
		}
		out = append(out, m)
	}
	if len(r.Confusion) > 0 { // of classes, accuracy is what people ask for first
		slices.SortStableFunc(out, func(a, b report.Metric) int {
			return cmp.Compare(map[bool]int{true: -1}[a.Key == "eval_accuracy"], map[bool]int{true: -1}[b.Key == "eval_accuracy"])
		})
	}
	return out
}

// reportClasses fills in what there is of one class a row.
func (w *workshop[T]) reportClasses(d *report.Data) {
	class, k := w.test.y.Class, w.answers.Cols
	top, sure := make([]int, len(class)), make([]float64, len(class))
	p := make([]float64, 0, len(class)*k)
	for i := range class {
		row := softmax(w.answers.Row(i))
		top[i] = argmax(w.answers.Row(i))
		sure[i] = row[top[i]]
		p = append(p, row...)
	}
	d.Reliability = reliability(class, top, sure)
	if ece, ok := w.result.Metrics["eval_ece"]; ok {
		d.ECE = &ece
	}
	d.Precision = precisionCurves(w.result.Card.Report, p, k, func(i, j int) bool { return class[i] == j })
	d.Mistakes = w.mistakes(func(i int) (report.Mistake, float64) {
		if top[i] == class[i] {
			return report.Mistake{}, 0
		}
		return report.Mistake{Truth: w.data.Labels[class[i]], Predicted: w.data.Labels[top[i]], Confidence: sure[i]}, sure[i]
	})
	d.Projection = projection(w.test.x, func(i int) (report.Place, bool) {
		return report.Place{Class: class[i], Wrong: top[i] != class[i]}, true
	})
}

// reportLabels fills in what there is of any number of labels a row.
func (w *workshop[T]) reportLabels(d *report.Data) {
	truth, k := w.test.y.Labels, w.answers.Cols
	p := make([]float64, len(w.answers.Data))
	for i, z := range w.answers.Data {
		p[i] = 1 / (1 + math.Exp(-float64(z)))
	}
	has := func(i, j int) bool { return truth.Row(i)[j] == 1 }
	d.Precision = precisionCurves(w.result.Card.Report, p, k, has)
	names := func(of func(j int) bool) string {
		var out []string
		for j, label := range w.data.Labels {
			if of(j) {
				out = append(out, label)
			}
		}
		return cmp.Or(strings.Join(out, ", "), "none")
	}
	d.Mistakes = w.mistakes(func(i int) (report.Mistake, float64) {
		worst := 0.0
		for j := range k {
			v := p[i*k+j]
			if has(i, j) {
				v = 1 - v
			}
			worst = max(worst, v)
		}
		if worst <= 0.5 {
			return report.Mistake{}, 0
		}
		return report.Mistake{Truth: names(func(j int) bool { return has(i, j) }), Predicted: names(func(j int) bool { return p[i*k+j] > 0.5 }), Confidence: worst}, worst
	})
	d.Projection = projection(w.test.x, func(i int) (report.Place, bool) {
		place := report.Place{Class: -1}
		for j := range k {
			if has(i, j) && place.Class < 0 {
				place.Class = j
			}
			place.Wrong = place.Wrong || has(i, j) != (p[i*k+j] > 0.5)
		}
		return place, true
	})
}

// reportValues fills in what there is of numbers.
func (w *workshop[T]) reportValues(d *report.Data) {
	truth := w.test.y.Values
	for j, name := range w.data.Labels {
		v := report.Values{Target: name}
		for i := range truth.Rows {
			v.Truth, v.Predicted = append(v.Truth, short(float64(truth.Row(i)[j]))), append(v.Predicted, short(float64(w.answers.Row(i)[j])))
		}
		d.Values = append(d.Values, v)
	}
	if len(d.Values) == 0 || truth.Rows == 0 {
		return
	}
	one := d.Values[0]
	low, high := slices.Min(one.Truth), slices.Max(one.Truth)
	d.Mistakes = w.mistakes(func(i int) (report.Mistake, float64) {
		return report.Mistake{Truth: plain(one.Truth[i]), Predicted: plain(one.Predicted[i])}, math.Abs(one.Predicted[i] - one.Truth[i])
	})
	d.Projection = projection(w.test.x, func(i int) (report.Place, bool) {
		return report.Place{Class: -1, Value: (one.Truth[i] - low) / max(high-low, 1e-30)}, true
	})
}

// reportTags fills in what there is of tagged words: sentences with their entities, those with mistakes first.
func (w *workshop[T]) reportTags(d *report.Data) {
	of := make([][]int, len(w.data.Test)) // rows of each example
	for i := range w.answers.Rows {
		e := exampleOf(w.test.rows, i)
		of[e] = append(of[e], i)
	}
	var wrong, missed, right []report.Sentence
	for e, rows := range of {
		text, ok := any(w.data.Test[e].Input).(string)
		if !ok || len(rows) == 0 || len(rows) > 60 {
			continue
		}
		s := report.Sentence{}
		var truth []string
		for _, i := range rows {
			word := w.data.Test[e].Words[w.test.rows[i].word]
			s.Words, truth = append(s.Words, text[word.Start:word.End]), append(truth, word.Tag)
		}
		predicted, err := heads.TagBIO(w.data.Labels, w.answers.Subset(rows))
		if err != nil {
			continue
		}
		s.Truth, s.Predicted = spans(truth), spans(predicted)
		switch {
		case !slices.Equal(s.Truth, s.Predicted) && len(s.Predicted) > 0:
			wrong = append(wrong, s)
		case !slices.Equal(s.Truth, s.Predicted):
			missed = append(missed, s)
		case len(s.Truth) > 0:
			right = append(right, s)
		}
	}
	for _, list := range [][]report.Sentence{wrong, missed, right} {
		for _, i := range everySo(len(list), shownSentences/3) {
			d.Sentences = append(d.Sentences, list[i])
		}
	}
	d.Projection = projection(w.test.x, func(i int) (report.Place, bool) {
		at := w.test.rows[i]
		_, kind, ok := strings.Cut(w.data.Test[at.example].Words[at.word].Tag, "-")
		class := slices.Index(d.Labels, kind)
		return report.Place{Class: class, Wrong: ok && argmax(w.answers.Row(i)) != w.test.y.Class[i]}, class >= 0
	})
}

// spans are the entities of BIO tags.
func spans(tags []string) []report.Span {
	found, err := heads.DecodeBIO(tags)
	if err != nil {
		return nil
	}
	var out []report.Span
	for _, s := range found {
		out = append(out, report.Span{From: s.Start, To: s.End, Kind: s.Type})
	}
	return out
}

// mistakes are the held-out rows with the largest badness above 0; of says what is wrong with row i.
func (w *workshop[T]) mistakes(of func(i int) (report.Mistake, float64)) []report.Mistake {
	type wrong struct {
		row int
		report.Mistake
		bad float64
	}
	var all []wrong
	for i := range w.data.Test {
		if m, bad := of(i); bad > 0 {
			all = append(all, wrong{i, m, bad})
		}
	}
	slices.SortStableFunc(all, func(a, b wrong) int { return cmp.Compare(b.bad, a.bad) })
	all = all[:min(len(all), shownMistakes)]
	out := make([]report.Mistake, len(all))
	for k, m := range all {
		out[k] = m.Mistake
		out[k].ID = w.data.Test[m.row].ID
		w.show(&out[k], w.data.Test[m.row])
	}
	return out
}

// show puts what people see of an input into a mistake.
func (w *workshop[T]) show(m *report.Mistake, e dataset.Example[T]) {
	if pre, ok := w.backbone.Preprocessor.(Thumbnailer[T]); ok {
		if picture, err := pre.Thumbnail(e.Input, thumbnailSide); err == nil {
			m.Picture = picture
			return
		}
	}
	if text, ok := any(e.Input).(string); ok {
		m.Text = clip(text, shownLetters)
		if second, ok := any(e.Second).(string); ok && w.data.Pairs {
			m.Text += "\n" + clip(second, shownLetters)
		}
	}
}

// clip shortens a text to so many letters.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return s
}

// short rounds to five digits, for a shorter report.json.
func short(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64)
	if err != nil || out-out != 0 {
		return 0
	}
	return out
}

func plain(v float64) string { return fmt.Sprintf("%.4g", v) }
