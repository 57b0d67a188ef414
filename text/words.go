package text

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// FirstTokens returns, for each of a text's words, given as ranges of its bytes in order, the number of the first of its
// tokens among those that Feeds makes of the text, without padding; -1 for a word that no token stands for, because the
// tokenizer drops it or the text is cut before it.
func (p *Preprocessor) FirstTokens(x string, words [][2]int) ([]int, error) {
	if !utf8.ValidString(x) {
		return nil, fmt.Errorf("text: a text with tagged words must be UTF-8")
	}
	e, err := p.Tokenizer.Encode(x, nil, EncodeOptions{Truncation: Truncation{MaxLength: p.MaxLength, Side: p.Tokenizer.Truncation.Side}})
	if err != nil {
		return nil, err
	}
	first := make([]int, len(words))
	chars, at := 0, 0 // characters before byte at
	token := 0
	for i, w := range words {
		if w[0] < at || w[1] <= w[0] || w[1] > len(x) {
			return nil, fmt.Errorf("text: word %d is bytes %d to %d of %d; words must not be empty and follow one another", i, w[0], w[1], len(x))
		}
		chars += utf8.RuneCountInString(x[at:w[0]])
		end := chars + utf8.RuneCountInString(x[w[0]:w[1]])
		for token < e.Len() && (e.SpecialTokensMask[token] == 1 || e.Offsets[token].End <= chars) {
			token++
		}
		first[i] = -1
		if token < e.Len() && e.Offsets[token].Start < end {
			first[i] = token
		}
		chars, at = end, w[1]
	}
	return first, nil
}

// Words returns the words of a text as ranges of its bytes: what spaces part, with punctuation at either end set apart,
// though @ and # stay at the start of a name, and an 's at the end.
func (*Preprocessor) Words(x string) [][2]int {
	var words [][2]int
	for start := 0; start < len(x); {
		r, size := utf8.DecodeRuneInString(x[start:])
		if unicode.IsSpace(r) {
			start += size
			continue
		}
		end := start
		for end < len(x) {
			r, size := utf8.DecodeRuneInString(x[end:])
			if unicode.IsSpace(r) {
				break
			}
			end += size
		}
		words = appendWord(words, x, start, end)
		start = end
	}
	return words
}

// appendWord appends the words of a part without spaces.
func appendWord(words [][2]int, x string, start, end int) [][2]int {
	for start < end {
		r, size := utf8.DecodeRuneInString(x[start:end])
		if !isMark(r) || (r == '@' || r == '#') && start+size < end {
			break
		}
		words = append(words, [2]int{start, start + size})
		start += size
	}
	var tail [][2]int
	for start < end {
		r, size := utf8.DecodeLastRuneInString(x[start:end])
		if s := x[start:end]; len(s) > 2 && s[len(s)-2] == '\'' && (r == 's' || r == 'S') {
			size = 2
		} else if !isMark(r) {
			break
		}
		tail = append(tail, [2]int{end - size, end})
		end -= size
	}
	if start < end {
		words = append(words, [2]int{start, end})
	}
	for i := len(tail) - 1; i >= 0; i-- {
		words = append(words, tail[i])
	}
	return words
}

func isMark(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
