package text

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/aligned"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
	"github.com/onnx-graft/graft/text/internal/trie"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// An addedToken is a token that is found in a text before the model sees it.
type addedToken struct {
	id         int32
	content    string
	singleWord bool // only where no word character is beside it
	lstrip     bool // with the white space before it
	rstrip     bool // and after it
	normalized bool // found after normalization, not before
	special    bool // left out of a decoded text on request
}

// addedTokens are all added tokens of a tokenizer.
type addedTokens struct {
	list       []addedToken
	byContent  map[string]int32
	byID       map[int32]string // as decoders want them
	special    map[string]bool
	raw        finder // of those found before normalization
	normalized finder // of those found after
}

// newAddedTokens gives each token an id, as Hugging Face's library does when it loads them: that of the vocabulary where
// it knows the token, otherwise the next free one; ids in the file do not count.
func newAddedTokens(list []addedToken, t *Tokenizer) (addedTokens, error) {
	a := addedTokens{byContent: map[string]int32{}, byID: map[int32]string{}, special: map[string]bool{}}
	next := int32(t.model.Vocabulary().Len())
	raw, normalized := map[string]*addedToken{}, map[string]*addedToken{}
	for _, tok := range list {
		if tok.content == "" {
			continue
		}
		id, ok := a.byContent[tok.content]
		if !ok {
			id, ok = t.model.Vocabulary().ID(tok.content)
		}
		if !ok {
			id = next
			next++
		}
		tok.id = id
		a.byContent[tok.content] = id
		a.byID[id] = tok.content
		if tok.special {
			a.special[tok.content] = true
		}
		if !tok.normalized {
			raw[tok.content] = &tok
			delete(normalized, tok.content)
			a.list = append(a.list, tok)
			continue
		}
		pattern := tok.content
		if t.normalizer != nil {
			var s aligned.Text
			s.Reset(pattern, 0, false)
			t.normalizer.Normalize(&s)
			pattern = string(s.Bytes)
			a.byID[id] = pattern
		}
		if pattern != "" {
			normalized[pattern] = &tok
		}
		a.list = append(a.list, tok)
	}
	var err error
	if a.raw, err = newFinder(raw); err != nil {
		return a, err
	}
	a.normalized, err = newFinder(normalized)
	return a, err
}

// A finder finds added tokens in a text: the leftmost first, of several the longest.
type finder struct {
	trie   *trie.Trie // nil where there are none
	first  [256]bool  // bytes that begin one
	one    bool       // there is only one such byte: single
	single byte
	tokens []*addedToken
}

func newFinder(patterns map[string]*addedToken) (finder, error) {
	var f finder
	if len(patterns) == 0 {
		return f, nil
	}
	ids := make(map[string]int32, len(patterns))
	for p, tok := range patterns {
		ids[p] = int32(len(f.tokens))
		f.tokens = append(f.tokens, tok)
		f.first[p[0]] = true
	}
	count := 0
	for c, begins := range f.first {
		if begins {
			count++
			f.single = byte(c)
		}
	}
	f.one = count == 1
	var err error
	if f.trie, err = trie.New(ids); err != nil {
		return f, fmt.Errorf("added tokens: %w", err)
	}
	return f, nil
}

// A match is an added token in a text, with the white space that it takes along.
type match struct {
	id         int32
	start, end int
	resume     int  // where the search for the next one begins
	discarded  bool // it is not a single word as it should be, or its text is taken already
}

// next finds the next match at or after byte at. White space before byte last is taken already.
func (f *finder) next(text string, at, last int) (match, bool) {
	if f.trie == nil {
		return match{}, false
	}
	for ; at < len(text); at++ {
		if f.one {
			n := strings.IndexByte(text[at:], f.single)
			if n < 0 {
				return match{}, false
			}
			at += n
		} else if !f.first[text[at]] {
			continue
		}
		if i, n := f.longest(text[at:]); n > 0 {
			return f.fit(f.tokens[i], text, at, at+n, last), true
		}
	}
	return match{}, false
}

func (f *finder) longest(text string) (id int32, length int) {
	node := int32(0)
	for i := range len(text) {
		if node = f.trie.Next(node, text[i]); node == 0 {
			break
		}
		if v := f.trie.ID(node); v >= 0 {
			id, length = v, i+1
		}
	}
	return id, length
}

// fit applies the token's own rules to text[start:end].
func (f *finder) fit(tok *addedToken, text string, start, end, last int) match {
	u := ucd.Get()
	m := match{id: tok.id, start: start, end: end, resume: end, discarded: start < last}
	if tok.singleWord {
		before, n := utf8.DecodeLastRuneInString(text[:start])
		after, k := utf8.DecodeRuneInString(text[end:])
		m.discarded = m.discarded || n > 0 && u.Is(before, ucd.Word) || k > 0 && u.Is(after, ucd.Word)
	}
	for tok.lstrip && m.start > last {
		r, n := utf8.DecodeLastRuneInString(text[:m.start])
		if !u.Is(r, ucd.Space) {
			break
		}
		m.start -= n
	}
	for tok.rstrip && m.end < len(text) {
		r, n := utf8.DecodeRuneInString(text[m.end:])
		if !u.Is(r, ucd.Space) {
			break
		}
		m.end += n
	}
	return m
}

// split appends the parts of text to words: added tokens, and what lies between.
func (f *finder) split(words []pretokenize.Word, text []byte) []pretokenize.Word {
	last := 0
	if f.trie != nil && f.begins(text) {
		s := string(text)
		for at := 0; at < len(s); {
			m, ok := f.next(s, at, last)
			if !ok {
				break
			}
			at = m.resume
			if m.discarded {
				continue
			}
			if last < m.start {
				words = append(words, pretokenize.Word{Start: int32(last), End: int32(m.start), Added: pretokenize.NotAdded})
			}
			words = append(words, pretokenize.Word{Start: int32(m.start), End: int32(m.end), Added: m.id})
			last = m.end
		}
	}
	if last < len(text) {
		words = append(words, pretokenize.Word{Start: int32(last), End: int32(len(text)), Added: pretokenize.NotAdded})
	}
	return words
}

// begins reports whether an added token may be in text.
func (f *finder) begins(text []byte) bool {
	for _, c := range text {
		if f.first[c] {
			return true
		}
	}
	return false
}
