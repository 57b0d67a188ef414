// Package aligned holds a text that is being changed on its way to the tokens and remembers, for every byte, which
// characters of the original it came from.
package aligned

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A Span is a range of bytes of the original text, on character boundaries.
type Span struct{ Start, End int32 }

// A Text is valid UTF-8 under change. The zero value is empty and ready for Reset; Reset reuses its memory.
// Not safe for concurrent use.
type Text struct {
	Bytes []byte

	spans  []Span // of each of Bytes, unless exact
	exact  bool   // Bytes is the original text from base on
	base   int32  // where in the original the text begins
	track  bool   // whether spans are wanted at all
	limit  int    // how long the text may grow
	grew   bool   // it was about to grow longer
	out    []byte // the text being written, and its spans
	outPos []Span
	change []ucd.Change
}

// Reset makes the text a copy of s, which is valid UTF-8 and lies at byte base of the original. Without track no spans
// are kept and Span gives zeros.
func (t *Text) Reset(s string, base int32, track bool) {
	t.Bytes = append(t.Bytes[:0], s...)
	t.exact, t.base, t.track = true, base, track
	t.limit, t.grew = min(len(s)*growth+minGrowth, 1<<30), false
}

// A text may grow to so many times its length, and to so many bytes in any case: rules of a file that make it grow without
// end must not eat the memory.
const (
	growth    = 64
	minGrowth = 1 << 16
)

// Grew reports whether the text was about to grow beyond all reason. It is empty then.
func (t *Text) Grew() bool { return t.grew }

// Full reports whether the new version is as long as it may get; what writes more for a character than a few bytes asks.
func (t *Text) Full() bool { return len(t.out) > t.limit }

// Span returns what Bytes[i:j] came from, 0 ≤ i ≤ j ≤ len(Bytes).
func (t *Text) Span(i, j int) Span {
	switch {
	case !t.track:
		return Span{}
	case i >= j:
		return Span{t.base, t.base}
	case t.exact:
		return t.exactSpan(i, j)
	}
	return Span{t.spans[i].Start, t.spans[j-1].End}
}

// exactSpan is Span of a text that is still the original: the range, widened to whole characters.
func (t *Text) exactSpan(i, j int) Span {
	for i > 0 && t.Bytes[i]&0xC0 == 0x80 {
		i--
	}
	for j < len(t.Bytes) && t.Bytes[j]&0xC0 == 0x80 {
		j++
	}
	return Span{t.base + int32(i), t.base + int32(j)}
}

// Start returns where in the original Bytes[i:] begins.
func (t *Text) Start(i int) int32 {
	if i >= len(t.Bytes) {
		return t.base
	}
	if t.exact {
		return t.base + int32(i)
	}
	if !t.track {
		return 0
	}
	return t.spans[i].Start
}

// Tracks reports whether spans are kept.
func (t *Text) Tracks() bool { return t.track }

// loosen writes down the spans of a text that is still the original.
func (t *Text) loosen() {
	if !t.exact {
		return
	}
	t.exact = false
	if !t.track {
		return
	}
	t.spans = t.spans[:0]
	for i := 0; i < len(t.Bytes); {
		n := 1
		if t.Bytes[i] >= utf8.RuneSelf {
			_, n = utf8.DecodeRune(t.Bytes[i:])
		}
		s := Span{t.base + int32(i), t.base + int32(i+n)}
		for range n {
			t.spans = append(t.spans, s)
		}
		i += n
	}
}

// Begin starts writing a new version of the text, to be read from Bytes until End.
func (t *Text) Begin() {
	t.loosen()
	t.out, t.outPos = t.out[:0], t.outPos[:0]
}

// Keep copies Bytes[i:j] to the new version.
func (t *Text) Keep(i, j int) {
	t.out = append(t.out, t.Bytes[i:j]...)
	if t.track {
		t.outPos = append(t.outPos, t.spans[i:j]...)
	}
}

// Put writes r to the new version in place of the character at Bytes[i:].
func (t *Text) Put(r rune, i int) {
	n := len(t.out)
	if r < utf8.RuneSelf {
		t.out = append(t.out, byte(r))
	} else {
		t.out = utf8.AppendRune(t.out, r)
	}
	if !t.track {
		return
	}
	s := t.spans[i]
	for range len(t.out) - n {
		t.outPos = append(t.outPos, s)
	}
}

// PutAfter writes r to the new version as something that follows Bytes[:i].
func (t *Text) PutAfter(r rune, i int) {
	if i > 0 {
		t.Put(r, i-1)
		return
	}
	n := len(t.out)
	t.out = utf8.AppendRune(t.out, r)
	for range len(t.out) - n {
		if t.track {
			t.outPos = append(t.outPos, Span{t.base, t.base})
		}
	}
}

// Written returns the length of the new version so far.
func (t *Text) Written() int { return len(t.out) }

// End makes the new version the text.
func (t *Text) End() {
	t.Bytes, t.out = t.out, t.Bytes
	t.spans, t.outPos = t.outPos, t.spans
	if len(t.Bytes) > t.limit {
		t.grew = true
		t.Bytes, t.spans = t.Bytes[:0], t.spans[:0]
	}
}

// Transform replaces the text by the changes, which account for all of its characters in order.
func (t *Text) Transform(changes []ucd.Change) {
	t.Begin()
	at := 0
	next := func() {
		if at < len(t.Bytes) {
			_, n := utf8.DecodeRune(t.Bytes[at:])
			at += n
		}
	}
	for _, c := range changes {
		if c.Delta > 0 || at >= len(t.Bytes) {
			t.PutAfter(c.Rune, at)
			continue
		}
		t.Put(c.Rune, at)
		for range 1 - c.Delta {
			next()
		}
	}
	t.End()
}

// Changes returns an empty list to collect changes in; it is used again by the next call.
func (t *Text) Changes() []ucd.Change { return t.change[:0] }

// Apply is Transform for a list begun with Changes.
func (t *Text) Apply(changes []ucd.Change) {
	t.change = changes
	t.Transform(changes)
}

// Filter removes the characters that keep refuses.
func (t *Text) Filter(keep func(r rune) bool) {
	t.Map(func(r rune) (rune, bool) { return r, keep(r) })
}

// Map replaces each character by f's first result, or removes it where the second is false.
func (t *Text) Map(f func(r rune) (rune, bool)) {
	t.Begin()
	for i := 0; i < len(t.Bytes); {
		r, n := rune(t.Bytes[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.Bytes[i:])
		}
		if r, ok := f(r); ok {
			t.Put(r, i)
		}
		i += n
	}
	t.End()
}
