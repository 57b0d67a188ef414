package pattern

import (
	"fmt"
	"math"
	"sync"
	"unicode/utf8"
)

// An op is one step of a program.
type op struct {
	code     opcode
	set      *set // opOne, opRun
	min, max int  // opRun
	mode     mode // opRun
	to       int  // opJump, opSplit: where to try first; opLook, opAtomic: the end of the operand
	or       int  // opSplit: where to try next
	negative bool
	behind   bool
	kind     nodeKind // opPlace
	slot     int      // opMark, opMoved
}

type opcode uint8

const (
	opMatch  opcode = iota
	opOne           // take a character of the set
	opRun           // take min to max characters of the set
	opJump          // go to to
	opSplit         // go to to, and if that fails to or
	opLook          // run the operand, from here to to, without taking anything
	opAtomic        // run the operand, from here to to
	opPlace         // be at a place
	opMark          // note where the text is
	opMoved         // fail unless the text went on since opMark
)

// maxProgram is the most steps of a program.
const maxProgram = 1 << 14

// A Regexp is a compiled regular expression in Oniguruma's syntax, as far as tokenizers use it: literals, classes with
// nesting and intersection, \p{…} of general categories, groups, alternatives, greedy, lazy and possessive repetition,
// looking ahead, looking behind by one character, (?i). It does not change and is safe for concurrent use.
type Regexp struct {
	expr  string
	ops   []op
	slots int
	state sync.Pool
}

// Compile compiles an expression. What it does not know is an *UnsupportedError.
func Compile(expr string) (*Regexp, error) {
	if len(expr) > maxExpression {
		return nil, fmt.Errorf("pattern: an expression of %d bytes; at most %d are possible", len(expr), maxExpression)
	}
	if !utf8.ValidString(expr) {
		return nil, fmt.Errorf("pattern: the expression is not UTF-8")
	}
	p := &parser{expr: expr}
	n, err := p.choices()
	if err != nil {
		return nil, err
	}
	if p.more() {
		return nil, p.errorf("a parenthesis is closed that was not opened")
	}
	c := compiler{}
	if err := c.emit(n); err != nil {
		return nil, err
	}
	c.add(op{code: opMatch})
	r := &Regexp{expr: expr, ops: c.ops, slots: c.slots}
	r.state.New = func() any { return &machine{marks: make([]int, r.slots)} }
	return r, nil
}

// A compiler turns nodes into steps.
type compiler struct {
	ops   []op
	slots int
}

func (c *compiler) add(o op) int {
	c.ops = append(c.ops, o)
	return len(c.ops) - 1
}

func (c *compiler) emit(n *node) error {
	if len(c.ops) > maxProgram {
		return fmt.Errorf("pattern: the expression is too large")
	}
	switch n.kind {
	case empty:
	case one:
		c.add(op{code: opOne, set: n.set})
	case sequence:
		for _, s := range n.subs {
			if err := c.emit(s); err != nil {
				return err
			}
		}
	case choice:
		return c.choice(n)
	case repeat:
		return c.repeat(n)
	case look, atomic:
		return c.enclosed(n)
	default:
		c.add(op{code: opPlace, kind: n.kind})
	}
	return nil
}

func (c *compiler) choice(n *node) error {
	var jumps []int
	for i, s := range n.subs {
		split := -1
		if i < len(n.subs)-1 {
			split = c.add(op{code: opSplit, to: len(c.ops) + 1})
		}
		if err := c.emit(s); err != nil {
			return err
		}
		if split >= 0 {
			jumps = append(jumps, c.add(op{code: opJump}))
			c.ops[split].or = len(c.ops)
		}
	}
	for _, j := range jumps {
		c.ops[j].to = len(c.ops)
	}
	return nil
}

// enclosed emits the operand of a look or an atomic group, which ends in opMatch.
func (c *compiler) enclosed(n *node) error {
	o := op{code: opAtomic}
	if n.kind == look {
		o = op{code: opLook, negative: n.negative, behind: n.behind}
		if n.behind && !oneWide(n.subs[0]) {
			return &UnsupportedError{"looking behind for more or less than one character"}
		}
	}
	at := c.add(o)
	if err := c.emit(n.subs[0]); err != nil {
		return err
	}
	c.add(op{code: opMatch})
	c.ops[at].to = len(c.ops)
	return nil
}

// oneWide reports whether a node takes exactly one character.
func oneWide(n *node) bool {
	switch n.kind {
	case one:
		return true
	case sequence:
		return len(n.subs) == 1 && oneWide(n.subs[0])
	case choice:
		for _, s := range n.subs {
			if !oneWide(s) {
				return false
			}
		}
		return true
	}
	return false
}

func (c *compiler) repeat(n *node) error {
	sub := n.subs[0]
	for sub.kind == sequence && len(sub.subs) == 1 {
		sub = sub.subs[0]
	}
	if sub.kind == one {
		c.add(op{code: opRun, set: sub.set, min: n.min, max: n.max, mode: n.mode})
		return nil
	}
	if n.mode == possessive {
		greedily := *n
		greedily.mode = greedy
		return c.enclosed(&node{kind: atomic, subs: []*node{&greedily}})
	}
	for range n.min {
		if err := c.emit(sub); err != nil {
			return err
		}
	}
	if n.max == math.MaxInt {
		return c.loop(sub, n.mode)
	}
	var splits []int
	for range n.max - n.min {
		splits = append(splits, c.split(n.mode))
		if err := c.emit(sub); err != nil {
			return err
		}
	}
	for _, s := range splits {
		c.leave(s, n.mode)
	}
	return nil
}

// loop emits sub any number of times. A round that takes nothing ends it.
func (c *compiler) loop(sub *node, m mode) error {
	start := c.split(m)
	mark := c.slots
	c.slots++
	c.add(op{code: opMark, slot: mark})
	if err := c.emit(sub); err != nil {
		return err
	}
	c.add(op{code: opMoved, slot: mark})
	c.add(op{code: opJump, to: start})
	c.leave(start, m)
	return nil
}

// split emits the choice between what follows and something that leave tells later.
func (c *compiler) split(m mode) int {
	at := c.add(op{code: opSplit})
	if m == lazy {
		c.ops[at].or = at + 1
	} else {
		c.ops[at].to = at + 1
	}
	return at
}

// leave makes a split's other way lead here.
func (c *compiler) leave(split int, m mode) {
	if m == lazy {
		c.ops[split].to = len(c.ops)
	} else {
		c.ops[split].or = len(c.ops)
	}
}
