// Package pretokenize holds the second stage of a tokenizer: it cuts a text into the words that the model takes one by
// one.
package pretokenize

import (
	"fmt"

	"github.com/onnx-graft/graft/text/internal/aligned"
)

// A Word is a part of a text: Bytes[Start:End].
type Word struct {
	Start, End int32
	Added      int32 // NotAdded, or the id of the added token that this is; such words are left alone
}

// NotAdded marks a word that the model has to take.
const NotAdded int32 = -1

// Pieces are a text and its words, in order and not empty. Not safe for concurrent use.
type Pieces struct {
	Text  aligned.Text
	Words []Word

	next  []Word
	parts []part
}

// A part of a word is a match of what it is split by, or what lies between two.
type part struct {
	start, end int32
	match      bool
}

// A PreTokenizer cuts words into smaller ones. Implementations do not change after they are made and are safe for
// concurrent use.
type PreTokenizer interface {
	PreTokenize(p *Pieces)
}

// Sequence runs its pre-tokenizers one after the other.
type Sequence []PreTokenizer

// PreTokenize implements PreTokenizer.
func (s Sequence) PreTokenize(p *Pieces) {
	for _, t := range s {
		t.PreTokenize(p)
	}
}

// A Behavior says what becomes of the matches a word is split by.
type Behavior uint8

// The behaviours, shown for "the-final--countdown" split by "-".
const (
	Removed            Behavior = iota // the final countdown
	Isolated                           // the - final - - countdown
	MergedWithPrevious                 // the- final- - countdown
	MergedWithNext                     // the -final - -countdown
	Contiguous                         // the - final -- countdown
)

var behaviors = map[string]Behavior{
	"Removed": Removed, "Isolated": Isolated, "MergedWithPrevious": MergedWithPrevious,
	"MergedWithNext": MergedWithNext, "Contiguous": Contiguous,
}

// ParseBehavior returns the behaviour of a name in tokenizer.json.
func ParseBehavior(name string) (Behavior, error) {
	if b, ok := behaviors[name]; ok {
		return b, nil
	}
	return 0, fmt.Errorf("unknown behavior %q", name)
}

// each replaces every word that is not an added token by the words that cut emits for it.
func (p *Pieces) each(cut func(w Word)) {
	p.next = p.next[:0]
	for _, w := range p.Words {
		if w.Added != NotAdded {
			p.next = append(p.next, w)
			continue
		}
		cut(w)
	}
	p.Words, p.next = p.next, p.Words
}

// emit adds a word unless it is empty.
func (p *Pieces) emit(start, end int) {
	if end > start {
		p.next = append(p.next, Word{int32(start), int32(end), NotAdded})
	}
}

// joins says for each behaviour whether a part is joined to the one before it, of which match tells whether it was one.
var joins = [...]func(match, before bool) bool{
	Removed:            func(bool, bool) bool { return false },
	Isolated:           func(bool, bool) bool { return false },
	MergedWithPrevious: func(match, before bool) bool { return match && !before },
	MergedWithNext:     func(match, before bool) bool { return !match && before },
	Contiguous:         func(match, before bool) bool { return match == before },
}

// fold emits the parts of a word as b wants it.
func (p *Pieces) fold(b Behavior) {
	start, end, before := int32(0), int32(0), false
	for _, s := range p.parts {
		switch {
		case b == Removed && s.match:
			continue
		case end > start && joins[b](s.match, before):
		default:
			p.emit(int(start), int(end))
			start = s.start
		}
		end, before = s.end, s.match
	}
	p.emit(int(start), int(end))
}
