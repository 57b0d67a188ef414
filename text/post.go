package text

// A postProcessor says where special tokens and the texts go, and how offsets are trimmed.
type postProcessor struct {
	single, pair []slot
	trim         bool // take the spaces off the offsets of byte-level tokens
	prefixSpace  bool // but not one space at the start of a text, which the pre-tokenizer put there
}

// A slot is a place in the result: one of the texts, or special tokens.
type slot struct {
	sequence int // 0 or 1, or -1 for special tokens
	special  []int32
	tokens   []string // as the file writes the special tokens
	typ      int32
}

// plain is what is done where a tokenizer has no post-processor.
func plain() postProcessor {
	return postProcessor{single: []slot{{sequence: 0}}, pair: []slot{{sequence: 0}, {sequence: 1, typ: 1}}}
}

// template returns the slots for one or two texts.
func (p *postProcessor) template(pair bool) []slot {
	if pair {
		return p.pair
	}
	return p.single
}

// specials returns how many special tokens are added.
func specials(template []slot) int {
	n := 0
	for _, s := range template {
		n += len(s.special)
	}
	return n
}
