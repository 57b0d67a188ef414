package text

import (
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
	offsets  [2][]Offset // of all tokens of both texts, in characters
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
	c.characters(0, a)
	c.characters(1, b)
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

// characters turns the spans of a sequence from bytes into characters.
func (c *cutter) characters(which int, seq *sequence) {
	text := c.texts[which]
	ascii := true
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	out := make([]Offset, len(seq.spans))
	c.offsets[which] = out
	if ascii {
		for i, s := range seq.spans {
			out[i] = Offset{int(s.Start), int(s.End)}
		}
		return
	}
	pos := c.s.charPos[:0]
	n := int32(-1)
	for i := range len(text) {
		if utf8.RuneStart(text[i]) {
			n++
		}
		pos = append(pos, n)
	}
	pos = append(pos, n+1)
	c.s.charPos = pos
	for i, s := range seq.spans {
		out[i] = Offset{int(pos[s.Start]), int(pos[s.End])}
	}
}

// assemble makes an encoding of parts of the two sequences.
func (c *cutter) assemble(wa, wb window) *Encoding {
	n := wa.end - wa.start + wb.end - wb.start
	if !c.o.NoSpecial {
		n += specials(c.template)
	}
	e := newEncoding(c.t, n)
	for _, p := range c.template {
		switch {
		case p.sequence == 0:
			c.addPart(e, &c.s.a, wa, p)
		case p.sequence == 1:
			c.addPart(e, &c.s.b, wb, p)
		case !c.o.NoSpecial:
			for i, id := range p.special {
				if token, _ := c.t.Token(id); i < len(p.tokens) && p.tokens[i] != token {
					e.spellings = append(e.spellings, spelling{e.Len(), p.tokens[i]})
				}
				e.add(id, p.typ, 1, -1, -1, Offset{})
			}
		}
	}
	return e
}

func (c *cutter) addPart(e *Encoding, seq *sequence, w window, p slot) {
	first := e.Len()
	offsets := c.offsets[p.sequence]
	for i := w.start; i < w.end; i++ {
		e.add(seq.ids[i], p.typ, 0, seq.words[i], int32(p.sequence), offsets[i])
	}
	for _, s := range seq.spellings {
		if s.token >= w.start && s.token < w.end {
			e.spellings = append(e.spellings, spelling{first + s.token - w.start, s.text})
		}
	}
	if c.t.post.trim {
		c.trim(e, first)
	}
}

// A trim is how many spaces a token begins and ends with.
type trim struct{ lead, trail uint8 }

// trim takes the spaces of byte-level tokens off the offsets of e's tokens from first on.
func (c *cutter) trim(e *Encoding, first int) {
	spelled := e.spellings
	for i := first; i < e.Len(); i++ {
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
