package ucd

import (
	"strings"
	"unicode/utf8"
)

// Valid returns s with each ill-formed part replaced by U+FFFD: one for each maximal subpart, as Python's
// errors="replace" and the WHATWG decoder do (Unicode Standard, section 3.9).
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			n = illFormed(s[i:])
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// illFormed returns the length of the maximal ill-formed subpart that s begins with.
func illFormed(s string) int {
	c := s[0]
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
	case c >= 0xF0 && c <= 0xF4:
		need = 3
	}
	switch c {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	n := 1
	for n <= need && n < len(s) && s[n] >= low && s[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}
