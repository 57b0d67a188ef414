package text

import "fmt"

// A Strategy says which of two texts truncation shortens.
type Strategy uint8

// The strategies.
const (
	LongestFirst Strategy = iota // the longer one, then both
	OnlyFirst
	OnlySecond
)

// A Truncation says how an encoding is kept to a length.
type Truncation struct {
	MaxLength int // most tokens, special ones included; 0 is no limit
	Strategy  Strategy
	Side      Side // which end is cut off
	Overflow  bool // keep what was cut off, in Encoding.Overflow
	Stride    int  // how many tokens of one part the next part repeats
}

// A window is a range of a sequence's tokens.
type window struct{ start, end int }

// limit returns how many tokens of a text are ever needed, 0 for all.
//
// Hugging Face's library (0.23 and newer) stops to tokenize a text when it has as many tokens as the whole encoding may
// have. With two texts that are both longer this decides which of them gets the odd token, and is done here as well.
func (t *Truncation) limit(second bool) int {
	if t.Strategy == OnlySecond && !second {
		return 0
	}
	return t.MaxLength
}

// lengths returns how many of n1 and n2 tokens of two texts stay when there is room for the given number.
func (t *Truncation) lengths(n1, n2, room int, pair bool) (int, int, error) {
	over := n1 + n2 - room
	switch {
	case over <= 0:
		return n1, n2, nil
	case room == 0:
		return 0, 0, nil
	case t.Strategy == OnlyFirst || t.Strategy == OnlySecond && pair:
		n := &n1
		if t.Strategy == OnlySecond {
			n = &n2
		}
		if *n <= over {
			return 0, 0, fmt.Errorf("text: truncation may shorten one text only, of %d tokens, but %d tokens are too many", *n, over)
		}
		*n -= over
		return n1, n2, nil
	case t.Strategy == OnlySecond:
		return 0, 0, fmt.Errorf("text: truncation is to shorten the second text only, but there is just one")
	case !pair:
		return room, 0, nil
	}
	short := min(n1, n2)
	long := max(short, room-short)
	if short+long > room {
		short = room / 2
		long = short + room%2
	}
	if n1 > n2 {
		return long, short, nil
	}
	return short, long, nil
}

// windows returns the parts that n tokens are cut into if keep of them may stay, the one that stays first.
func (t *Truncation) windows(n, keep int) ([]window, error) {
	switch {
	case keep >= n:
		return []window{{0, n}}, nil
	case keep == 0:
		return []window{{0, 0}, {0, n}}, nil
	case t.Stride >= keep:
		return nil, fmt.Errorf("text: parts of %d tokens cannot repeat %d tokens of one another; the stride must be smaller", keep, t.Stride)
	}
	var parts []window
	step := keep - t.Stride
	for i := 0; i < n; i += step {
		w := window{i, min(i+keep, n)}
		if t.Side == Left {
			w = window{max(n-i-keep, 0), n - i}
		}
		parts = append(parts, w)
		if i+keep >= n {
			break
		}
	}
	return parts, nil
}

// first returns the part of n tokens that stays.
func (t *Truncation) first(n, keep int) window {
	if t.Side == Left {
		return window{n - min(keep, n), n}
	}
	return window{0, min(keep, n)}
}
