package text

import "slices"

// An Offset is a range of characters (code points) of a text.
type Offset struct{ Start, End int }

// An Encoding is a text, or a pair of texts, as a model sees it. All slices have the same length: the number of tokens.
type Encoding struct {
	IDs               []int32
	TypeIDs           []int32  // 0 or 1 as a rule: which of two texts
	Offsets           []Offset // of the characters each token stands for, in its text; zero for special tokens and padding
	AttentionMask     []int32  // 0 for padding, otherwise 1
	SpecialTokensMask []int32  // 1 for tokens the post-processor or padding added
	WordIDs           []int32  // number of the word a token belongs to, -1 for special tokens and padding
	SequenceIDs       []int32  // 0 for the first text, 1 for the second, -1 for special tokens and padding

	// Overflow are the parts that truncation cut off, each as an Encoding of its own that repeats Stride tokens of the
	// one before; nil unless [Truncation.Overflow] asks for them.
	Overflow []*Encoding

	tokenizer *Tokenizer
	spellings []spelling // sorted by token
}

// A spelling is the text of a token that is not what the vocabulary writes for its id.
type spelling struct {
	token int
	text  string
}

// Len returns the number of tokens.
func (e *Encoding) Len() int { return len(e.IDs) }

// Tokens returns the tokens as the vocabulary writes them.
func (e *Encoding) Tokens() []string {
	tokens := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		tokens[i], _ = e.tokenizer.Token(id)
	}
	for _, s := range e.spellings {
		tokens[s.token] = s.text
	}
	return tokens
}

// newEncoding makes an encoding of n tokens, to be filled in. All count for attention.
func newEncoding(t *Tokenizer, n int) *Encoding {
	room := make([]int32, 6*n)
	cut := func(i int) []int32 { return room[i*n : (i+1)*n : (i+1)*n] }
	e := &Encoding{
		IDs: cut(0), TypeIDs: cut(1), AttentionMask: cut(2), SpecialTokensMask: cut(3), WordIDs: cut(4), SequenceIDs: cut(5),
		Offsets: make([]Offset, n), tokenizer: t,
	}
	setAll(e.AttentionMask, 1)
	return e
}

func setAll(s []int32, x int32) {
	for i := range s {
		s[i] = x
	}
}

// A Side is an end of a text.
type Side uint8

// The sides.
const (
	Right Side = iota
	Left
)

// A Padding says how encodings are filled up to one length.
type Padding struct {
	Length     int  // the length; 0 is that of the longest in the batch
	MultipleOf int  // round the length up to a multiple of this; 0 is 1
	Side       Side // where the padding goes
	ID         int32
	TypeID     int32
}

// maxPadding bounds lengths that a file may ask for.
const maxPadding = 1 << 20

// apply pads the encodings of a batch, and what overflowed from them.
func (p *Padding) apply(batch []*Encoding) {
	length := p.Length
	if length == 0 {
		for _, e := range batch {
			length = max(length, e.Len())
		}
	}
	if p.MultipleOf > 1 && length%p.MultipleOf > 0 {
		length += p.MultipleOf - length%p.MultipleOf
	}
	for _, e := range batch {
		p.pad(e, length)
		for _, o := range e.Overflow {
			p.pad(o, length)
		}
	}
}

func (p *Padding) pad(e *Encoding, length int) {
	n := length - e.Len()
	if n <= 0 {
		return
	}
	at := e.Len()
	if p.Side == Left {
		at = 0
		for i := range e.spellings {
			e.spellings[i].token += n
		}
	}
	e.IDs = fill(e.IDs, at, n, p.ID)
	e.TypeIDs = fill(e.TypeIDs, at, n, p.TypeID)
	e.Offsets = fill(e.Offsets, at, n, Offset{})
	e.AttentionMask = fill(e.AttentionMask, at, n, 0)
	e.SpecialTokensMask = fill(e.SpecialTokensMask, at, n, 1)
	e.WordIDs = fill(e.WordIDs, at, n, -1)
	e.SequenceIDs = fill(e.SequenceIDs, at, n, -1)
}

// fill inserts n times x into s at i.
func fill[T any](s []T, i, n int, x T) []T {
	s = slices.Grow(s, n)
	old := len(s)
	s = s[:old+n]
	copy(s[i+n:], s[i:old])
	for k := range n {
		s[i+k] = x
	}
	return s
}
