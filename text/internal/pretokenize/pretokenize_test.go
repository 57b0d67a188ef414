package pretokenize

import (
	"slices"
	"testing"

	"github.com/onnx-graft/graft/text/internal/pattern"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// cut runs a pre-tokenizer over a text and returns its words.
func cut(p PreTokenizer, text string) []string {
	var pieces Pieces
	pieces.Text.Reset(text, 0, true)
	pieces.Words = []Word{{0, int32(len(text)), NotAdded}}
	p.PreTokenize(&pieces)
	var words []string
	for _, w := range pieces.Words {
		words = append(words, string(pieces.Text.Bytes[w.Start:w.End]))
	}
	return words
}

func TestBehaviors(t *testing.T) {
	for b, want := range map[Behavior][]string{
		Removed:            {"the", "final", "countdown"},
		Isolated:           {"the", "-", "final", "-", "-", "countdown"},
		MergedWithPrevious: {"the-", "final-", "-", "countdown"},
		MergedWithNext:     {"the", "-final", "-", "-countdown"},
		Contiguous:         {"the", "-", "final", "--", "countdown"},
	} {
		const text = "the-final--countdown"
		for _, p := range []PreTokenizer{Chars{Char: '-', Behavior: b}, Split{Pattern: pattern.Literal("-"), Behavior: b}} {
			if got := cut(p, text); !slices.Equal(got, want) {
				t.Errorf("%T %d: %q, want %q", p, b, got, want)
			}
		}
	}
}

func TestPreTokenizers(t *testing.T) {
	for _, c := range []struct {
		p    PreTokenizer
		text string
		want []string
	}{
		{NewBert(), "Hey, you\u00a0there。", []string{"Hey", ",", "you", "there", "。"}},
		{Whitespace{}, "a_1 b!? c", []string{"a_1", "b", "!?", "c"}},
		{Chars{Class: ucd.Numeric, Behavior: Contiguous}, "a12b3", []string{"a", "12", "b", "3"}},
		{Metaspace{Mark: '▁', Split: true}, "a b  c", []string{"▁a", "▁b", "▁", "▁c"}},
		{Metaspace{Mark: '▁', Scheme: Never}, "a b", []string{"a▁b"}},
		{Metaspace{Mark: '_', Split: true, Scheme: First}, "a_b c", []string{"_a", "_b", "_c"}},
		{ByteLevel{PrefixSpace: true, Split: true, Chars: ByteChars()}, "it's é  x", []string{"Ġit", "'s", "ĠÃ©", "Ġ", "Ġx"}},
		{ByteLevel{Split: true}, " \t a  \n", []string{" \t", " a", "  \n"}},
		{FixedLength(2), "aéb", []string{"aé", "b"}},
		{Split{Pattern: pattern.Literal("b"), Behavior: Removed, Invert: true}, "abcb", []string{"b", "b"}},
		{Sequence{NewWhitespaceSplit(), Chars{Class: ucd.Punctuation, Behavior: Isolated}}, "a.b c", []string{"a", ".", "b", "c"}},
	} {
		if got := cut(c.p, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%+v %q: %q, want %q", c.p, c.text, got, c.want)
		}
	}
}

// TestAddedWordsAreLeftAlone runs every stage over words of which one is an added token.
func TestAddedWordsAreLeftAlone(t *testing.T) {
	for _, p := range []PreTokenizer{NewBert(), Whitespace{}, Chars{Char: 'a', Behavior: Isolated}, Metaspace{Mark: '▁', Split: true},
		ByteLevel{PrefixSpace: true, Split: true, Chars: ByteChars()}, FixedLength(1), Split{Pattern: pattern.Literal("a")}} {
		var pieces Pieces
		pieces.Text.Reset("b a b", 0, true)
		pieces.Words = []Word{{0, 1, NotAdded}, {1, 4, 7}, {4, 5, NotAdded}}
		p.PreTokenize(&pieces)
		i := slices.IndexFunc(pieces.Words, func(w Word) bool { return w.Added == 7 })
		if i < 0 || string(pieces.Text.Bytes[pieces.Words[i].Start:pieces.Words[i].End]) != " a " {
			t.Errorf("%T: words %v of %q", p, pieces.Words, pieces.Text.Bytes)
		}
	}
}
