// Package metrics judges predictions: how often they are right, how much they can be trusted, and how uncertain that
// judgement itself is. Definitions are scikit-learn's and seqeval's; names are Hugging Face's, with the prefix eval_.
package metrics

import (
	"fmt"

	"github.com/onnx-graft/graft/heads"
)

// A Report is the judgement of a set of predictions.
type Report struct {
	Task heads.Task `json:"task"`
	Rows int        `json:"rows"`
	// Metrics by name. A metric that these rows do not define (ROC AUC where all are of one class) is absent.
	Metrics map[string]float64 `json:"metrics"`
	// Intervals hold the 95 % bootstrap interval of a metric, where one was asked for and resampling defines it.
	Intervals map[string]Interval `json:"intervals,omitempty"`
	Labels    []string            `json:"labels,omitempty"`
	// Confusion[i][j] counts the rows of class i predicted as class j.
	Confusion [][]int `json:"confusion,omitempty"`
	// Classes has a line for each label, in their order.
	Classes []Class `json:"classes,omitempty"`
	// Warnings say in words where the metrics mislead.
	Warnings []string `json:"warnings,omitempty"`
}

// A Class is one label's line of a report.
type Class struct {
	Label     string   `json:"label"`
	Precision float64  `json:"precision"` // 0 where it was never predicted
	Recall    float64  `json:"recall"`    // 0 where no row has it
	F1        float64  `json:"f1"`
	Support   int      `json:"support"` // rows that have it
	ROCAUC    *float64 `json:"roc_auc,omitempty"`
	Average   *float64 `json:"average_precision,omitempty"`
}

// An Interval is what 95 % of bootstrap resamples lie in, 2.5 % beyond either end.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Settings say how predictions are judged. The zero value works.
type Settings struct {
	// Resamples is the number of bootstrap resamples behind the intervals; 0: 1000, negative: no intervals.
	Resamples int
	// Seed of the resampling: the same seed gives the same intervals.
	Seed uint64
	// Rule makes answers of logits.
	Rule Rule
}

// A RowsError says that truth and predictions do not fit together.
type RowsError struct{ Problem string }

func (e *RowsError) Error() string { return "metrics: " + e.Problem }

func rowsErrorf(format string, args ...any) error {
	return &RowsError{Problem: fmt.Sprintf(format, args...)}
}

// checkScores tells whether m is a finite rows×cols matrix, of predictions or of truth.
func checkScores(what string, m heads.Matrix, rows, cols int) error {
	if rows == 0 {
		return rowsErrorf("no rows to judge")
	}
	if err := m.Check(); err != nil {
		return rowsErrorf("%s: %v", what, err)
	}
	if m.Rows != rows || m.Cols != cols {
		return rowsErrorf("%s: %d×%d, want %d×%d as the truth", what, m.Rows, m.Cols, rows, cols)
	}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if v-v != 0 {
				return rowsErrorf("%s: row %d column %d is %v", what, i, j, v)
			}
		}
	}
	return nil
}
