package text

import (
	"fmt"
	"math"
	"slices"

	"github.com/onnx-graft/graft/text/internal/decode"
	"github.com/onnx-graft/graft/text/internal/model"
	"github.com/onnx-graft/graft/text/internal/normalize"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A Tokenizer turns texts into the token ids a model was trained with, equal to those of Hugging Face's tokenizers. It
// does not change after it is loaded and is safe for concurrent use.
type Tokenizer struct {
	// MaxLength is the most tokens its model takes, as the files beside it say; 0 where they say nothing. Encode does
	// not apply it by itself.
	MaxLength int
	// Truncation and Padding are what tokenizer.json asks for by default; Encode does not apply them by itself. Padding
	// is nil where it asks for none.
	Truncation Truncation
	Padding    *Padding

	normalizer   normalize.Normalizer     // nil: none
	preTokenizer pretokenize.PreTokenizer // nil: none
	model        model.Model
	post         postProcessor
	decoder      decode.Decoder // nil: tokens are joined by spaces
	added        addedTokens

	needSpans     bool  // a stage asks where in the original its text lies
	spellsUnknown int32 // the id whose tokens are spelled as in the text, -1 for none
	trims         []trim
	special       namedTokens // of the files beside it
	padSide       Side
	source        source
}

// EncodeOptions say how a text becomes an [Encoding]. The zero value adds special tokens and neither cuts nor pads.
type EncodeOptions struct {
	NoSpecial  bool // no special tokens
	Truncation Truncation
	Padding    *Padding // nil is none
}

// maxText is the longest text in bytes; positions are kept in 32 bits.
const maxText = math.MaxInt32 / 4

// Encode encodes a text, or a pair of texts where pair is not nil. Ill-formed UTF-8 is read as U+FFFD. A MaxLength below
// the number of special tokens is an error, as is a strategy that cannot reach it.
func (t *Tokenizer) Encode(text string, pair *string, o EncodeOptions) (*Encoding, error) {
	e, err := t.encode(text, pair, &o)
	if err != nil {
		return nil, err
	}
	if o.Padding != nil {
		o.Padding.apply([]*Encoding{e})
	}
	return e, nil
}

func (t *Tokenizer) encode(text string, pair *string, o *EncodeOptions) (*Encoding, error) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	template := t.post.template(pair != nil)
	room, err := t.room(template, o)
	if err != nil {
		return nil, err
	}
	text = ucd.Valid(text)
	if err := t.sequence(s, &s.a, text, true, o.Truncation, false); err != nil {
		return nil, err
	}
	s.b.reset()
	s.b.reached = 0
	second := ""
	if pair != nil {
		second = ucd.Valid(*pair)
		if err := t.sequence(s, &s.b, second, true, o.Truncation, true); err != nil {
			return nil, err
		}
	}
	c := cutter{t: t, s: s, o: o, template: template, texts: [2]string{text, second}}
	return c.cut(room, pair != nil)
}

// room returns how many tokens of the texts themselves may stay.
func (t *Tokenizer) room(template []slot, o *EncodeOptions) (int, error) {
	if o.Truncation.MaxLength <= 0 {
		return math.MaxInt, nil
	}
	n := specials(template)
	if o.NoSpecial {
		n = 0
	}
	if o.Truncation.MaxLength < n {
		return 0, fmt.Errorf("text: a maximum length of %d leaves no room for the %d special tokens", o.Truncation.MaxLength, n)
	}
	return o.Truncation.MaxLength - n, nil
}

// sequence encodes one text into seq.
func (t *Tokenizer) sequence(s *scratch, seq *sequence, text string, detail bool, tr Truncation, second bool) error {
	if len(text) > maxText {
		return fmt.Errorf("text: a text of %d bytes is too long; at most %d are possible", len(text), maxText)
	}
	r := run{scratch: s, t: t, seq: seq, detail: detail, limit: tr.limit(second), whole: tr.Overflow || tr.Side == Left}
	if err := r.encode(text); err != nil {
		return fmt.Errorf("text: %w", err)
	}
	if tr.Side == Left && r.limit > 0 {
		seq.reached = reachedFromRight(seq, r.limit)
	}
	return nil
}

// reachedFromRight returns how many tokens there are, counted from the end by whole words, once there are enough.
func reachedFromRight(seq *sequence, limit int) int {
	n := len(seq.ids)
	if limit >= n || len(seq.words) < n {
		return min(n, max(limit, 0))
	}
	i := n - limit
	for i > 0 && seq.words[i-1] == seq.words[i] {
		i--
	}
	return n - i
}

// AppendIDs appends the ids of a text, with special tokens and at most limit of them (0 is no limit), to dst. It is
// Encode for those who need no more, and allocates nothing but dst's growth.
func (t *Tokenizer) AppendIDs(dst []int64, text string, limit int) ([]int64, error) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	o := EncodeOptions{Truncation: Truncation{MaxLength: limit, Side: t.Truncation.Side}}
	template := t.post.template(false)
	room, err := t.room(template, &o)
	if err != nil {
		return dst, err
	}
	if err := t.sequence(s, &s.a, ucd.Valid(text), false, o.Truncation, false); err != nil {
		return dst, err
	}
	w := o.Truncation.first(len(s.a.ids), room)
	dst = slices.Grow(dst, specials(template)+w.end-w.start)
	for _, p := range template {
		ids := p.special
		if p.sequence == 0 {
			ids = s.a.ids[w.start:w.end]
		}
		for _, id := range ids {
			dst = append(dst, int64(id))
		}
	}
	return dst, nil
}

// Token returns the token of an id, as decoders see it, and whether there is one.
func (t *Tokenizer) Token(id int32) (string, bool) {
	if s, ok := t.added.byID[id]; ok {
		return s, true
	}
	return t.model.Vocabulary().Token(id)
}

// ID returns the id of a token and whether there is one.
func (t *Tokenizer) ID(token string) (int32, bool) {
	if id, ok := t.added.byContent[token]; ok {
		return id, true
	}
	return t.model.Vocabulary().ID(token)
}

// Size returns the number of tokens, added ones included.
func (t *Tokenizer) Size() int {
	n := t.model.Vocabulary().Len()
	for content := range t.added.byContent {
		if _, ok := t.model.Vocabulary().ID(content); !ok {
			n++
		}
	}
	return n
}

// Decode returns the text of ids; ids that have no token are left out, and on request special tokens are.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		token, ok := t.Token(id)
		if ok && !(skipSpecial && t.added.special[token]) {
			tokens = append(tokens, token)
		}
	}
	return decode.Text(t.decoder, tokens)
}
