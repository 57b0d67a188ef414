package pattern

import (
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

// An UnsupportedError says that an expression uses something this package does not know.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return "pattern: " + e.What + " is not supported" }

// A node is a part of an expression.
type node struct {
	kind     nodeKind
	set      *set    // one
	subs     []*node // sequence, choice; the one operand of others
	min, max int     // repeat
	mode     mode    // repeat
	negative bool    // look
	behind   bool    // look
}

type nodeKind uint8

const (
	empty     nodeKind = iota
	one                // a character of a set
	sequence           // subs one after the other
	choice             // the first of subs that leads to a match
	repeat             // the operand min to max times
	look               // the operand matches here (or does not), taking nothing
	atomic             // the operand, of which only the first way to match counts
	textStart          // and other places
	textEnd
	lineStart
	lineEnd
	finalEnd // before a last newline, or at the end
	wordEdge
	notWordEdge
)

// A mode says how a repetition tries numbers.
type mode uint8

const (
	greedy mode = iota
	lazy
	possessive
)

// Limits of expressions, so that a file cannot make one that eats memory.
const (
	maxExpression = 1 << 16
	maxNesting    = 64
	maxRepeat     = 1000
)

// A parser reads an expression.
type parser struct {
	expr  string
	at    int
	depth int
	fold  bool // (?i): case does not count
	dot   bool // (?m) in Oniguruma's sense, (?s) elsewhere: the dot matches newlines too
}

func (p *parser) errorf(format string, a ...any) error {
	return fmt.Errorf("pattern: at byte %d: %s", p.at, fmt.Sprintf(format, a...))
}

func (p *parser) more() bool { return p.at < len(p.expr) }

// peek reports whether the rest begins with s, and takes it if so.
func (p *parser) take(s string) bool {
	if len(p.expr)-p.at >= len(s) && p.expr[p.at:p.at+len(s)] == s {
		p.at += len(s)
		return true
	}
	return false
}

func (p *parser) next() rune {
	r, n := utf8.DecodeRuneInString(p.expr[p.at:])
	p.at += n
	return r
}

// choices reads alternatives up to a closing parenthesis or the end.
func (p *parser) choices() (*node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.errorf("nested deeper than %d", maxNesting)
	}
	defer func(fold, dot bool) { p.depth--; p.fold, p.dot = fold, dot }(p.fold, p.dot)
	n := &node{kind: choice}
	for {
		s, err := p.sequence()
		if err != nil {
			return nil, err
		}
		n.subs = append(n.subs, s)
		if !p.take("|") {
			break
		}
	}
	if len(n.subs) == 1 {
		return n.subs[0], nil
	}
	return n, nil
}

func (p *parser) sequence() (*node, error) {
	n := &node{kind: sequence}
	for p.more() && p.expr[p.at] != '|' && p.expr[p.at] != ')' {
		s, err := p.atom()
		if err != nil {
			return nil, err
		}
		if s, err = p.repeats(s); err != nil {
			return nil, err
		}
		if s.kind != empty {
			n.subs = append(n.subs, s)
		}
	}
	return n, nil
}

// places are the escapes and signs that match a place.
var places = map[string]nodeKind{`\A`: textStart, `\z`: textEnd, `\Z`: finalEnd, `\b`: wordEdge, `\B`: notWordEdge,
	"^": lineStart, "$": lineEnd}

func (p *parser) atom() (*node, error) {
	for s, kind := range places {
		if p.take(s) {
			return &node{kind: kind}, nil
		}
	}
	switch {
	case p.take("("):
		return p.group()
	case p.take("["):
		s, err := p.class()
		return &node{kind: one, set: s}, err
	case p.take("."):
		s := &set{negative: !p.dot}
		if p.dot {
			s.ranges = []runeRange{{0, utf8.MaxRune}}
		} else {
			s.ranges = []runeRange{{'\n', '\n'}}
		}
		return &node{kind: one, set: s.done()}, nil
	case p.take(`\`):
		s := &set{}
		if err := p.escape(s); err != nil {
			return nil, err
		}
		return p.char(s), nil
	}
	switch c := p.expr[p.at]; c {
	case '*', '+', '?':
		return nil, p.errorf("nothing to repeat before %q", c)
	}
	r := p.next()
	return p.char(&set{ranges: []runeRange{{r, r}}}), nil
}

// char makes a node of a set, with the other cases of its characters where case does not count.
func (p *parser) char(s *set) *node {
	if p.fold {
		s.foldCase()
	}
	return &node{kind: one, set: s.done()}
}

// looks are the beginnings of groups that look around.
var looks = []struct {
	text             string
	negative, behind bool
}{{"?=", false, false}, {"?!", true, false}, {"?<=", false, true}, {"?<!", true, true}}

func (p *parser) group() (*node, error) {
	n := &node{kind: sequence}
	for _, l := range looks {
		if p.take(l.text) {
			n = &node{kind: look, negative: l.negative, behind: l.behind}
			return p.operand(n)
		}
	}
	switch {
	case p.take("?:"):
	case p.take("?>"):
		n.kind = atomic
	case p.take("?<"), p.take("?P<"):
		for p.more() && p.expr[p.at] != '>' {
			p.at++
		}
		p.take(">")
	case p.take("?"):
		return p.options()
	}
	return p.operand(n)
}

// operand reads what is inside a group as n's operand.
func (p *parser) operand(n *node) (*node, error) {
	sub, err := p.choices()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.errorf("a parenthesis is not closed")
	}
	n.subs = []*node{sub}
	return n, nil
}

// options reads (?i), (?i:…) and the like, after the question mark.
func (p *parser) options() (*node, error) {
	on := true
	fold, dot := p.fold, p.dot
	for p.more() {
		switch c := p.next(); c {
		case 'i':
			fold = on
		case 'm', 's':
			dot = on
		case '-':
			on = false
		case ')': // to the end of the group around it
			p.fold, p.dot = fold, dot
			return &node{kind: empty}, nil
		case ':':
			oldFold, oldDot := p.fold, p.dot
			p.fold, p.dot = fold, dot
			n, err := p.operand(&node{kind: sequence})
			p.fold, p.dot = oldFold, oldDot
			return n, err
		default:
			return nil, &UnsupportedError{fmt.Sprintf("the group option %q", c)}
		}
	}
	return nil, p.errorf("a parenthesis is not closed")
}

// repeats reads what follows an atom: *, +, ?, {m,n}, with ? or + after it.
func (p *parser) repeats(n *node) (*node, error) {
	for p.more() {
		r := &node{kind: repeat, subs: []*node{n}, max: math.MaxInt}
		counted := false
		switch {
		case p.take("*"):
		case p.take("+"):
			r.min = 1
		case p.take("?"):
			r.max = 1
		case p.counts(r):
			counted = true
		default:
			return n, nil
		}
		if n.kind == empty {
			return nil, p.errorf("nothing to repeat")
		}
		if r.min > maxRepeat || r.max != math.MaxInt && r.max > maxRepeat || r.min > r.max {
			return nil, p.errorf("a repetition of %d to %d is out of range", r.min, r.max)
		}
		switch {
		case p.take("?"):
			r.mode = lazy
		case !counted && p.take("+"): // after {m,n} a + is a repetition of its own
			r.mode = possessive
		}
		n = r
	}
	return n, nil
}

// counts reads {m}, {m,}, {,n} or {m,n} into r; anything else is left as it stands.
func (p *parser) counts(r *node) bool {
	from := p.at
	if !p.take("{") {
		return false
	}
	low, okLow := p.number()
	high, okHigh := low, okLow
	if p.take(",") {
		if high, okHigh = p.number(); !okHigh {
			high = math.MaxInt
		}
		okHigh = okLow || okHigh
	}
	if !p.take("}") || !okHigh {
		p.at = from
		return false
	}
	r.min, r.max = low, high
	return true
}

func (p *parser) number() (int, bool) {
	n, from := 0, p.at
	for p.more() && p.expr[p.at] >= '0' && p.expr[p.at] <= '9' {
		n = min(n*10+int(p.expr[p.at]-'0'), 1<<20)
		p.at++
	}
	return n, p.at > from
}

// foldCase adds the other cases of a set's characters; of large ranges only those of letters far and few matter, so
// ranges are folded as far as the ASCII letters and what folds to them.
func (s *set) foldCase() {
	for _, r := range s.ranges {
		for c := r.first; c <= r.last && c-r.first < 1024; c++ {
			for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
				s.ranges = append(s.ranges, runeRange{f, f})
			}
		}
	}
}
