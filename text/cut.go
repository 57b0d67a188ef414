package text

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/model"
)

// A cutter makes an Encoding of two sequences, truncated as asked.
type cutter struct {
	t        *Tokenizer
	s        *scratch
	o        *EncodeOptions
	template []slot
	texts    [2]string
	chars    [2][]int32 // which character each byte of a text belongs to; nil where all are ASCII
}

// cut makes the encoding, with room for so many tokens of the texts.
func (c *cutter) cut(room int, pair bool) (*Encoding, error) {
	a, b := &c.s.a, &c.s.b
	tr := &c.o.Truncation
	keepA, keepB, err := tr.lengths(a.reached, b.reached, room, pair)
	if err != nil {
		return nil, err
	}
	partsA, partsB := []window{tr.first(len(a.ids), keepA)}, []window{tr.first(len(b.ids), keepB)}
	if tr.Overflow {
		if partsA, err = tr.windows(len(a.ids), keepA); err != nil {
			return nil, err
		}
		if partsB, err = tr.windows(len(b.ids), keepB); err != nil {
			return nil, err
		}
	}
	for i := range c.texts {
		if c.chars[i] = characters(c.s.charPos[i][:0], c.texts[i]); c.chars[i] != nil {
			c.s.charPos[i] = c.chars[i]
		}
	}
	e := c.assemble(partsA[0], partsB[0])
	for _, wa := range partsA[1:] {
		for _, wb := range partsB {
			e.Overflow = append(e.Overflow, c.assemble(wa, wb))
		}
	}
	for _, wb := range partsB[1:] {
		e.Overflow = append(e.Overflow, c.assemble(partsA[0], wb))
	}
	return e, nil
}

// characters appends to pos, for each byte of text and for its end, the number of the character it belongs to. For ASCII
// it returns nil.
func characters(pos []int32, text string) []int32 {
	ascii := true
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return nil
	}
	pos = slices.Grow(pos, len(text)+1)
	n := int32(-1)
	for i := range len(text) {
		if utf8.RuneStart(text[i]) {
			n++
		}
		pos = append(pos, n)
	}
	return append(pos, n+1)
}

// assemble makes an encoding of parts of the two sequences.
func (c *cutter) assemble(wa, wb window) *Encoding {
	n := 0
	for _, p := range c.template {
		switch {
		case p.sequence == 0:
			n += wa.end - wa.start
		case p.sequence == 1:
			n += wb.end - wb.start
		case !c.o.NoSpecial:
			n += len(p.special)
		}
	}
	e := newEncoding(c.t, n)
	at := 0
	for _, p := range c.template {
		switch {
		case p.sequence == 0:
			at = c.addPart(e, at, &c.s.a, wa, p)
		case p.sequence == 1:
			at = c.addPart(e, at, &c.s.b, wb, p)
		case !c.o.NoSpecial:
			at = c.addSpecial(e, at, p)
		}
	}
	return e
}

// addSpecial writes special tokens into e from at on and returns where they end.
func (c *cutter) addSpecial(e *Encoding, at int, p slot) int {
	for i, id := range p.special {
		if i < len(p.tokens) {
			if token, _ := c.t.Token(id); p.tokens[i] != token {
				e.spellings = append(e.spellings, spelling{at, p.tokens[i]})
			}
		}
		e.IDs[at], e.TypeIDs[at], e.SpecialTokensMask[at], e.WordIDs[at], e.SequenceIDs[at] = id, p.typ, 1, -1, -1
		at++
	}
	return at
}

// addPart writes tokens of a text into e from at on and returns where they end.
func (c *cutter) addPart(e *Encoding, at int, seq *sequence, w window, p slot) int {
	end := at + w.end - w.start
	copy(e.IDs[at:end], seq.ids[w.start:w.end])
	copy(e.WordIDs[at:end], seq.words[w.start:w.end])
	if p.typ != 0 {
		setAll(e.TypeIDs[at:end], p.typ)
	}
	if p.sequence != 0 {
		setAll(e.SequenceIDs[at:end], int32(p.sequence))
	}
	offsets, spans := e.Offsets[at:end], seq.spans[w.start:w.end]
	if chars := c.chars[p.sequence]; chars != nil {
		for i, s := range spans {
			offsets[i] = Offset{int(chars[s.Start]), int(chars[s.End])}
		}
	} else {
		for i, s := range spans {
			offsets[i] = Offset{int(s.Start), int(s.End)}
		}
	}
	for _, s := range seq.spellings {
		if s.token >= w.start && s.token < w.end {
			e.spellings = append(e.spellings, spelling{at + s.token - w.start, s.text})
		}
	}
	if c.t.post.trim {
		c.trim(e, at, end)
	}
	return end
}

// A trim is how many spaces a token begins and ends with.
type trim struct{ lead, trail uint8 }

// trim takes the spaces of byte-level tokens off the offsets of e's tokens from first to before end.
func (c *cutter) trim(e *Encoding, first, end int) {
	spelled := e.spellings
	for i := first; i < end; i++ {
		var k trim
		for len(spelled) > 0 && spelled[0].token < i {
			spelled = spelled[1:]
		}
		if len(spelled) > 0 && spelled[0].token == i {
			k = trimOf(spelled[0].text)
		} else if id := e.IDs[i]; int(id) < len(c.t.trims) {
			k = c.t.trims[id]
		} else {
			token, _ := c.t.Token(id)
			k = trimOf(token)
		}
		o := &e.Offsets[i]
		if k.lead == 1 && c.t.post.prefixSpace && (i == first || o.Start == 0) {
			k.lead = 0
		}
		o.Start = min(o.Start+int(k.lead), o.End)
		if o.End >= int(k.trail) {
			o.End = max(o.End-int(k.trail), o.Start)
		}
	}
}

// byteSpace is what byte-level vocabularies write for a space.
const byteSpace = 'Ġ'

func trimOf(token string) trim {
	isSpace := func(r rune) bool { return r == byteSpace || unicode.IsSpace(r) }
	var k trim
	for _, r := range token {
		if !isSpace(r) || k.lead == 255 {
			break
		}
		k.lead++
	}
	for len(token) > 0 && k.trail < 255 {
		r, n := utf8.DecodeLastRuneInString(token)
		if !isSpace(r) {
			break
		}
		k.trail++
		token = token[:len(token)-n]
	}
	return k
}

// trimTable returns trimOf for the ids of a vocabulary, as far as they are dense.
func trimTable(v *model.Vocabulary, added map[int32]string) []trim {
	table := make([]trim, v.Len())
	for i := range table {
		if _, ok := added[int32(i)]; ok {
			table[i] = trimOf(added[int32(i)])
			continue
		}
		token, _ := v.Token(int32(i))
		table[i] = trimOf(token)
	}
	return table
}
