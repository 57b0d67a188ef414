package model

import (
	"hash/maphash"
	"sync/atomic"
)

// A cache remembers the tokens of words met before. It holds a fixed number of short words, forgets by chance, and never
// changes an answer.
type cache struct {
	seed  maphash.Seed
	slots []slot
}

const (
	cacheSlots   = 1 << 15
	cachedBytes  = 32 // longest word
	cachedTokens = 10 // most tokens
	replaceEvery = 8  // of so many words that would take another's place one does
)

type slot struct{ p atomic.Pointer[cached] }

type cached struct {
	size   uint8
	count  uint8
	word   [cachedBytes]byte
	tokens [cachedTokens]Token
}

func newCache() *cache { return &cache{maphash.MakeSeed(), make([]slot, cacheSlots)} }

// slot returns where a word's tokens may be, nil for a word that is too long.
func (c *cache) slot(word []byte) *slot {
	if len(word) > cachedBytes {
		return nil
	}
	return &c.slots[maphash.Bytes(c.seed, word)&(cacheSlots-1)]
}

func (s *slot) get(word []byte) ([]Token, bool) {
	if s == nil {
		return nil, false
	}
	e := s.p.Load()
	if e == nil || string(e.word[:e.size]) != string(word) {
		return nil, false
	}
	return e.tokens[:e.count], true
}

func (s *slot) put(word []byte, tokens []Token, scratch *Scratch) {
	if s == nil || len(tokens) > cachedTokens {
		return
	}
	if s.p.Load() != nil {
		if scratch.ticks++; scratch.ticks%replaceEvery != 0 {
			return
		}
	}
	e := &cached{size: uint8(len(word)), count: uint8(len(tokens))}
	copy(e.word[:], word)
	copy(e.tokens[:], tokens)
	s.p.Store(e)
}
