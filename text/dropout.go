package text

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode"
)

// A WordDropout makes random views of texts for training: some words are masked, or left out where the tokenizer has no mask.
// What is drawn depends on Seed, the view's number and the text alone.
type WordDropout struct {
	Rate float64 // how likely a word is hit, 0 to below 1
	Seed uint64
	Mask string // takes a word's place; "" leaves it out
}

// WordDropout returns one with the tokenizer's mask.
func (t *Tokenizer) WordDropout(rate float64, seed uint64) (WordDropout, error) {
	if !(rate >= 0 && rate < 1) {
		return WordDropout{}, fmt.Errorf("text: word dropout is %g, want from 0 to below 1", rate)
	}
	d := WordDropout{Rate: rate, Seed: seed}
	for _, mask := range []string{"[MASK]", "<mask>"} {
		if _, ok := t.ID(mask); ok {
			d.Mask = mask
			break
		}
	}
	return d, nil
}

// View returns view n of a text. One word at least stays. In scripts that are written without spaces each character is a word.
func (d WordDropout) View(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	r := rand.New(rand.NewPCG(d.Seed^binary.LittleEndian.Uint64(sum[:]), uint64(n)^binary.LittleEndian.Uint64(sum[8:])))
	words := pieces(text)
	spare := r.IntN(max(1, len(words)))
	var b strings.Builder
	end := 0
	for i, w := range words {
		hit := r.Float64() < d.Rate && i != spare
		b.WriteString(text[end:w[0]])
		switch end = w[1]; {
		case !hit:
			b.WriteString(text[w[0]:w[1]])
		case d.Mask != "":
			b.WriteString(" " + d.Mask + " ")
		}
	}
	b.WriteString(text[end:])
	return b.String()
}

// pieces returns where the words of a text begin and end.
func pieces(text string) (words [][2]int) {
	from := -1
	end := func(at int) {
		if from >= 0 {
			words = append(words, [2]int{from, at})
		}
		from = -1
	}
	for i, c := range text {
		switch {
		case unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer):
			end(i)
			from = i
			end(i + len(string(c)))
		case unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || c == '\'':
			if from < 0 {
				from = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return words
}
