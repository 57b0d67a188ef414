package text_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/models/embedded"
	"github.com/onnx-graft/graft/text"
)

func TestWords(t *testing.T) {
	p, err := text.OpenPreprocessorFS(embedded.Text())
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range map[string]string{
		"":                         "",
		" \t ":                     "",
		"Ann lives in Rome.":       "Ann|lives|in|Rome|.",
		"(U.S. and \"Xerox\")...":  "(|U.S|.|and|\"|Xerox|\"|)|.|.|.",
		"@ann likes #go, O'Neil's": "@ann|likes|#go|,|O'Neil|'s",
		"é\u00a0ß 東京。":             "é|ß|東京|。",
		"'s @ x":                   "'|s|@|x",
	} {
		var got []string
		for _, w := range p.Words(x) {
			got = append(got, x[w[0]:w[1]])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", x, got, want)
		}
	}
}

func TestFirstTokens(t *testing.T) {
	p, err := text.OpenPreprocessorFS(embedded.Text())
	if err != nil {
		t.Fatal(err)
	}
	const x = "Ünbelievable\u200b \x01 tokenization of 東京 rocks"
	words := p.Words(x)
	e, err := p.Tokenizer.Encode(x, nil, text.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := p.FirstTokens(x, words)
	if err != nil {
		t.Fatal(err)
	}
	tokens := e.Tokens()
	var got []string
	for _, i := range first {
		if i < 0 {
			got = append(got, "-")
			continue
		}
		got = append(got, tokens[i])
	}
	// The control character has no token; the two characters of 東京 are two words to BERT, of which the first counts.
	var want []string
	for _, w := range words {
		one, err := p.Tokenizer.Encode(x[w[0]:w[1]], nil, text.EncodeOptions{NoSpecial: true})
		if err != nil {
			t.Fatal(err)
		}
		if one.Len() == 0 {
			want = append(want, "-")
		} else {
			want = append(want, one.Tokens()[0])
		}
	}
	if !slices.Equal(got, want) || !slices.Contains(want, "-") {
		t.Errorf("first tokens %q, want %q, of %q", got, want, tokens)
	}
	p.MaxLength = 4
	if first, err = p.FirstTokens("one two three four five", [][2]int{{0, 3}, {4, 7}, {8, 13}, {14, 18}}); err != nil || !slices.Equal(first, []int{1, 2, -1, -1}) {
		t.Errorf("cut at four tokens: %v, %v", first, err)
	}
	for _, bad := range [][][2]int{{{3, 3}}, {{4, 7}, {0, 3}}, {{0, 99}}} {
		if _, err := p.FirstTokens("one two", bad); err == nil {
			t.Errorf("words %v were taken", bad)
		}
	}
}
