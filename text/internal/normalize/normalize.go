// Package normalize holds the first stage of a tokenizer: what is done to a text before it is cut into words.
package normalize

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/aligned"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A Normalizer changes a text. Implementations do not change after they are made and are safe for concurrent use.
type Normalizer interface {
	Normalize(t *aligned.Text)
}

// Sequence runs its normalizers one after the other.
type Sequence []Normalizer

// Normalize implements Normalizer.
func (s Sequence) Normalize(t *aligned.Text) {
	for _, n := range s {
		n.Normalize(t)
	}
}

// A Form brings text into a Unicode normalization form.
type Form ucd.Form

// Normalize implements Normalizer.
func (f Form) Normalize(t *aligned.Text) {
	u := ucd.Get()
	if u.Unchanged(t.Bytes, ucd.Form(f)) {
		return
	}
	t.Apply(u.AppendForm(t.Changes(), t.Bytes, ucd.Form(f)))
}

// Lowercase maps each character to lower case, without regard to context.
type Lowercase struct{}

// Normalize implements Normalizer.
func (Lowercase) Normalize(t *aligned.Text) {
	if lowerASCII(t.Bytes) {
		return
	}
	u := ucd.Get()
	t.Begin()
	for i := 0; i < len(t.Bytes); {
		r, n := utf8.DecodeRune(t.Bytes[i:])
		a, b := u.ToLower(r)
		t.Put(a, i)
		if b != 0 {
			t.Put(b, i)
		}
		i += n
	}
	t.End()
}

// lowerASCII maps text to lower case in place and reports whether it could: whether all of it is ASCII. What it maps of
// other text stays mapped.
func lowerASCII(text []byte) bool {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
		if 'A' <= c && c <= 'Z' {
			text[i] = c + ('a' - 'A')
		}
	}
	return true
}

// StripAccents removes combining marks; it is of use after a decomposition.
type StripAccents struct{}

// Normalize implements Normalizer.
func (StripAccents) Normalize(t *aligned.Text) {
	if ascii(t.Bytes) {
		return
	}
	u := ucd.Get()
	t.Filter(func(r rune) bool { return r < utf8.RuneSelf || !u.Is(r, ucd.Mark) })
}

// Strip removes white space at the ends.
type Strip struct{ Left, Right bool }

// Normalize implements Normalizer.
func (s Strip) Normalize(t *aligned.Text) {
	u := ucd.Get()
	from, to := 0, len(t.Bytes)
	for s.Left && from < to {
		r, n := utf8.DecodeRune(t.Bytes[from:])
		if !u.Is(r, ucd.Space) {
			break
		}
		from += n
	}
	for s.Right && from < to {
		r, n := utf8.DecodeLastRune(t.Bytes[:to])
		if !u.Is(r, ucd.Space) {
			break
		}
		to -= n
	}
	if from > 0 || to < len(t.Bytes) {
		t.Begin()
		t.Keep(from, to)
		t.End()
	}
}

// Prepend puts a text before one that is not empty.
type Prepend string

// Normalize implements Normalizer.
func (p Prepend) Normalize(t *aligned.Text) {
	if len(t.Bytes) == 0 {
		return
	}
	t.Begin()
	for _, r := range string(p) {
		t.Put(r, 0)
	}
	t.Keep(0, len(t.Bytes))
	t.End()
}

// Nmt cleans text the way SentencePiece's nmt rules do: some control characters go, unusual white space becomes a space.
type Nmt struct{}

// Normalize implements Normalizer.
func (Nmt) Normalize(t *aligned.Text) {
	t.Map(func(r rune) (rune, bool) {
		switch {
		case r >= 1 && r <= 8, r == 0xB, r >= 0xE && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
			return 0, false
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, r >= 0x200B && r <= 0x200F, r == 0x2028, r == 0x2029,
			r == 0x2581, r == 0xFEFF, r == 0xFFFD:
			return ' ', true
		}
		return r, true
	})
}

// A Matcher finds the next match in text at or after from, or returns a start below 0. A match ends after it starts, or
// is empty.
type Matcher interface {
	Find(text []byte, from int) (start, end int)
}

// Replace puts Content in the place of every match.
type Replace struct {
	Pattern Matcher
	Content string
}

// Normalize implements Normalizer.
func (p Replace) Normalize(t *aligned.Text) {
	start, end := p.Pattern.Find(t.Bytes, 0)
	if start < 0 {
		return
	}
	t.Begin()
	last := 0
	for start >= 0 && !t.Full() {
		t.Keep(last, start)
		for _, r := range p.Content {
			t.PutAfter(r, end)
		}
		last = end
		start, end = p.Pattern.Find(t.Bytes, Next(t.Bytes, start, end))
	}
	t.Keep(last, len(t.Bytes))
	t.End()
}

// Next returns where to look for the match after that of text[start:end].
func Next(text []byte, start, end int) int {
	if end > start {
		return end
	}
	_, n := utf8.DecodeRune(text[end:])
	return end + max(n, 1)
}

// ByteLevel replaces each byte by the printable character GPT-2 writes for it.
type ByteLevel struct{ Chars *[256]rune }

// Normalize implements Normalizer.
func (b ByteLevel) Normalize(t *aligned.Text) {
	t.Begin()
	for i, c := range t.Bytes {
		t.Put(b.Chars[c], i)
	}
	t.End()
}

func ascii(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
