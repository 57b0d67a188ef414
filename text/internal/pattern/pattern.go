// Package pattern finds what texts are split by: fixed strings, and the regular expressions that tokenizers are
// published with. Those are written for Oniguruma and use lookahead, which the standard library leaves out.
package pattern

import "bytes"

// A Literal finds a fixed string; the empty one is found nowhere.
type Literal string

// Find returns the first match in text at or after from, or a start below 0.
func (l Literal) Find(text []byte, from int) (start, end int) {
	if l == "" || from > len(text) {
		return -1, -1
	}
	n := bytes.Index(text[from:], []byte(l))
	if n < 0 {
		return -1, -1
	}
	return from + n, from + n + len(l)
}
