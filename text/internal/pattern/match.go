package pattern

import (
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A machine runs a program by trying its ways one after the other.
type machine struct {
	u     *ucd.Tables
	ops   []op
	text  []byte
	ways  []way
	marks []int
	steps int // how many are left before it gives up
}

// A way is one to come back to. Of a run, it is one character shorter each time, or longer if it is lazy.
type way struct {
	pc    int
	at    int
	least int // of a run: where its first min characters end, -1 for other ways
	left  int // of a lazy run: how many more characters it may take
}

// budget is how many steps a search may take for each byte it passes, and to begin with. An expression that needs more
// is one that tries every way through its text; it then matches nothing.
const (
	budget        = 1 << 14
	budgetPerByte = 1 << 12
)

// Find returns the first match in text, which is valid UTF-8, at or after from, or a start below 0.
func (r *Regexp) Find(text []byte, from int) (start, end int) {
	m := r.state.Get().(*machine)
	defer r.state.Put(m)
	m.u, m.ops, m.text = ucd.Get(), r.ops, text
	m.steps = budget + budgetPerByte*(len(text)-min(from, len(text)))
	for at := from; at <= len(text); {
		m.ways = m.ways[:0]
		if end, ok := m.run(0, at); ok {
			m.text = nil
			return at, end
		}
		if m.steps < 0 {
			break
		}
		_, n := utf8.DecodeRune(text[at:])
		at += max(n, 1)
	}
	m.text = nil
	return -1, -1
}

// run runs the program from pc and returns where in the text it comes to an end.
func (m *machine) run(pc, at int) (int, bool) {
	bottom := len(m.ways)
	for {
		end, ok := m.forward(pc, at)
		if ok {
			m.ways = m.ways[:bottom]
			return end, true
		}
		if pc, at, ok = m.back(bottom); !ok {
			return 0, false
		}
	}
}

// forward goes on until the program ends, at the place it returns, or does not match.
func (m *machine) forward(pc, at int) (int, bool) {
	for {
		if m.steps--; m.steps < 0 {
			return at, false
		}
		o := &m.ops[pc]
		ok := true
		switch o.code {
		case opMatch:
			return at, true
		case opOne:
			at, ok = m.one(o.set, at)
			pc++
		case opRun:
			at, ok = m.repeat(o, pc, at)
			pc++
		case opJump:
			pc = o.to
		case opSplit:
			m.ways = append(m.ways, way{o.or, at, -1, 0})
			pc = o.to
		case opLook:
			ok = m.look(o, pc, at)
			pc = o.to
		case opAtomic:
			at, ok = m.run(pc+1, at)
			pc = o.to
		case opPlace:
			ok = m.place(o.kind, at)
			pc++
		case opMark:
			m.marks[o.slot] = at
			pc++
		case opMoved:
			ok = m.marks[o.slot] != at
			pc++
		}
		if !ok {
			return at, false
		}
	}
}

// back returns the last way not tried yet.
func (m *machine) back(bottom int) (pc, at int, ok bool) {
	if len(m.ways) == bottom || m.steps < 0 {
		m.ways = m.ways[:bottom]
		return 0, 0, false
	}
	w := &m.ways[len(m.ways)-1]
	pc, at = w.pc, w.at
	switch {
	case w.least < 0:
		m.ways = m.ways[:len(m.ways)-1]
	case w.left > 0: // lazy
		next, ok := m.one(m.ops[pc-1].set, at)
		if !ok {
			m.ways = m.ways[:len(m.ways)-1]
			return m.back(bottom)
		}
		at = next
		w.at = next
		if w.left--; w.left == 0 {
			m.ways = m.ways[:len(m.ways)-1]
		}
	default:
		_, n := utf8.DecodeLastRune(m.text[:at])
		at -= n
		w.at = at
		if at <= w.least {
			m.ways = m.ways[:len(m.ways)-1]
		}
	}
	return pc, at, true
}

// one takes a character of a set.
func (m *machine) one(s *set, at int) (int, bool) {
	if at >= len(m.text) {
		return at, false
	}
	if c := m.text[at]; c < utf8.RuneSelf {
		return at + 1, s.ascii[c>>6]>>(c&63)&1 == 1
	}
	r, n := utf8.DecodeRune(m.text[at:])
	return at + n, s.slow(m.u, r)
}

// repeat takes a run of a set's characters.
func (m *machine) repeat(o *op, pc, at int) (int, bool) {
	ok := true
	for range o.min {
		if at, ok = m.one(o.set, at); !ok {
			return at, false
		}
	}
	if o.mode == lazy {
		if o.max > o.min {
			m.ways = append(m.ways, way{pc + 1, at, at, o.max - o.min})
		}
		return at, true
	}
	least := at
	for n := o.min; n < o.max; n++ {
		next, ok := m.one(o.set, at)
		if !ok {
			break
		}
		at = next
	}
	m.steps -= at - least
	if o.mode == greedy && at > least {
		m.ways = append(m.ways, way{pc + 1, at, least, 0})
	}
	return at, true
}

// look runs the operand that begins after pc.
func (m *machine) look(o *op, pc, at int) bool {
	if o.behind {
		if at == 0 {
			return o.negative
		}
		_, n := utf8.DecodeLastRune(m.text[:at])
		at -= n
	}
	_, ok := m.run(pc+1, at)
	return ok != o.negative && m.steps >= 0
}

func (m *machine) place(kind nodeKind, at int) bool {
	switch kind {
	case textStart:
		return at == 0
	case textEnd:
		return at == len(m.text)
	case finalEnd:
		return at == len(m.text) || at == len(m.text)-1 && m.text[at] == '\n'
	case lineStart:
		return at == 0 || m.text[at-1] == '\n' && at < len(m.text)
	case lineEnd:
		return at == len(m.text) || m.text[at] == '\n'
	}
	before, n := utf8.DecodeLastRune(m.text[:at])
	after, k := utf8.DecodeRune(m.text[at:])
	edge := (n > 0 && m.u.Is(before, ucd.Word)) != (k > 0 && m.u.Is(after, ucd.Word))
	return edge == (kind == wordEdge)
}
