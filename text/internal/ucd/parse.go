package ucd

import (
	"fmt"
	"strconv"
	"strings"
)

// flagNames are the sets of tables.txt that become flags.
var flagNames = map[string]Class{
	"space": Space, "punctuation": Punctuation, "numeric": Numeric, "word": Word, "control": Control,
	"nonspacing": Nonspacing, "mark": Mark, "reL": 0, "reLu": Upper, "reLl": Lower, "reLt": Title, "reLm": Modifier,
	"reLo": OtherLetter, "reM": AnyMark, "reN": Number, "reNd": Digit, "reP": Punct, "reS": Symbol, "reHan": Han,
	"grapheme:InCB_Linker": linker,
}

// parse reads tables.txt: one property a line, its name first, then code points as told in tables.py.
func parse(text string) (*Tables, error) {
	t := &Tables{canonical: map[rune][]rune{}, compatible: map[rune][]rune{}, pair: map[[2]rune]rune{}}
	all := make([]Class, 0x110000)
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		var err error
		switch {
		case name == "#":
		case name == "lower":
			err = t.parseLower(rest)
		case name == "canonical":
			err = parseMap(rest, all, t.canonical)
		case name == "compatible":
			err = parseMap(rest, all, t.compatible)
		case name == "pair":
			err = t.parsePairs(rest)
		default:
			var set Class
			if set, err = setOf(name); err == nil {
				err = parseSet(rest, all, set)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("ucd: tables.txt: %s: %w", name, err)
		}
	}
	for r := rune(hangulFirst); r <= hangulLast; r++ {
		all[r] |= Composite
	}
	t.fold(all)
	return t, nil
}

// setOf returns the bits that a property puts into its code points' classes.
func setOf(name string) (Class, error) {
	if set, ok := flagNames[name]; ok {
		return set, nil
	}
	if class, ok := strings.CutPrefix(name, "ccc:"); ok {
		n, err := strconv.ParseUint(class, 10, 8)
		return Class(n) << cccShift, err
	}
	if class, ok := strings.CutPrefix(name, "grapheme:"); ok {
		if g, ok := graphemeNames[class]; ok {
			return Class(g) << graphemeShift, nil
		}
	}
	return 0, fmt.Errorf("not a known property")
}

func parseSet(text string, all []Class, set Class) error {
	for field := range strings.FieldsSeq(text) {
		first, last, ranged := strings.Cut(field, "-")
		if !ranged {
			last = first
		}
		a, err := point(first)
		if err != nil {
			return err
		}
		b, err := point(last)
		if err != nil {
			return err
		}
		for r := a; r <= b; r++ {
			all[r] |= set
		}
	}
	return nil
}

// parseLower reads fields such as 100-12e/2+1: first, last, step and what to add.
func (t *Tables) parseLower(text string) error {
	for field := range strings.FieldsSeq(text) {
		var c caseRange
		if _, err := fmt.Sscanf(field, "%x-%x/%d%d", &c.first, &c.last, &c.step, &c.delta); err != nil {
			return fmt.Errorf("%q: %w", field, err)
		}
		t.lower = append(t.lower, c)
	}
	return nil
}

// parseMap reads fields such as c0=41.300: a code point and what it decomposes to.
func parseMap(text string, all []Class, into map[rune][]rune) error {
	for field := range strings.FieldsSeq(text) {
		r, parts, err := mapping(field)
		if err != nil {
			return err
		}
		into[r] = parts
		all[r] |= Composite
	}
	return nil
}

func (t *Tables) parsePairs(text string) error {
	for field := range strings.FieldsSeq(text) {
		r, parts, err := mapping(field)
		if err != nil {
			return err
		}
		if len(parts) != 2 {
			return fmt.Errorf("%q: want two code points", field)
		}
		t.pair[[2]rune{parts[0], parts[1]}] = r
	}
	return nil
}

func mapping(field string) (rune, []rune, error) {
	left, right, _ := strings.Cut(field, "=")
	r, err := point(left)
	if err != nil {
		return 0, nil, err
	}
	var parts []rune
	for s := range strings.SplitSeq(right, ".") {
		p, err := point(s)
		if err != nil {
			return 0, nil, err
		}
		parts = append(parts, p)
	}
	return r, parts, nil
}

func point(s string) (rune, error) {
	n, err := strconv.ParseUint(s, 16, 32)
	if err == nil && n >= 0x110000 {
		err = fmt.Errorf("%q is no code point", s)
	}
	return rune(n), err
}

// fold keeps each distinct page of 256 classes once.
func (t *Tables) fold(all []Class) {
	seen := map[[256]Class]uint16{}
	for p := range t.page {
		page := [256]Class(all[p<<8 : (p+1)<<8])
		n, ok := seen[page]
		if !ok {
			n = uint16(len(seen))
			seen[page] = n
			t.class = append(t.class, page[:]...)
		}
		t.page[p] = n
	}
}
