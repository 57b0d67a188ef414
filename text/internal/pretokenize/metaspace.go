package pretokenize

import "unicode/utf8"

// A Scheme says before which words a Metaspace puts its mark.
type Scheme uint8

// The schemes.
const (
	Always Scheme = iota // before each that has none
	First                // before the one that begins the text
	Never
)

// Metaspace writes spaces as a visible mark, puts one in front, and cuts before each mark.
type Metaspace struct {
	Mark   rune // U+2581 as a rule
	Scheme Scheme
	Split  bool
}

// PreTokenize implements PreTokenizer.
func (m Metaspace) PreTokenize(p *Pieces) {
	t := &p.Text
	starts := m.Scheme == First && len(p.Words) > 0 && p.Words[0].Added == NotAdded && t.Start(int(p.Words[0].Start)) == 0
	t.Begin()
	p.next = p.next[:0]
	for k, w := range p.Words {
		from := t.Written()
		if w.Added != NotAdded {
			t.Keep(int(w.Start), int(w.End))
			p.next = append(p.next, Word{int32(from), int32(t.Written()), w.Added})
			continue
		}
		first, _ := decode(t.Bytes, int(w.Start))
		marked := first == m.Mark || first == ' '
		if !marked && (m.Scheme == Always || starts && k == 0) {
			t.Put(m.Mark, int(w.Start))
		}
		m.rewrite(p, int(w.Start), int(w.End), from)
	}
	t.End()
	p.Words, p.next = p.next, p.Words
}

// rewrite writes Bytes[i:end] with marks for spaces; the word it belongs to was begun at from.
func (m Metaspace) rewrite(p *Pieces, i, end, from int) {
	t := &p.Text
	for i < end {
		run := i
		for i < end && t.Bytes[i] != ' ' && (t.Bytes[i] < utf8.RuneSelf && rune(t.Bytes[i]) != m.Mark || !m.Split) {
			i++
		}
		t.Keep(run, i)
		if i == end {
			break
		}
		r, n := decode(t.Bytes, i)
		if r == ' ' {
			r = m.Mark
		}
		if m.Split && r == m.Mark {
			p.emit(from, t.Written())
			from = t.Written()
		}
		t.Put(r, i)
		i += n
	}
	p.emit(from, t.Written())
}
