package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/onnx-graft/graft/finetune"
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
		{"data", fmt.Sprintf("%d rows to learn from, %d to judge by, %d labels", r.Rows.Train+r.Rows.Validation, r.Rows.Test, len(r.Labels))},
		{"head", headLine(r)},
	}
	rows = append(rows, probeTable(r)...)
	rows = append(rows, metricRows(r.Metrics)...)
	rows = append(rows, baselineRows(r.Baselines)...)
	if r.Stats.Loss > 0 {
		rows = append(rows, []string{"features", halfLoss(r.Stats.Loss)})
	}
	rows = append(rows,
		[]string{"proved", fmt.Sprintf("on %d rows: logits within %.1e, every label equal", r.Verify.Rows, r.Verify.MaxAbsDiff)},
		[]string{"time", fmt.Sprintf("%.1f s", r.Timings["total"])},
		[]string{"model", filepath.Join(r.Out, "model.onnx")},
	)
	if err := a.printTable(rows...); err != nil {
		return err
	}
	for _, w := range r.Warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	return nil
}

// shownMetrics are the figures people see first; --json has them all.
var shownMetrics = []struct{ key, name string }{
	{"eval_accuracy", "accuracy"}, {"eval_f1_macro", "F1, macro"}, {"eval_log_loss", "log loss"},
}

func metricRows(metrics map[string]float64) (rows [][]string) {
	for _, m := range shownMetrics {
		if v, ok := metrics[m.key]; ok {
			rows = append(rows, []string{m.name, fmt.Sprintf("%.4f", v)})
		}
	}
	return rows
}
