package pretokenize

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/ucd"
)

// ByteLevel cuts as GPT-2 does and may then write each byte as a printable character.
type ByteLevel struct {
	PrefixSpace bool       // a space before each word that begins with none
	Split       bool       // by GPT-2's pattern
	Chars       *[256]rune // how to write bytes; nil where the model takes them as they are
}

// PreTokenize implements PreTokenizer.
func (b ByteLevel) PreTokenize(p *Pieces) {
	if b.PrefixSpace {
		prefixSpace(p)
	}
	if b.Split {
		splitGPT2(p)
	}
	if b.Chars != nil {
		b.write(p)
	}
}

func prefixSpace(p *Pieces) {
	t := &p.Text
	missing := false
	for _, w := range p.Words {
		missing = missing || w.Added == NotAdded && t.Bytes[w.Start] != ' '
	}
	if !missing {
		return
	}
	t.Begin()
	for k, w := range p.Words {
		from := t.Written()
		if w.Added == NotAdded && t.Bytes[w.Start] != ' ' {
			t.Put(' ', int(w.Start))
		}
		t.Keep(int(w.Start), int(w.End))
		p.Words[k] = Word{int32(from), int32(t.Written()), w.Added}
	}
	t.End()
}

func (b ByteLevel) write(p *Pieces) {
	t := &p.Text
	t.Begin()
	for k, w := range p.Words {
		from := t.Written()
		if w.Added != NotAdded {
			t.Keep(int(w.Start), int(w.End))
		}
		for i := w.Start; i < w.End && w.Added == NotAdded; i++ {
			t.Put(b.Chars[t.Bytes[i]], int(i))
		}
		p.Words[k] = Word{int32(from), int32(t.Written()), w.Added}
	}
	t.End()
}

// What GPT-2's pattern tells apart.
const (
	gptOther uint8 = iota
	gptLetter
	gptNumber
	gptSpace
)

// gptASCII is gptKind of the first 128 characters.
var gptASCII = func() (kinds [utf8.RuneSelf]uint8) {
	for c := range kinds {
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			kinds[c] = gptLetter
		case c >= '0' && c <= '9':
			kinds[c] = gptNumber
		case c == ' ' || c >= '\t' && c <= '\r':
			kinds[c] = gptSpace
		}
	}
	return kinds
}()

// gptKind returns what the character at text[i:] is and its length.
func gptKind(u *ucd.Tables, text []byte, i int) (uint8, int) {
	if c := text[i]; c < utf8.RuneSelf {
		return gptASCII[c], 1
	}
	r, n := utf8.DecodeRune(text[i:])
	switch c := u.Of(r); {
	case c&ucd.Letter != 0:
		return gptLetter, n
	case c&ucd.Number != 0:
		return gptNumber, n
	case c&ucd.Space != 0:
		return gptSpace, n
	}
	return gptOther, n
}

// splitGPT2 cuts by 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+, which matches everywhere.
func splitGPT2(p *Pieces) {
	u := ucd.Get()
	p.next = p.next[:0]
	for _, w := range p.Words {
		if w.Added != NotAdded {
			p.next = append(p.next, w)
			continue
		}
		text := p.Text.Bytes[:w.End]
		for i := int(w.Start); i < len(text); {
			n := gptMatch(u, text, i)
			p.next = append(p.next, Word{int32(i), int32(i + n), NotAdded})
			i += n
		}
	}
	p.Words, p.next = p.next, p.Words
}

// gptMatch returns the length of the match at text[i:].
func gptMatch(u *ucd.Tables, text []byte, i int) int {
	if text[i] == '\'' {
		if n := contraction(text[i+1:]); n > 0 {
			return 1 + n
		}
	}
	from := i
	if text[i] == ' ' && i+1 < len(text) {
		i++
	}
	k, n := gptKind(u, text, i)
	if k != gptSpace {
		i += n
		for i < len(text) {
			next, n := gptKind(u, text, i)
			if next != k {
				break
			}
			i += n
		}
		return i - from
	}
	i = from
	last := i // where the last white-space character begins
	for i < len(text) {
		k, n := gptKind(u, text, i)
		if k != gptSpace {
			if last > from {
				return last - from
			}
			break
		}
		last = i
		i += n
	}
	return i - from
}

func contraction(s []byte) int {
	switch {
	case len(s) > 0 && (s[0] == 's' || s[0] == 't' || s[0] == 'm' || s[0] == 'd'):
		return 1
	case len(s) > 1 && (s[0] == 'r' && s[1] == 'e' || s[0] == 'v' && s[1] == 'e' || s[0] == 'l' && s[1] == 'l'):
		return 2
	}
	return 0
}

// ByteChars returns GPT-2's printable character for each byte.
func ByteChars() *[256]rune {
	var chars [256]rune
	next := rune(256)
	for b := range chars {
		if b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE {
			chars[b] = rune(b)
		} else {
			chars[b] = next
			next++
		}
	}
	return &chars
}
