package model

import (
	"strings"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/trie"
)

// WordPiece takes from each word the longest beginning it knows, then the longest continuation, and so on; a word that
// cannot be used up this way is unknown as a whole.
type WordPiece struct {
	vocab    *Vocabulary
	head     *trie.Trie
	tail     *trie.Trie // continuations, without their prefix
	unknown  int32      // -1 where the vocabulary has none
	maxChars int
}

// WordPieceConfig is what a WordPiece is made of.
type WordPieceConfig struct {
	Vocab    *Vocabulary
	Unknown  string // the token for unknown words
	Prefix   string // marks continuations: ##
	MaxChars int    // longer words are unknown
}

// NewWordPiece makes a WordPiece.
func NewWordPiece(c WordPieceConfig) (*WordPiece, error) {
	m := &WordPiece{vocab: c.Vocab, unknown: -1, maxChars: c.MaxChars}
	if id, ok := c.Vocab.ID(c.Unknown); ok {
		m.unknown = id
	}
	tails := map[string]int32{}
	for token, id := range c.Vocab.IDs() {
		if rest, ok := strings.CutPrefix(token, c.Prefix); ok {
			tails[rest] = id
		}
	}
	var err error
	if m.head, err = trie.New(c.Vocab.IDs()); err != nil {
		return nil, err
	}
	m.tail, err = trie.New(tails)
	return m, err
}

// Vocabulary implements Model.
func (m *WordPiece) Vocabulary() *Vocabulary { return m.vocab }

// Tokenize implements Model.
func (m *WordPiece) Tokenize(dst []Token, word []byte, _ *Scratch) ([]Token, error) {
	if len(word) > m.maxChars && utf8.RuneCount(word) > m.maxChars {
		return m.giveUp(dst, word)
	}
	if id, ok := m.vocab.ids[string(word)]; ok { // one probe for the many words that are one token
		return append(dst, Token{id, 0, int32(len(word))}), nil
	}
	from := len(dst)
	t := m.head
	for i := 0; i < len(word); {
		id, n := t.Longest(word[i:])
		if n == 0 {
			return m.giveUp(dst[:from], word)
		}
		dst = append(dst, Token{id, int32(i), int32(i + n)})
		i += n
		t = m.tail
	}
	return dst, nil
}

func (m *WordPiece) giveUp(dst []Token, word []byte) ([]Token, error) {
	if m.unknown < 0 {
		return dst, ErrUnknown
	}
	return append(dst, Token{m.unknown, 0, int32(len(word))}), nil
}

// WordLevel knows whole words only.
type WordLevel struct {
	vocab   *Vocabulary
	unknown int32 // -1 where the vocabulary has none
}

// NewWordLevel makes a WordLevel whose token for unknown words is unknown.
func NewWordLevel(v *Vocabulary, unknown string) *WordLevel {
	m := &WordLevel{v, -1}
	if id, ok := v.ID(unknown); ok {
		m.unknown = id
	}
	return m
}

// Vocabulary implements Model.
func (m *WordLevel) Vocabulary() *Vocabulary { return m.vocab }

// Tokenize implements Model.
func (m *WordLevel) Tokenize(dst []Token, word []byte, _ *Scratch) ([]Token, error) {
	id, ok := m.vocab.ids[string(word)]
	if !ok {
		id = m.unknown
	}
	if id < 0 {
		return dst, ErrUnknown
	}
	return append(dst, Token{id, 0, int32(len(word))}), nil
}
