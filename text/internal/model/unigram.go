package model

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/trie"
)

// Unigram cuts each word so that the sum of its tokens' scores is largest (Kudo 2018, by the Viterbi algorithm).
type Unigram struct {
	vocab    *Vocabulary
	trie     *trie.Trie
	scores   []float64
	unknown  int32   // -1 for none
	penalty  float64 // score of an unknown character
	fallback *[256]int32
	cache    *cache
}

// UnigramConfig is what a Unigram is made of.
type UnigramConfig struct {
	Tokens       []string // by id
	Scores       []float64
	Unknown      int  // id of the token for unknown characters, -1 for none
	ByteFallback bool // unknown characters become tokens <0x00> to <0xFF>
}

// unknownPenalty is how much worse than the worst token an unknown character is.
const unknownPenalty = 10

// NewUnigram makes a Unigram.
func NewUnigram(c UnigramConfig) (*Unigram, error) {
	if c.Unknown >= len(c.Tokens) {
		return nil, fmt.Errorf("the token for unknown characters is number %d, but there are %d tokens", c.Unknown, len(c.Tokens))
	}
	ids := make(map[string]int32, len(c.Tokens))
	lowest := math.Inf(1)
	for i, token := range c.Tokens {
		ids[token] = int32(i)
		lowest = min(lowest, c.Scores[i])
	}
	v, err := NewVocabulary(ids)
	if err != nil {
		return nil, err
	}
	for i, token := range c.Tokens {
		v.tokens[int32(i)] = token
	}
	v.size = len(c.Tokens) // a token that occurs twice counts twice
	m := &Unigram{vocab: v, scores: c.Scores, unknown: int32(max(c.Unknown, -1)), penalty: lowest - unknownPenalty, cache: newCache()}
	if c.ByteFallback {
		m.fallback = byteTable(v)
	}
	m.trie, err = trie.New(ids)
	return m, err
}

// Vocabulary implements Model.
func (m *Unigram) Vocabulary() *Vocabulary { return m.vocab }

// A node is the best way to cut a word up to one of its bytes: the score so far, and the last token and its first byte,
// which is -1 while no way is known.
type node struct {
	score float64
	start int32
	id    int32
}

// Tokenize implements Model.
func (m *Unigram) Tokenize(dst []Token, word []byte, s *Scratch) ([]Token, error) {
	slot := m.cache.slot(word)
	if tokens, ok := slot.get(word); ok {
		return append(dst, tokens...), nil
	}
	if err := m.cut(word, s); err != nil {
		return dst, err
	}
	from := len(dst)
	for end := int32(len(word)); end > 0; {
		n := s.nodes[end]
		last := len(dst) - 1
		if n.id == m.unknown && last >= from && dst[last].ID == n.id {
			dst[last].Start = n.start // a run of unknown characters is one token
		} else {
			dst = append(dst, Token{n.id, n.start, end})
		}
		end = n.start
	}
	for i, j := from, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	if m.unknown >= 0 {
		dst = m.spellUnknown(dst, from, word)
	}
	slot.put(word, dst[from:], s)
	return dst, nil
}

// cut fills s.nodes with the best ways to each byte of the word.
func (m *Unigram) cut(word []byte, s *Scratch) error {
	s.nodes = s.nodes[:0]
	for range len(word) + 1 {
		s.nodes = append(s.nodes, node{start: -1})
	}
	best := s.nodes
	t := m.trie
	for i := 0; i < len(word); {
		size := 1
		if word[i] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(word[i:])
		}
		sofar, single := best[i].score, false
		for k, n := i, int32(0); k < len(word); k++ {
			if n = t.Next(n, word[k]); n == 0 {
				break
			}
			id := t.ID(n)
			if id < 0 {
				continue
			}
			if score := sofar + m.scores[id]; best[k+1].start < 0 || score > best[k+1].score {
				best[k+1] = node{score, int32(i), id}
			}
			single = single || k+1-i == size
		}
		if !single {
			b := &best[i+size]
			if score := sofar + m.penalty; b.start < 0 || score > b.score {
				if m.unknown < 0 {
					return ErrUnknown
				}
				*b = node{score, int32(i), m.unknown}
			}
		}
		i += size
	}
	return nil
}

// spellUnknown looks at the unknown runs in dst[from:] again: one that is a token by itself becomes it, others become
// bytes where all of theirs have tokens.
func (m *Unigram) spellUnknown(dst []Token, from int, word []byte) []Token {
	for i := from; i < len(dst); i++ {
		t := dst[i]
		if t.ID != m.unknown {
			continue
		}
		text := word[t.Start:t.End]
		if id, ok := m.vocab.ids[string(text)]; ok {
			dst[i].ID = id
			continue
		}
		if !m.hasBytes(text) {
			continue
		}
		for range len(text) - 1 {
			dst = append(dst, Token{})
		}
		copy(dst[i+len(text):], dst[i+1:])
		for k, c := range text {
			dst[i+k] = Token{m.fallback[c], t.Start, t.End}
		}
		i += len(text) - 1
	}
	return dst
}

func (m *Unigram) hasBytes(text []byte) bool {
	if m.fallback == nil {
		return false
	}
	for _, c := range text {
		if m.fallback[c] < 0 {
			return false
		}
	}
	return true
}
