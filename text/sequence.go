package text

import (
	"errors"
	"strings"
	"sync"

	"github.com/onnx-graft/graft/text/internal/aligned"
	"github.com/onnx-graft/graft/text/internal/model"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
)

// A sequence is one text as tokens, without special ones. Its memory is used again.
type sequence struct {
	ids       []int32
	spans     []aligned.Span // of bytes; empty where they are not wanted
	words     []int32
	spellings []spelling
	reached   int // how many tokens there were when there were enough of them
}

func (s *sequence) reset() {
	s.ids, s.spans, s.words, s.spellings = s.ids[:0], s.spans[:0], s.words[:0], s.spellings[:0]
}

// scratch is what encoding a text needs besides its result. Scratches are pooled.
type scratch struct {
	pieces  pretokenize.Pieces
	model   model.Scratch
	tokens  []model.Token
	a, b    sequence
	charPos [2][]int32 // memory for characters
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// A run is the encoding of one text under way.
type run struct {
	*scratch
	t      *Tokenizer
	seq    *sequence
	detail bool // spans, words and spellings are wanted
	limit  int  // enough tokens, 0 for no limit
	whole  bool // do not stop when there are enough, but note it
	word   int32
	done   bool
}

// encode fills seq with the tokens of text, which is valid UTF-8.
func (r *run) encode(text string) error {
	r.seq.reset()
	r.seq.reached = -1
	last := 0
	for at := 0; at < len(text) && !r.done; {
		m, ok := r.t.added.raw.next(text, at, last)
		if !ok {
			break
		}
		at = m.resume
		if m.discarded {
			continue
		}
		if err := r.segment(text, last, m.start); err != nil {
			return err
		}
		if !r.done {
			r.add(m.id, text[m.start:m.end], aligned.Span{Start: int32(m.start), End: int32(m.end)})
		}
		last = m.end
	}
	if last < len(text) && !r.done {
		if err := r.segment(text, last, len(text)); err != nil {
			return err
		}
	}
	if r.seq.reached < 0 {
		r.seq.reached = len(r.seq.ids)
	}
	return nil
}

// add appends an added token.
func (r *run) add(id int32, text string, span aligned.Span) {
	if r.detail {
		if content, _ := r.t.Token(id); content != text {
			r.seq.spellings = append(r.seq.spellings, spelling{len(r.seq.ids), strings.Clone(text)})
		}
		r.seq.spans = append(r.seq.spans, span)
		r.seq.words = append(r.seq.words, r.word)
	}
	r.seq.ids = append(r.seq.ids, id)
	r.word++
}

// segment encodes text[start:end], in which there are no added tokens but those matched after normalization.
func (r *run) segment(text string, start, end int) error {
	if start >= end {
		return nil
	}
	p := &r.pieces
	t := r.t
	p.Text.Reset(text[start:end], int32(start), r.detail || t.needSpans)
	if t.normalizer != nil {
		t.normalizer.Normalize(&p.Text)
	}
	p.Words = t.added.normalized.split(p.Words[:0], p.Text.Bytes)
	if t.preTokenizer != nil && len(p.Words) > 0 {
		t.preTokenizer.PreTokenize(p)
	}
	if p.Text.Grew() {
		return errGrew
	}
	for _, w := range p.Words {
		if w.Added != pretokenize.NotAdded {
			r.add(w.Added, string(p.Text.Bytes[w.Start:w.End]), p.Text.Span(int(w.Start), int(w.End)))
			continue
		}
		if err := r.tokenize(w); err != nil {
			return err
		}
		if r.limit > 0 && len(r.seq.ids) >= r.limit && r.seq.reached < 0 {
			r.seq.reached = len(r.seq.ids)
			if !r.whole {
				r.done = true
				return nil
			}
		}
	}
	return nil
}

var errGrew = errors.New("the tokenizer's rules make the text grow beyond all reason")

// tokenize gives a word to the model.
func (r *run) tokenize(w pretokenize.Word) error {
	word := r.pieces.Text.Bytes[w.Start:w.End]
	tokens, err := r.t.model.Tokenize(r.tokens[:0], word, &r.model)
	if err != nil {
		return err
	}
	r.tokens = tokens
	for _, k := range tokens {
		r.seq.ids = append(r.seq.ids, k.ID)
	}
	if r.detail {
		r.describe(w, word, tokens)
	}
	r.word++
	return nil
}

// describe notes spans, words and spellings of the tokens of a word.
func (r *run) describe(w pretokenize.Word, word []byte, tokens []model.Token) {
	first := len(r.seq.spans)
	text, size := &r.pieces.Text, int32(len(word))
	for i := range tokens {
		k := &tokens[i]
		start, end := min(k.Start, size), min(k.End, size)
		r.seq.spans = append(r.seq.spans, text.Span(int(w.Start+start), int(w.Start+end)))
		r.seq.words = append(r.seq.words, r.word)
		if k.ID == r.t.spellsUnknown {
			r.seq.spellings = append(r.seq.spellings, spelling{first + i, string(word[start:end])})
		}
	}
}
