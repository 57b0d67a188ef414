package text

import (
	"strings"
	"unicode"
)

// Terms splits a text into words as a plain eye does, without any model: runs of letters, marks and digits, in lower case.
// Characters of scripts that put no space between words stand alone.
func Terms(s string) []string {
	var words []string
	start := -1
	s = strings.ToLower(s)
	end := func(at int) {
		if start >= 0 {
			words = append(words, s[start:at])
			start = -1
		}
	}
	for i, r := range s {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			end(i)
			words = append(words, string(r))
		case unicode.In(r, unicode.L, unicode.M, unicode.N):
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(s))
	return words
}

// Terms splits x as [Terms] does: what there is to see in it without a model.
func (p *Preprocessor) Terms(x string) []string { return Terms(x) }
