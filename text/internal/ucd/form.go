package ucd

import (
	"slices"
	"unicode/utf8"
)

// A Form is a Unicode normalization form (Unicode Standard Annex 15).
type Form uint8

// The four forms.
const (
	NFC Form = iota
	NFD
	NFKC
	NFKD
)

// unchangedBelow says for each form below which code point no text changes.
var unchangedBelow = [...]rune{NFC: 0x300, NFD: 0xC0, NFKC: 0xA0, NFKD: 0xA0}

// Unchanged reports whether text, which is valid UTF-8, is plainly in the form already. It may say no of a text that is.
func (t *Tables) Unchanged(text []byte, f Form) bool {
	limit := unchangedBelow[f]
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r >= limit && (f == NFC || f == NFKC || t.Of(r)&(Composite|0xff<<cccShift) != 0) {
			return false
		}
		i += n
	}
	return true
}

// A Change is one code point of a changed text and how it came about: Delta 0 replaces the next code point of the old
// text, above 0 is inserted after the one before, -n replaces the next and removes the n after it.
type Change struct {
	Rune  rune
	Delta int32
}

// Hangul syllables decompose and compose by arithmetic (Unicode Standard, section 3.12).
const (
	hangulFirst, hangulLast = 0xAC00, 0xD7A3
	hangulL, hangulV        = 0x1100, 0x1161
	hangulT                 = 0x11A7
	countL, countV, countT  = 19, 21, 28
)

// AppendForm appends the changes that bring text into the form.
func (t *Tables) AppendForm(dst []Change, text []byte, f Form) []Change {
	from := len(dst)
	start := from // first change since the last starter, that is, what may still be reordered
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		i += n
		before := len(dst)
		dst = t.decompose(dst, r, f)
		for k := before; k < len(dst); k++ {
			if t.Of(dst[k].Rune).CCC() == 0 {
				t.reorder(dst[start:k])
				start = k
			}
		}
	}
	t.reorder(dst[start:])
	if f == NFC || f == NFKC {
		dst = t.compose(dst, from)
	}
	return dst
}

// decompose appends r's full decomposition: its first code point replaces r, the others are inserted.
func (t *Tables) decompose(dst []Change, r rune, f Form) []Change {
	if r < 0xA0 || t.Of(r)&Composite == 0 {
		return append(dst, Change{r, 0})
	}
	if hangulFirst <= r && r <= hangulLast {
		i := r - hangulFirst
		dst = append(dst, Change{hangulL + i/(countV*countT), 0}, Change{hangulV + i%(countV*countT)/countT, 1})
		if i%countT != 0 {
			dst = append(dst, Change{hangulT + i%countT, 1})
		}
		return dst
	}
	var parts []rune
	if f == NFKC || f == NFKD {
		parts = t.compatible[r]
	}
	if parts == nil {
		parts = t.canonical[r]
	}
	if parts == nil {
		return append(dst, Change{r, 0})
	}
	for k, p := range parts {
		dst = append(dst, Change{p, int32(min(k, 1))})
	}
	return dst
}

// Decomposed returns the canonical decomposition of r, or nil where it is r itself or r is a Hangul syllable.
func (t *Tables) Decomposed(r rune) []rune { return t.canonical[r] }

// reorder sorts marks by combining class, those of one class staying as they are.
func (t *Tables) reorder(c []Change) {
	if len(c) < 2 {
		return
	}
	slices.SortStableFunc(c, func(a, b Change) int {
		return int(t.Of(a.Rune).CCC()) - int(t.Of(b.Rune).CCC())
	})
}

// compose joins pairs in dst[from:], which is decomposed and in canonical order.
func (t *Tables) compose(dst []Change, from int) []Change {
	out := from
	starter := -1    // where in dst the last starter was written
	var last uint8   // combining class of the code point written after it
	blocked := false // whether one was written after it
	for _, c := range dst[from:] {
		class := t.Of(c.Rune).CCC()
		if starter >= 0 && (!blocked || last < class) {
			if r, ok := t.composed(dst[starter].Rune, c.Rune); ok {
				dst[starter].Rune = r
				dst[starter].Delta += c.Delta - 1
				continue
			}
		}
		if class == 0 {
			starter, blocked = out, false
		} else {
			last, blocked = class, true
		}
		dst[out] = c
		out++
	}
	return dst[:out]
}

func (t *Tables) composed(a, b rune) (rune, bool) {
	if l, v := a-hangulL, b-hangulV; l >= 0 && l < countL && v >= 0 && v < countV {
		return hangulFirst + (l*countV+v)*countT, true
	}
	if s, tail := a-hangulFirst, b-hangulT; s >= 0 && a <= hangulLast && s%countT == 0 && tail > 0 && tail < countT {
		return a + tail, true
	}
	r, ok := t.pair[[2]rune{a, b}]
	return r, ok
}
