package pattern

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A set is a set of characters.
type set struct {
	ranges   []runeRange
	flags    ucd.Class // characters with one of these
	without  []ucd.Class
	subs     []*set // nested classes
	all      []*set // must hold as well: after &&
	negative bool
	ascii    [2]uint64 // the answers for ASCII, made by done
}

type runeRange struct{ first, last rune }

// slow reports whether r is in the set, without the help of ascii.
func (s *set) slow(u *ucd.Tables, r rune) bool {
	return s.positive(u, r) != s.negative
}

func (s *set) positive(u *ucd.Tables, r rune) bool {
	for _, a := range s.all {
		if !a.slow(u, r) {
			return false
		}
	}
	class := u.Of(r)
	if class&s.flags != 0 {
		return true
	}
	for _, w := range s.without {
		if class&w == 0 {
			return true
		}
	}
	for _, x := range s.ranges {
		if r >= x.first && r <= x.last {
			return true
		}
	}
	for _, sub := range s.subs {
		if sub.slow(u, r) {
			return true
		}
	}
	return false
}

// done works the set out for ASCII and returns it.
func (s *set) done() *set {
	u := ucd.Get()
	for r := range rune(utf8.RuneSelf) {
		if s.slow(u, r) {
			s.ascii[r>>6] |= 1 << (r & 63)
		}
	}
	return s
}

// properties are the names of \p{…}.
var properties = map[string]ucd.Class{
	"L": ucd.Letter, "Letter": ucd.Letter, "Lu": ucd.Upper, "Ll": ucd.Lower, "Lt": ucd.Title, "Lm": ucd.Modifier,
	"Lo": ucd.OtherLetter, "M": ucd.AnyMark, "N": ucd.Number, "Nd": ucd.Digit, "P": ucd.Punct, "S": ucd.Symbol,
	"Han": ucd.Han, "Space": ucd.Space,
}

// classes are the escapes that stand for sets; \w, which is not here, is wordSet.
var classes = map[rune]ucd.Class{'s': ucd.Space, 'd': ucd.Digit}

// wordSet is \w as Oniguruma has it, which differs from ucd.Word in a few characters.
func wordSet(negative bool) *set {
	joiners := (&set{ranges: []runeRange{{0x200C, 0x200D}}, negative: true}).done()
	word := (&set{flags: ucd.Word}).done()
	without := (&set{all: []*set{word, joiners}, ranges: []runeRange{{0, utf8.MaxRune}}}).done()
	numbers := []runeRange{{0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}}
	return (&set{ranges: numbers, subs: []*set{without}, negative: negative}).done()
}

// controls are the escapes that stand for control characters.
var controls = map[rune]rune{'n': '\n', 'r': '\r', 't': '\t', 'f': '\f', 'v': '\v', 'a': '\a', 'e': 0x1B, '0': 0}

// escape reads what follows a backslash into s.
func (p *parser) escape(s *set) error {
	if !p.more() {
		return p.errorf("a backslash ends the expression")
	}
	r := p.next()
	lower := r | 0x20
	switch class, ok := classes[lower]; {
	case ok && r == lower:
		s.flags |= class
		return nil
	case ok:
		s.without = append(s.without, class)
		return nil
	case lower == 'w':
		s.subs = append(s.subs, wordSet(r == 'W'))
		return nil
	case lower == 'p':
		return p.property(s, r == 'P')
	case r == 'x' || r == 'u':
		return p.hex(s, r)
	}
	if c, ok := controls[r]; ok {
		r = c
	} else if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '1' && r <= '9' {
		return &UnsupportedError{fmt.Sprintf(`\%c`, r)}
	}
	s.ranges = append(s.ranges, runeRange{r, r})
	return nil
}

// property reads {Name} or {^Name}, or one letter.
func (p *parser) property(s *set, negative bool) error {
	name := ""
	if p.take("{") {
		if p.take("^") {
			negative = !negative
		}
		from := p.at
		for p.more() && p.expr[p.at] != '}' {
			p.at++
		}
		name = p.expr[from:p.at]
		if !p.take("}") {
			return p.errorf("a brace is not closed")
		}
	} else if p.more() {
		name = string(p.next())
	}
	class, ok := properties[name]
	switch {
	case !ok:
		return &UnsupportedError{fmt.Sprintf(`\p{%s}`, name)}
	case negative:
		s.without = append(s.without, class)
	default:
		s.flags |= class
	}
	return nil
}

// hex reads hh or {h…} after \x, hhhh after \u.
func (p *parser) hex(s *set, kind rune) error {
	from, to := p.at, p.at+2
	if kind == 'u' {
		to = p.at + 4
	}
	closing := p.take("{")
	if closing {
		from = p.at
		for to = from; to < len(p.expr) && p.expr[to] != '}'; {
			to++
		}
	}
	if to > len(p.expr) {
		return p.errorf("an escape is cut off")
	}
	n, err := strconv.ParseUint(p.expr[from:to], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return p.errorf("%q is no code point", p.expr[from:to])
	}
	p.at = to
	if closing && !p.take("}") {
		return p.errorf("a brace is not closed")
	}
	s.ranges = append(s.ranges, runeRange{rune(n), rune(n)})
	return nil
}

// posix are the names of [:…:], by flags or by ranges.
var posix = map[string]set{
	"alpha": {flags: ucd.Letter}, "digit": {flags: ucd.Digit}, "space": {flags: ucd.Space}, "word": {flags: ucd.Word},
	"alnum": {flags: ucd.Letter | ucd.Digit}, "upper": {flags: ucd.Upper}, "lower": {flags: ucd.Lower},
	"punct": {flags: ucd.Punct | ucd.Symbol}, "cntrl": {ranges: []runeRange{{0, 0x1F}, {0x7F, 0x9F}}},
	"xdigit": {ranges: []runeRange{{'0', '9'}, {'a', 'f'}, {'A', 'F'}}}, "blank": {ranges: []runeRange{{'\t', '\t'}, {' ', ' '}}},
}

// class reads what follows an opening bracket.
func (p *parser) class() (*set, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.errorf("nested deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	s := &set{}
	s.negative = p.take("^")
	for first := true; ; first = false {
		switch {
		case !p.more():
			return nil, p.errorf("a bracket is not closed")
		case !first && p.take("]"):
			if p.fold {
				s.foldCase()
			}
			return s.done(), nil
		case p.take("&&"):
			return p.intersect(s)
		case p.take("[:"):
			if err := p.posixClass(s); err != nil {
				return nil, err
			}
		case p.take("["):
			sub, err := p.class()
			if err != nil {
				return nil, err
			}
			s.subs = append(s.subs, sub)
		default:
			if err := p.item(s); err != nil {
				return nil, err
			}
		}
	}
}

// intersect reads what follows && in a class that so far is s.
func (p *parser) intersect(s *set) (*set, error) {
	negative := s.negative
	s.negative = false
	from := p.at
	rest, err := p.class() // up to the closing bracket of the class around it
	if err != nil {
		return nil, err
	}
	if from < len(p.expr) && p.expr[from] == '^' {
		return nil, &UnsupportedError{"a negation after &&"}
	}
	return (&set{all: []*set{s.done(), rest}, ranges: []runeRange{{0, utf8.MaxRune}}, negative: negative}).done(), nil
}

func (p *parser) posixClass(s *set) error {
	negative := p.take("^")
	from := p.at
	for p.more() && p.expr[p.at] != ':' {
		p.at++
	}
	named, ok := posix[p.expr[from:p.at]]
	if !ok || !p.take(":]") {
		return &UnsupportedError{fmt.Sprintf("[:%s:]", p.expr[from:p.at])}
	}
	named.negative = negative
	s.subs = append(s.subs, named.done())
	return nil
}

// item reads a character, an escape or a range.
func (p *parser) item(s *set) error {
	first := &set{}
	if p.take(`\`) {
		if err := p.escape(first); err != nil {
			return err
		}
	} else {
		r := p.next()
		first.ranges = []runeRange{{r, r}}
	}
	ranged := len(first.ranges) == 1 && p.at+1 < len(p.expr) && p.expr[p.at] == '-' && p.expr[p.at+1] != ']'
	if !ranged {
		s.ranges = append(s.ranges, first.ranges...)
		s.flags |= first.flags
		s.without = append(s.without, first.without...)
		s.subs = append(s.subs, first.subs...)
		return nil
	}
	p.at++
	last := &set{}
	if p.take(`\`) {
		if err := p.escape(last); err != nil {
			return err
		}
	} else {
		r := p.next()
		last.ranges = []runeRange{{r, r}}
	}
	if len(last.ranges) != 1 || last.ranges[0].first < first.ranges[0].first {
		return p.errorf("a range ends before it begins")
	}
	s.ranges = append(s.ranges, runeRange{first.ranges[0].first, last.ranges[0].last})
	return nil
}
