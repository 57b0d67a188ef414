package main

import (
	"fmt"
	"strings"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/metrics"
)

// baselineMetrics are the figures shown of a baseline, those that there are.
var baselineMetrics = []struct{ key, name string }{
	{"eval_accuracy", "accuracy"}, {"eval_f1_macro", "F1, macro"}, {"eval_f1_micro", "F1, micro"},
	{"eval_spearmanr", "Spearman"}, {"eval_rmse", "RMSE"},
}

// baselineRows tells what answers without the backbone come to.
func baselineRows(list []finetune.Baseline) (rows [][]string) {
	for _, b := range list {
		var figures []string
		for _, m := range baselineMetrics {
			if v, ok := b.Metrics[m.key]; ok && len(figures) < 2 {
				figures = append(figures, m.name+" "+metrics.Figure(v))
			}
		}
		rows = append(rows, []string{"  " + b.Name, strings.Join(figures, ", ")})
	}
	if len(rows) > 0 {
		rows = append([][]string{{"without it", ""}}, rows...)
	}
	return rows
}

// learningRows tells what more rows would bring.
func learningRows(c *finetune.LearningCurve) (rows [][]string) {
	if c == nil {
		return nil
	}
	for _, p := range c.Points {
		rows = append(rows, []string{fmt.Sprintf("  %d rows", p.Rows), fmt.Sprintf("%s %.4f ± %.4f", strings.TrimPrefix(c.Metric, "eval_"), p.Mean, p.SE)})
	}
	return append([][]string{{"learning curve", c.Advice}}, rows...)
}

// decisionRows tells how answers follow from logits.
func decisionRows(r *finetune.Result) (rows [][]string) {
	d := r.Decision
	if d == nil {
		return nil
	}
	by := ""
	if d.Rows > 0 {
		by = fmt.Sprintf(", by %s on %d rows", d.By, d.Rows)
	}
	if d.Temperature > 0 {
		rows = append(rows, []string{"temperature", fmt.Sprintf("%.3f%s; ECE now %.4f", d.Temperature, by, r.Metrics["eval_ece"])})
	}
	if d.Threshold != nil {
		var each []string
		for _, t := range d.Threshold {
			each = append(each, fmt.Sprintf("%.3f", t))
		}
		rows = append(rows, []string{"threshold", strings.Join(each, ", ") + by})
	}
	if d.Abstain > 0 {
		rows = append(rows, []string{"abstains", fmt.Sprintf("below a confidence of %.3f%s: answers %.1f %% of the test rows, %.1f %% of those right",
			d.Abstain, by, 100*r.Metrics["eval_coverage"], 100*r.Metrics["eval_answered_accuracy"])})
	}
	return rows
}
