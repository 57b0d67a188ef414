package model

import (
	"fmt"
	"unicode/utf8"
)

// BPE starts from a word's characters (or bytes) and joins neighbours, the pair learned first before all others, until
// no learned pair is left.
type BPE struct {
	vocab        *Vocabulary
	merges       mergeTable
	ascii        [utf8.RuneSelf]int32 // ids of characters, -1 for none
	chars        map[rune]int32       // of the others
	bytes        *[256]int32          // ids of bytes, where words are taken as bytes
	whole        map[string]int32     // words taken whole before any joining; nil without ignore_merges
	fallback     *[256]int32          // ids of <0x00> to <0xFF>, -1 for none; nil without byte_fallback
	prefix       string               // of characters that do not begin a word
	suffix       string               // of the character that ends a word
	unknown      int32                // -1 for none
	unknownKnown bool                 // a token for the unknown is named, so it must be in the vocabulary
	fuse         bool
	cache        *cache
}

// BPEConfig is what a BPE is made of.
type BPEConfig struct {
	Vocab        *Vocabulary
	Merges       [][2]string
	Unknown      string // token for unknown characters; they are dropped where it is empty
	Prefix       string // of characters that do not begin a word, as a rule ""
	Suffix       string // of the character that ends a word, as a rule ""
	FuseUnknown  bool   // one token for a run of unknown characters
	ByteFallback bool   // unknown characters become tokens <0x00> to <0xFF>
	IgnoreMerges bool   // words in the vocabulary are taken whole
	Bytes        *[256]rune
	// Bytes, where not nil, says that words come as bytes and which character the vocabulary writes for each.
}

// NewBPE makes a BPE.
func NewBPE(c BPEConfig) (*BPE, error) {
	m := &BPE{vocab: c.Vocab, unknown: -1, unknownKnown: c.Unknown != "", fuse: c.FuseUnknown, prefix: c.Prefix,
		suffix: c.Suffix, cache: newCache()}
	if id, ok := c.Vocab.ID(c.Unknown); ok && c.Unknown != "" {
		m.unknown = id
	}
	if err := m.learn(c); err != nil {
		return nil, err
	}
	m.ascii, m.chars = charTable(c.Vocab.IDs())
	if c.ByteFallback {
		m.fallback = byteTable(c.Vocab)
	}
	if c.IgnoreMerges {
		m.whole = c.Vocab.IDs()
	}
	if c.Bytes != nil {
		m.takeBytes(c)
	}
	return m, nil
}

// CanTakeBytes reports whether a vocabulary has a token for every byte, written by chars, so that Bytes may be set.
func (c BPEConfig) CanTakeBytes(chars *[256]rune) bool {
	for _, r := range chars {
		if _, ok := c.Vocab.ID(string(r)); !ok {
			return false
		}
	}
	return c.Prefix == "" && c.Suffix == "" && !c.ByteFallback
}

// learn fills the table of merges.
func (m *BPE) learn(c BPEConfig) error {
	m.merges = newMergeTable(len(c.Merges))
	for rank, pair := range c.Merges {
		a, okA := c.Vocab.ID(pair[0])
		b, okB := c.Vocab.ID(pair[1])
		if !okA || !okB {
			return fmt.Errorf("merge %d joins %q and %q, which are not both in the vocabulary", rank, pair[0], pair[1])
		}
		rest := pair[1]
		for range utf8.RuneCountInString(c.Prefix) {
			_, n := utf8.DecodeRuneInString(rest)
			rest = rest[n:]
		}
		id, ok := c.Vocab.ID(pair[0] + rest)
		if !ok {
			return fmt.Errorf("merge %d makes %q, which is not in the vocabulary", rank, pair[0]+rest)
		}
		m.merges.put(a, b, merge{int32(rank), id})
	}
	return nil
}

// takeBytes prepares for words that come as bytes.
func (m *BPE) takeBytes(c BPEConfig) {
	m.bytes = new([256]int32)
	of := map[rune]byte{}
	for b, r := range c.Bytes {
		m.bytes[b], _ = c.Vocab.ID(string(r))
		of[r] = byte(b)
	}
	if m.whole == nil {
		return
	}
	m.whole = map[string]int32{}
	for token, id := range c.Vocab.IDs() {
		raw := make([]byte, 0, len(token))
		for _, r := range token {
			b, ok := of[r]
			if !ok {
				raw = nil
				break
			}
			raw = append(raw, b)
		}
		if len(raw) > 0 {
			m.whole[string(raw)] = id
		}
	}
}

func charTable(ids map[string]int32) (ascii [utf8.RuneSelf]int32, chars map[rune]int32) {
	for i := range ascii {
		ascii[i] = -1
	}
	chars = map[rune]int32{}
	for token, id := range ids {
		r, n := utf8.DecodeRuneInString(token)
		switch {
		case n == 0 || n != len(token):
		case r < utf8.RuneSelf:
			ascii[r] = id
		default:
			chars[r] = id
		}
	}
	return ascii, chars
}

func byteTable(v *Vocabulary) *[256]int32 {
	t := new([256]int32)
	for b := range t {
		t[b] = -1
		if id, ok := v.ID(fmt.Sprintf("<0x%02X>", b)); ok {
			t[b] = id
		}
	}
	return t
}

// Vocabulary implements Model.
func (m *BPE) Vocabulary() *Vocabulary { return m.vocab }

// Tokenize implements Model.
func (m *BPE) Tokenize(dst []Token, word []byte, s *Scratch) ([]Token, error) {
	if m.whole != nil {
		if id, ok := m.whole[string(word)]; ok {
			return append(dst, Token{id, 0, int32(len(word))}), nil
		}
	}
	slot := m.cache.slot(word)
	if tokens, ok := slot.get(word); ok {
		return append(dst, tokens...), nil
	}
	if err := m.spell(word, s); err != nil {
		return dst, err
	}
	m.join(s)
	from := len(dst)
	at := int32(0)
	for i := int32(0); i >= 0 && int(i) < len(s.symbols); i = s.symbols[i].next {
		end := at + s.symbols[i].size
		dst = append(dst, Token{s.symbols[i].id, at, end})
		at = end
	}
	slot.put(word, dst[from:], s)
	return dst, nil
}

// spell makes the word's characters the symbols.
func (m *BPE) spell(word []byte, s *Scratch) error {
	s.symbols = s.symbols[:0]
	if m.bytes != nil {
		for _, c := range word {
			s.add(m.bytes[c], 1)
		}
		return nil
	}
	unknown := int32(0) // bytes of unknown characters for which no symbol is written yet
	for i := 0; i < len(word); {
		r, n := rune(word[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(word[i:])
		}
		id, known := m.char(r, word[i:i+n], i == 0, i+n == len(word))
		switch {
		case known:
			if unknown > 0 {
				s.add(m.unknown, unknown)
				unknown = 0
			}
			s.add(id, int32(n))
		case m.addBytes(word[i:i+n], s):
		case !m.unknownKnown: // dropped
		case m.unknown < 0:
			return ErrUnknown
		case unknown > 0 && !m.fuse:
			s.add(m.unknown, unknown)
			unknown = int32(n)
		default:
			unknown += int32(n)
		}
		i += n
	}
	if unknown > 0 {
		s.add(m.unknown, unknown)
	}
	return nil
}

// char returns the id of the character r, text, by its place in the word.
func (m *BPE) char(r rune, text []byte, first, last bool) (int32, bool) {
	if (m.prefix != "" && !first) || (m.suffix != "" && last) {
		s := string(text)
		if !first {
			s = m.prefix + s
		}
		if last {
			s += m.suffix
		}
		return m.vocab.ID(s)
	}
	if r < utf8.RuneSelf {
		return m.ascii[r], m.ascii[r] >= 0
	}
	id, ok := m.chars[r]
	return id, ok
}

// addBytes adds a symbol for each byte and reports whether all of them have one.
func (m *BPE) addBytes(text []byte, s *Scratch) bool {
	if m.fallback == nil {
		return false
	}
	for _, c := range text {
		if m.fallback[c] < 0 {
			return false
		}
	}
	for _, c := range text {
		s.add(m.fallback[c], 1)
	}
	return true
}
