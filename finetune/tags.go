package finetune

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// tags is the goal of a BIO tag a word: a class for each row, which stands for a word. What is judged are entities, and
// words without a row, which the text was cut before, count as outside of any.
type tags struct{}

// problem is none: transformers knows models of tokens by their architecture.
func (tags) problem() Problem { return "" }

func (tags) targets(examples []truth, labels []string, rows []place) (heads.Targets, error) {
	y := heads.Targets{Class: make([]int, len(rows)), Classes: len(labels)}
	index := indexOf(labels)
	for i, r := range rows {
		e := examples[r.example]
		k, ok := index[e.words[r.word].Tag]
		if !ok {
			return y, e.unknownLabel(e.words[r.word].Tag)
		}
		y.Class[i] = k
	}
	return y, nil
}

func (tags) report(examples []truth, labels []string, rows []place, logits heads.Matrix) (metrics.Report, error) {
	want, got := make([][]string, len(examples)), make([][]string, len(examples))
	for i, e := range examples {
		want[i] = make([]string, len(e.words))
		for j, w := range e.words {
			want[i][j] = w.Tag
		}
		own := rowsOf(rows, i)
		var err error
		if got[i], err = tagged(len(e.words), labels, rows[own.from:own.to], part(logits, own)); err != nil {
			return metrics.Report{}, err
		}
	}
	return metrics.Entities(want, got)
}

// tagged returns the most probable tags of n words, O for those without a row.
func tagged(n int, labels []string, rows []place, logits heads.Matrix) ([]string, error) {
	out := make([]string, n)
	for j := range out {
		out[j] = "O"
	}
	if len(rows) == 0 {
		return out, nil
	}
	best, err := heads.TagBIO(labels, logits)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		out[r.word] = best[i]
	}
	return out, nil
}

func (tags) probabilities(b *onnx.Builder, logits *onnx.Value) *onnx.Value {
	return b.Softmax(logits, -1)
}

func (tags) alike(a, b []float32, tolerance float64) bool { return classes{}.alike(a, b, tolerance) }

// An Entity is a part of a text that a model tells to be something.
type Entity struct {
	Type  string  `json:"type"`
	Score float64 `json:"score"` // the mean probability of its words' tags
	Start int     `json:"start"` // characters of the text
	End   int     `json:"end"`
	Text  string  `json:"text"`
}

func (tags) tell(p *Prediction, labels []string, rows []place, logits heads.Matrix) error {
	p.Entities = []Entity{}
	best, err := tagged(len(rows), labels, consecutive(len(rows)), logits)
	if err != nil {
		return err
	}
	spans, err := heads.DecodeBIO(best)
	if err != nil {
		return err
	}
	index := indexOf(labels)
	for _, s := range spans {
		start, end := rows[s.Start].bytes[0], rows[s.End-1].bytes[1]
		e := Entity{Type: s.Type, Text: p.Input[start:end], Start: utf8.RuneCountInString(p.Input[:start])}
		e.End = e.Start + utf8.RuneCountInString(e.Text)
		for i := s.Start; i < s.End; i++ {
			e.Score += softmax(logits.Row(i))[index[best[i]]] / float64(s.End-s.Start)
		}
		p.Entities = append(p.Entities, e)
	}
	return nil
}

// consecutive are the rows of n words that all have one.
func consecutive(n int) []place {
	rows := make([]place, n)
	for i := range rows {
		rows[i].word = i
	}
	return rows
}
