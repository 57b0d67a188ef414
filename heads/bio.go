package heads

import (
	"fmt"
	"strings"
)

// A Span is an entity in a sequence of tokens.
type Span struct {
	Type       string // what follows B- or I-
	Start, End int    // tokens Start to End-1
}

// DecodeBIO returns the entities that tags mark, in order. "B-x" begins an entity of type x and "I-x" continues one; an
// "I-x" that continues nothing of type x begins one itself, as conlleval and seqeval read it. "O" is outside.
func DecodeBIO(tags []string) ([]Span, error) {
	var spans []Span
	open := false // the last span reaches to the token before this one
	for i, tag := range tags {
		if tag == "O" {
			open = false
			continue
		}
		mark, kind, _ := strings.Cut(tag, "-")
		if mark != "B" && mark != "I" || kind == "" {
			return nil, fmt.Errorf("heads: token %d: tag %q, want O, B-type or I-type", i, tag)
		}
		if mark == "I" && open && spans[len(spans)-1].Type == kind {
			spans[len(spans)-1].End = i + 1
			continue
		}
		spans = append(spans, Span{Type: kind, Start: i, End: i + 1})
		open = true
	}
	return spans, nil
}
