// Package ucd holds the Unicode data that tokenizers were trained with. Hugging Face's library mixes several, partly
// old, Unicode versions; a token must not change because Go moved to a newer one, so what counts is frozen here, in
// tables.txt, as that library answers for each code point.
package ucd

import (
	_ "embed"
	"sync"
)

//go:embed tables.txt
var tablesText string

// A Class is what is known of one code point: flags, its grapheme class and its canonical combining class.
type Class uint32

// The flags of a Class.
const (
	Space       Class = 1 << iota // White_Space
	Punctuation                   // ASCII punctuation, and the general categories P* of an old Unicode version
	Numeric                       // general categories N*
	Word                          // \w
	Control                       // what BERT's cleaning removes: Cc, Cf, Co, NUL and U+FFFD
	Nonspacing                    // Mn of an old Unicode version: what BERT's accent stripping removes
	Mark                          // M* of an old Unicode version: what StripAccents removes
	Upper                         // \p{Lu}, as are all below in the version regular expressions use
	Lower                         // \p{Ll}
	Title                         // \p{Lt}
	Modifier                      // \p{Lm}
	OtherLetter                   // \p{Lo}
	AnyMark                       // \p{M}
	Number                        // \p{N}
	Digit                         // \p{Nd}
	Punct                         // \p{P}
	Symbol                        // \p{S}
	Han                           // \p{Han}
	linker                        // Indic_Conjunct_Break=Linker
	Composite                     // has a canonical or compatibility decomposition

	Letter = Upper | Lower | Title | Modifier | OtherLetter // \p{L}
)

const (
	graphemeShift = 20
	graphemeMask  = 15
	cccShift      = 24
)

// CCC returns the canonical combining class.
func (c Class) CCC() uint8 { return uint8(c >> cccShift) }

// Tables answers for all code points. It does not change after it is made and is safe for concurrent use.
type Tables struct {
	page       [0x110000 >> 8]uint16
	class      []Class // 256 for each distinct page
	lower      []caseRange
	canonical  map[rune][]rune
	compatible map[rune][]rune // where it differs from canonical
	pair       map[[2]rune]rune
}

// A caseRange maps every step-th code point from first to last to itself + delta.
type caseRange struct{ first, last, step, delta rune }

// Get returns the tables, made at the first call.
var Get = sync.OnceValue(func() *Tables {
	t, err := parse(tablesText)
	if err != nil { // the text is part of this package; its test reads it
		return &Tables{class: make([]Class, 256)}
	}
	return t
})

// Of returns r's class; 0 for what is no code point.
func (t *Tables) Of(r rune) Class {
	if uint32(r) >= 0x110000 {
		return 0
	}
	return t.class[int(t.page[r>>8])<<8|int(r&0xff)]
}

// Is reports whether r has one of the flags.
func (t *Tables) Is(r rune, flags Class) bool { return t.Of(r)&flags != 0 }

// ToLower returns r's lower-case form. Its second result is 0, except for U+0130, whose form is two code points.
func (t *Tables) ToLower(r rune) (rune, rune) {
	switch {
	case r < 0x80:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r, 0
	case r == 0x130:
		return 'i', 0x307
	}
	lo, hi := 0, len(t.lower)
	for lo < hi {
		if m := (lo + hi) / 2; t.lower[m].last < r {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo < len(t.lower) {
		if c := t.lower[lo]; r >= c.first && (r-c.first)%c.step == 0 {
			return r + c.delta, 0
		}
	}
	return r, 0
}
