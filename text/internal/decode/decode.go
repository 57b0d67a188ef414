// Package decode holds the last stage of a tokenizer: it turns tokens back into text.
package decode

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/normalize"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A Decoder changes a list of tokens into one that, joined, is nearer to a text. It may change the list it gets.
// Implementations do not change after they are made and are safe for concurrent use.
type Decoder interface {
	Decode(tokens []string) []string
}

// Text decodes tokens; without a decoder they are joined by spaces.
func Text(d Decoder, tokens []string) string {
	if d == nil {
		return strings.Join(tokens, " ")
	}
	return strings.Join(d.Decode(tokens), "")
}

// Sequence runs its decoders one after the other.
type Sequence []Decoder

// Decode implements Decoder.
func (s Sequence) Decode(tokens []string) []string {
	for _, d := range s {
		if tokens = d.Decode(tokens); length(tokens) > maxLength {
			break
		}
	}
	return tokens
}

// maxLength is from where on a text is long enough: rules that make it grow further are not followed.
const maxLength = 1 << 28

func length(tokens []string) int {
	n := 0
	for _, t := range tokens {
		n += len(t)
	}
	return n
}

// ByteLevel reads the printable characters that GPT-2 writes for bytes; a token with any other is taken as it is.
type ByteLevel struct{ Bytes map[rune]byte }

// NewByteLevel makes a ByteLevel of the characters by byte.
func NewByteLevel(chars *[256]rune) ByteLevel {
	m := make(map[rune]byte, 256)
	for b, r := range chars {
		m[r] = byte(b)
	}
	return ByteLevel{m}
}

// Decode implements Decoder.
func (d ByteLevel) Decode(tokens []string) []string {
	var out []byte
	for _, t := range tokens {
		from := len(out)
		for _, r := range t {
			b, ok := d.Bytes[r]
			if !ok {
				out = append(out[:from], t...)
				break
			}
			out = append(out, b)
		}
	}
	return []string{ucd.Valid(string(out))}
}

// Metaspace writes its mark as a space, which is left out at the start of the first token where one was put there.
type Metaspace struct {
	Mark     rune
	Prepends bool
}

// Decode implements Decoder.
func (d Metaspace) Decode(tokens []string) []string {
	for i, t := range tokens {
		instead := " "
		if i == 0 && d.Prepends {
			instead = ""
		}
		tokens[i] = strings.ReplaceAll(t, string(d.Mark), instead)
	}
	return tokens
}

// WordPiece puts spaces between words and joins continuations.
type WordPiece struct {
	Prefix  string
	Cleanup bool // take back some spaces before punctuation and in English contractions
}

// Decode implements Decoder.
func (d WordPiece) Decode(tokens []string) []string {
	for i, t := range tokens {
		if i > 0 {
			if rest, ok := strings.CutPrefix(t, d.Prefix); ok {
				t = rest
			} else {
				t = " " + t
			}
		}
		if d.Cleanup {
			t = cleanup(t)
		}
		tokens[i] = t
	}
	return tokens
}

// cleanups are applied one after the other.
var cleanups = [...][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
	{" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

func cleanup(s string) string {
	for _, c := range cleanups {
		s = strings.ReplaceAll(s, c[0], c[1])
	}
	return s
}

// BPE writes the suffix that ends words as a space, except at the end.
type BPE struct{ Suffix string }

// Decode implements Decoder.
func (d BPE) Decode(tokens []string) []string {
	for i, t := range tokens {
		instead := " "
		if i == len(tokens)-1 {
			instead = ""
		}
		tokens[i] = strings.ReplaceAll(t, d.Suffix, instead)
	}
	return tokens
}

// ByteFallback joins tokens such as <0x61> to text; of a run that is no UTF-8 each becomes U+FFFD.
type ByteFallback struct{}

// Decode implements Decoder.
func (ByteFallback) Decode(tokens []string) []string {
	var out []string
	var run []byte
	flush := func() {
		switch {
		case len(run) == 0:
		case utf8.Valid(run):
			out = append(out, string(run))
		default:
			for range run {
				out = append(out, "\uFFFD")
			}
		}
		run = run[:0]
	}
	for _, t := range tokens {
		if len(t) == 6 && strings.HasPrefix(t, "<0x") && t[5] == '>' {
			if b, err := strconv.ParseUint(t[3:5], 16, 8); err == nil {
				run = append(run, byte(b))
				continue
			}
		}
		flush()
		out = append(out, t)
	}
	flush()
	return out
}

// Fuse joins all tokens to one.
type Fuse struct{}

// Decode implements Decoder.
func (Fuse) Decode(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// Strip takes a character off each token, up to so often at its start and its end.
type Strip struct {
	Char        rune
	Start, Stop int
}

// Decode implements Decoder.
func (d Strip) Decode(tokens []string) []string {
	c := string(d.Char)
	for i, t := range tokens {
		for k := 0; k < d.Start && strings.HasPrefix(t, c); k++ {
			t = t[len(c):]
		}
		for k := 0; k < d.Stop && strings.HasSuffix(t, c); k++ {
			t = t[:len(t)-len(c)]
		}
		tokens[i] = t
	}
	return tokens
}

// Replace puts Content in the place of every match in each token.
type Replace struct {
	Pattern normalize.Matcher
	Content string
}

// Decode implements Decoder.
func (d Replace) Decode(tokens []string) []string {
	for i, t := range tokens {
		text := []byte(t)
		var out []byte
		last := 0
		for start, end := d.Pattern.Find(text, 0); start >= 0 && len(out) < maxLength; start, end = d.Pattern.Find(text, normalize.Next(text, start, end)) {
			out = append(append(out, text[last:start]...), d.Content...)
			last = end
		}
		tokens[i] = string(append(out, text[last:]...))
	}
	return tokens
}

// CTC joins what speech recognition repeats, and writes its word delimiter as a space.
type CTC struct {
	Pad       string
	Delimiter string
	Cleanup   bool
}

// Decode implements Decoder.
func (d CTC) Decode(tokens []string) []string {
	var out []string
	for i, t := range tokens {
		if i > 0 && t == tokens[i-1] {
			continue
		}
		t = strings.ReplaceAll(t, d.Pad, "")
		if d.Cleanup {
			t = strings.ReplaceAll(cleanup(t), d.Delimiter, " ")
		}
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}
