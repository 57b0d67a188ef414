package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
)

// printJSON writes v on one line of standard output.
func (a *app) printJSON(v any) error { return encodeLine(a.stdout, v) }

// encodeLine writes v as one line of JSON.
func encodeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printTable writes rows in aligned columns.
func (a *app) printTable(rows ...[]string) error {
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// say writes a line of progress, unless --quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// printResult tells people what a fine-tune came to.
func (a *app) printResult(r *finetune.Result) error {
	rows := [][]string{
		{"backbone", fmt.Sprintf("%s (%s), features from %s", r.Backbone, r.Task, r.Feature)},
		{"data", fmt.Sprintf("%d rows to learn from, %d to judge by, %s", r.Rows.Train+r.Rows.Validation, r.Rows.Test, learned(r))},
		{"head", headLine(r)},
	}
	rows = append(rows, sweepTable(r.Sweep)...)
	rows = append(rows, probeTable(r)...)
	rows = append(rows, tunedRows(r.Tune)...)
	rows = append(rows, metricRows(r.Card.Report.Task, r.Metrics)...)
	rows = append(rows, baselineRows(r.Baselines)...)
	rows = append(rows, learningRows(r.Learning)...)
	rows = append(rows, decisionRows(r)...)
	if r.Stats.Loss > 0 {
		rows = append(rows, []string{"features", halfLoss(r.Stats.Loss)})
	}
	rows = append(rows,
		[]string{"proved", proved(r)},
		[]string{"time", fmt.Sprintf("%.1f s", r.Timings["total"])},
		[]string{"model", filepath.Join(r.Out, "model.onnx")},
	)
	if r.Report != "" {
		rows = append(rows, []string{"report", r.Report})
	}
	if err := a.printTable(rows...); err != nil {
		return err
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	return nil
}

// learned tells what rows are mapped to.
func learned(r *finetune.Result) string {
	switch {
	case r.Problem == finetune.Regression:
		return "numbers: " + r.Labels[0]
	case r.Task == finetune.TokenClassification:
		return fmt.Sprintf("%d tags", len(r.Labels))
	}
	return fmt.Sprintf("%d labels", len(r.Labels))
}

// proved tells what the written model has shown.
func proved(r *finetune.Result) string {
	rows, what := "rows", "logits within %.1e, every label equal"
	if r.Task == finetune.TokenClassification {
		rows = "words"
	}
	if r.Problem == finetune.Regression {
		what = "numbers within %.1e"
	}
	return fmt.Sprintf("on %d %s: "+what, r.Verify.Rows, rows, r.Verify.MaxAbsDiff)
}

// shownMetrics are the figures people see first; --json has them all.
var shownMetrics = map[heads.Task][]struct{ key, name string }{
	heads.Classification:        {{"eval_accuracy", "accuracy"}, {"eval_f1_macro", "F1, macro"}, {"eval_log_loss", "log loss"}},
	heads.MultiLabel:            {{"eval_f1_micro", "F1, micro"}, {"eval_f1_macro", "F1, macro"}, {"eval_subset_accuracy", "every label right"}},
	heads.Regression:            {{"eval_spearmanr", "Spearman"}, {"eval_pearson", "Pearson"}, {"eval_rmse", "RMSE"}, {"eval_mae", "MAE"}},
	metrics.TokenClassification: {{"eval_f1", "entity F1"}, {"eval_precision", "precision"}, {"eval_recall", "recall"}, {"eval_accuracy", "accuracy of tags"}},
}

func metricRows(task heads.Task, values map[string]float64) (rows [][]string) {
	for _, m := range shownMetrics[task] {
		if v, ok := values[m.key]; ok {
			rows = append(rows, []string{m.name, metrics.Figure(v)})
		}
	}
	return rows
}
