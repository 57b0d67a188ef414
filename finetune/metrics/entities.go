package metrics

import (
	"fmt"
	"slices"

	"github.com/onnx-graft/graft/heads"
)

// Entities judges BIO tags of sequences with the zero Settings.
func Entities(truth, predicted [][]string) (Report, error) {
	return Settings{}.Entities(truth, predicted)
}

// Entities judges BIO tags of sequences, one slice of tags each, as seqeval's default mode does: an entity is right
// where type, start and end are. eval_precision, eval_recall and eval_f1 are over all entities, eval_accuracy is over
// tokens, macro averages are over types. Intervals are by resampling sequences.
func (s Settings) Entities(truth, predicted [][]string) (Report, error) {
	if len(truth) == 0 {
		return Report{}, rowsErrorf("no rows to judge")
	}
	if len(truth) != len(predicted) {
		return Report{}, rowsErrorf("%d rows of predictions for %d of truth", len(predicted), len(truth))
	}
	e := entitySet{index: map[string]int{}, rows: make([]entityRow, len(truth))}
	for i := range truth {
		if err := e.add(i, truth[i], predicted[i]); err != nil {
			return Report{}, fmt.Errorf("metrics: row %d: %w", i, err)
		}
	}
	r := Report{Task: TokenClassification, Rows: len(truth)}
	r.Metrics, r.Intervals = s.measure(len(truth), []measure{one("eval_accuracy", e.accuracy), tallyMeasure(ofEntities, e.tally)})
	t := e.tally(nil)
	for kind := range e.index {
		r.Labels = append(r.Labels, kind)
	}
	slices.Sort(r.Labels)
	for _, kind := range r.Labels {
		r.Classes = append(r.Classes, t.class(kind, e.index[kind]))
	}
	return r, nil
}

// TokenClassification is the task of a report on entities.
const TokenClassification heads.Task = "token-classification"

// ofEntities are the metrics of entities.
var ofEntities = append([]tallied{
	{"eval_precision", func(t tally) float64 { p, _, _ := t.micro(); return p }},
	{"eval_recall", func(t tally) float64 { _, r, _ := t.micro(); return r }},
	{"eval_f1", func(t tally) float64 { _, _, f := t.micro(); return f }},
}, averaged...)

// entitySet counts the entities of sequences by type.
type entitySet struct {
	index map[string]int // types in order of appearance
	rows  []entityRow
}

type entityRow struct {
	truth, predicted, both []int // types, one for each entity
	tokens, right          float64
}

func (e *entitySet) kind(name string) int {
	k, ok := e.index[name]
	if !ok {
		k = len(e.index)
		e.index[name] = k
	}
	return k
}

func (e *entitySet) add(i int, truth, predicted []string) error {
	if len(truth) != len(predicted) {
		return fmt.Errorf("%d tags predicted for %d tokens", len(predicted), len(truth))
	}
	want, err := heads.DecodeBIO(truth)
	if err != nil {
		return err
	}
	got, err := heads.DecodeBIO(predicted)
	if err != nil {
		return err
	}
	row := &e.rows[i]
	for _, span := range want {
		row.truth = append(row.truth, e.kind(span.Type))
		if slices.Contains(got, span) {
			row.both = append(row.both, e.kind(span.Type))
		}
	}
	for _, span := range got {
		row.predicted = append(row.predicted, e.kind(span.Type))
	}
	row.tokens = float64(len(truth))
	for j, tag := range truth {
		if tag == predicted[j] {
			row.right++
		}
	}
	return nil
}

func (e *entitySet) tally(w []float64) tally {
	t := newTally(len(e.index))
	for i, row := range e.rows {
		v := at(w, i)
		for _, k := range row.truth {
			t.truth[k] += v
		}
		for _, k := range row.predicted {
			t.predicted[k] += v
		}
		for _, k := range row.both {
			t.both[k] += v
		}
	}
	return t
}

func (e *entitySet) accuracy(w []float64) float64 {
	var right, tokens float64
	for i, row := range e.rows {
		right += at(w, i) * row.right
		tokens += at(w, i) * row.tokens
	}
	return ratio(right, tokens)
}
