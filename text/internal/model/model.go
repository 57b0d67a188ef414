// Package model holds the third stage of a tokenizer: it turns words into tokens of a vocabulary.
package model

import (
	"errors"
	"fmt"
)

// A Token is a piece of a word, word[Start:End], and its id. Ends may lie beyond the word where a model counts bytes
// that are not in it.
type Token struct{ ID, Start, End int32 }

// A Model knows a vocabulary and how to cut words into it. Implementations do not change after they are made, except for
// caches, and are safe for concurrent use.
type Model interface {
	// Tokenize appends the tokens of word, which is not empty, to dst.
	Tokenize(dst []Token, word []byte, s *Scratch) ([]Token, error)
	// Vocabulary returns the model's tokens.
	Vocabulary() *Vocabulary
}

// Scratch is memory that calls of Tokenize use one after the other; each goroutine has its own. The zero value is ready.
type Scratch struct {
	symbols []symbol
	heap    []candidate
	nodes   []node
	ticks   uint32
}

// ErrUnknown is returned for a word that the vocabulary cannot spell when there is no token for the unknown.
var ErrUnknown = errors.New("a word is not in the vocabulary, and the vocabulary has no token for unknown words")

// A Vocabulary is a set of tokens with their ids.
type Vocabulary struct {
	ids    map[string]int32
	tokens map[int32]string
	size   int
}

// NewVocabulary makes a Vocabulary of ids, which it keeps. Ids must not be negative.
func NewVocabulary(ids map[string]int32) (*Vocabulary, error) {
	v := &Vocabulary{ids, make(map[int32]string, len(ids)), len(ids)}
	for token, id := range ids {
		if id < 0 {
			return nil, fmt.Errorf("token %q has the id %d", token, id)
		}
		if other, ok := v.tokens[id]; ok && other < token {
			continue // which of two tokens an id stands for must not depend on chance
		}
		v.tokens[id] = token
	}
	return v, nil
}

// ID returns a token's id.
func (v *Vocabulary) ID(token string) (int32, bool) {
	id, ok := v.ids[token]
	return id, ok
}

// Token returns an id's token.
func (v *Vocabulary) Token(id int32) (string, bool) {
	t, ok := v.tokens[id]
	return t, ok
}

// Len returns the number of tokens.
func (v *Vocabulary) Len() int { return v.size }

// IDs returns the ids by token; the caller must not change them.
func (v *Vocabulary) IDs() map[string]int32 { return v.ids }
