package pretokenize

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/ucd"
)

// decode returns the character at text[i:] and its length.
func decode(text []byte, i int) (rune, int) {
	if c := text[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRune(text[i:])
}

// A kind is what a scanner below needs to know of a character.
type kind uint8

const (
	inWord kind = iota // any other character
	space
	alone // a word of its own
)

// scanner cuts at white space, which goes, and around characters that stand alone.
type scanner struct {
	ascii [utf8.RuneSelf]kind
	alone ucd.Class // of other characters
}

func newScanner(alone ucd.Class) *scanner {
	s := &scanner{alone: alone}
	for i := range s.ascii {
		s.ascii[i] = s.slow(rune(i))
	}
	return s
}

func (s *scanner) slow(r rune) kind {
	switch c := ucd.Get().Of(r); {
	case c&ucd.Space != 0:
		return space
	case c&s.alone != 0:
		return alone
	}
	return inWord
}

func (s *scanner) cut(p *Pieces) {
	p.next = p.next[:0]
	text := p.Text.Bytes
	for _, w := range p.Words {
		if w.Added != NotAdded {
			p.next = append(p.next, w)
			continue
		}
		start := w.Start
		for i := w.Start; i < w.End; {
			k, n := inWord, int32(1)
			if c := text[i]; c < utf8.RuneSelf {
				if k = s.ascii[c]; k == inWord {
					i++
					continue
				}
			} else {
				r, m := utf8.DecodeRune(text[i:])
				k, n = s.slow(r), int32(m)
			}
			if k != inWord {
				if i > start {
					p.next = append(p.next, Word{start, i, NotAdded})
				}
				if k == alone {
					p.next = append(p.next, Word{i, i + n, NotAdded})
				}
				start = i + n
			}
			i += n
		}
		if w.End > start {
			p.next = append(p.next, Word{start, w.End, NotAdded})
		}
	}
	p.Words, p.next = p.next, p.Words
}

// Bert cuts at white space and around each punctuation character.
type Bert struct{ s *scanner }

// NewBert makes a Bert.
func NewBert() Bert { return Bert{newScanner(ucd.Punctuation)} }

// PreTokenize implements PreTokenizer.
func (b Bert) PreTokenize(p *Pieces) { b.s.cut(p) }

// WhitespaceSplit cuts at white space.
type WhitespaceSplit struct{ s *scanner }

// NewWhitespaceSplit makes a WhitespaceSplit.
func NewWhitespaceSplit() WhitespaceSplit { return WhitespaceSplit{newScanner(0)} }

// PreTokenize implements PreTokenizer.
func (w WhitespaceSplit) PreTokenize(p *Pieces) { w.s.cut(p) }

// Whitespace finds runs of word characters and runs of others that are no white space.
type Whitespace struct{}

// PreTokenize implements PreTokenizer.
func (Whitespace) PreTokenize(p *Pieces) {
	u := ucd.Get()
	text := p.Text.Bytes
	p.each(func(w Word) {
		start, before := int(w.Start), ucd.Space
		for i := int(w.Start); i < int(w.End); {
			r, n := decode(text, i)
			c := u.Of(r)
			now := c & ucd.Word
			if now == 0 {
				now = c & ucd.Space
			}
			if now != before {
				if before != ucd.Space {
					p.emit(start, i)
				}
				start, before = i, now
			}
			i += n
		}
		if before != ucd.Space {
			p.emit(start, int(w.End))
		}
	})
}

// Chars cuts by single characters: those of a class, or one given character.
type Chars struct {
	Class    ucd.Class
	Char     rune // where Class is 0
	Behavior Behavior
}

// PreTokenize implements PreTokenizer.
func (c Chars) PreTokenize(p *Pieces) {
	u := ucd.Get()
	text := p.Text.Bytes
	p.each(func(w Word) {
		p.parts = p.parts[:0]
		last := w.Start
		for i := int(w.Start); i < int(w.End); {
			r, n := decode(text, i)
			if c.Class != 0 && u.Is(r, c.Class) || c.Class == 0 && r == c.Char {
				if int(last) < i {
					p.parts = append(p.parts, part{last, int32(i), false})
				}
				last = int32(i + n)
				p.parts = append(p.parts, part{int32(i), last, true})
			}
			i += n
		}
		if last < w.End {
			p.parts = append(p.parts, part{last, w.End, false})
		}
		p.fold(c.Behavior)
	})
}

// FixedLength cuts into words of so many characters, at least 1.
type FixedLength int

// PreTokenize implements PreTokenizer.
func (f FixedLength) PreTokenize(p *Pieces) {
	text := p.Text.Bytes
	p.each(func(w Word) {
		start, count := int(w.Start), 0
		for i := start; i < int(w.End); {
			_, n := decode(text, i)
			i += n
			if count++; count == int(f) {
				p.emit(start, i)
				start, count = i, 0
			}
		}
		p.emit(start, int(w.End))
	})
}
