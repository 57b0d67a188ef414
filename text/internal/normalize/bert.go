package normalize

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/aligned"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// Bert is BERT's basic cleaning.
type Bert struct {
	Clean        bool // control characters go, white space becomes a space
	Chinese      bool // spaces around CJK ideographs
	StripAccents bool // NFD, then nonspacing marks go
	Lowercase    bool
}

// Normalize implements Normalizer.
func (b Bert) Normalize(t *aligned.Text) {
	if b.plain(t.Bytes) {
		if b.Lowercase {
			lowerASCII(t.Bytes)
		}
		return
	}
	u := ucd.Get()
	if b.StripAccents && mixes(t.Bytes, u) {
		b.inSteps(t, u)
		return
	}
	t.Begin()
	for i := 0; i < len(t.Bytes); {
		r, n := rune(t.Bytes[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.Bytes[i:])
		}
		b.put(t, u, r, i)
		i += n
	}
	t.End()
}

// plain reports whether nothing but lower-casing can change the text: printable ASCII.
func (b Bert) plain(text []byte) bool {
	for _, c := range text {
		if c >= 0x7F || c < 0x20 && b.Clean {
			return false
		}
	}
	return true
}

// mixes reports whether NFD may leave marks in the text that are no nonspacing ones, so that their order counts.
func mixes(text []byte, u *ucd.Tables) bool {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		i += n
		if r < 0x300 {
			continue
		}
		c := u.Of(r)
		if c.CCC() != 0 && c&ucd.Nonspacing == 0 {
			return true
		}
		if c&ucd.Composite != 0 {
			for _, d := range u.Decomposed(r) {
				if c := u.Of(d); c.CCC() != 0 && c&ucd.Nonspacing == 0 {
					return true
				}
			}
		}
	}
	return false
}

// put writes what becomes of the character r at byte i.
func (b Bert) put(t *aligned.Text, u *ucd.Tables, r rune, i int) {
	class := u.Of(r)
	if b.Clean {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			r = ' '
		case class&ucd.Control != 0:
			return
		case class&ucd.Space != 0:
			r = ' '
		}
	}
	chinese := b.Chinese && isChinese(r)
	if chinese {
		t.Put(' ', i)
	}
	switch {
	case !b.StripAccents:
		b.putLower(t, u, r, i)
	case r >= hangulFirst && r <= hangulLast:
		b.putHangul(t, r, i)
	default:
		b.putStripped(t, u, r, class, i)
	}
	if chinese {
		t.Put(' ', i)
	}
}

func (b Bert) putStripped(t *aligned.Text, u *ucd.Tables, r rune, class ucd.Class, i int) {
	var parts []rune
	if class&ucd.Composite != 0 {
		parts = u.Decomposed(r)
	}
	if parts == nil {
		if class&ucd.Nonspacing == 0 || r < utf8.RuneSelf {
			b.putLower(t, u, r, i)
		}
		return
	}
	for _, d := range parts {
		if !u.Is(d, ucd.Nonspacing) {
			b.putLower(t, u, d, i)
		}
	}
}

func (b Bert) putLower(t *aligned.Text, u *ucd.Tables, r rune, i int) {
	if !b.Lowercase {
		t.Put(r, i)
		return
	}
	r, more := u.ToLower(r)
	t.Put(r, i)
	if more != 0 {
		t.Put(more, i)
	}
}

const hangulFirst, hangulLast = 0xAC00, 0xD7A3

// putHangul writes the jamo of a syllable, which know neither case nor marks.
func (b Bert) putHangul(t *aligned.Text, r rune, i int) {
	s := r - hangulFirst
	t.Put(0x1100+s/588, i)
	t.Put(0x1161+s%588/28, i)
	if s%28 != 0 {
		t.Put(0x11A7+s%28, i)
	}
}

// inSteps does the same for any text, one rule after the other.
func (b Bert) inSteps(t *aligned.Text, u *ucd.Tables) {
	Bert{Clean: b.Clean, Chinese: b.Chinese}.Normalize(t)
	Form(ucd.NFD).Normalize(t)
	t.Filter(func(r rune) bool { return !u.Is(r, ucd.Nonspacing) })
	if b.Lowercase {
		Lowercase{}.Normalize(t)
	}
}

// isChinese reports whether r lies in the blocks that BERT's reference code calls Chinese.
func isChinese(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4DBF, r >= 0x4E00 && r <= 0x9FFF, r >= 0xF900 && r <= 0xFAFF:
		return true
	case r < 0x20000:
		return false
	}
	return r <= 0x2A6DF || r >= 0x2A700 && r <= 0x2B73F || r >= 0x2B740 && r <= 0x2B81F ||
		r >= 0x2B920 && r <= 0x2CEAF || r >= 0x2F800 && r <= 0x2FA1F
}
