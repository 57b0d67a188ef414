package ucd

import (
	"strings"
	"testing"
	"time"
)

func TestTablesParse(t *testing.T) {
	start := time.Now()
	tab, err := parse(tablesText)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pages, %v", len(tab.class)/256, time.Since(start))
	for r, want := range map[rune]Class{
		' ': Space, 'a': Word | Lower, 'Z': Word | Upper, '1': Numeric | Word | Number | Digit, '_': Punctuation | Word | Punct,
		'$': Punctuation | Symbol, 0x61D: Punct, 0x4E2D: Word | OtherLetter | Han, 0xFFFD: Control | Symbol,
	} {
		if got := tab.Of(r) & (linker - 1); got != want {
			t.Errorf("U+%04X: flags %b, want %b", r, got, want)
		}
	}
	if got := tab.Of(0x301).CCC(); got != 230 {
		t.Errorf("class of U+0301 is %d, want 230", got)
	}
	if tab.Of(-1) != 0 || tab.Of(0x110000) != 0 {
		t.Error("what is no code point has a class")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"space xyz", "unheard 1", "pair c0=41", "space 110000", "lower 1-", "ccc:999 1"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		form     Form
		in, want string
	}{
		{NFD, "é한", "e\u0301\u1112\u1161\u11ab"},
		{NFC, "e\u0301\u1112\u1161\u11ab", "é한"},
		{NFC, "q\u0307\u0323", "q\u0323\u0307"},
		{NFC, "a\u0315\u0300\u05ae\u0300b", "\u00e0\u05ae\u0300\u0315b"},
		{NFKC, "ﬁ①", "fi1"},
		{NFKD, "ﬁé", "fie\u0301"},
		{NFC, "\u1100\uac00\u11a8", "\u1100\uac01"},
	} {
		var got strings.Builder
		for _, ch := range Get().AppendForm(nil, []byte(c.in), c.form) {
			got.WriteRune(ch.Rune)
		}
		if got.String() != c.want {
			t.Errorf("form %d of %q is %q, want %q", c.form, c.in, got.String(), c.want)
		}
	}
}

func TestGrapheme(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"ab", "a"}, {"\r\nx", "\r\n"}, {"e\u0301x", "e\u0301"}, {"👩‍👩‍👧x", "👩‍👩‍👧"}, {"🇩🇪🇫🇷", "🇩🇪"},
		{"क्ष", "क्ष"}, {"한국", "한"}, {"\u1100\u1161\u11a8a", "\u1100\u1161\u11a8"}, {"", ""}, {"\u0600a", "\u0600a"},
	} {
		if got := c.text[:Get().Grapheme([]byte(c.text))]; got != c.want {
			t.Errorf("first cluster of %q is %q, want %q", c.text, got, c.want)
		}
	}
}

func TestToLower(t *testing.T) {
	for in, want := range map[rune]rune{'A': 'a', 'É': 'é', 'Ā': 'ā', 'ā': 'ā', 'Σ': 'σ', 'Я': 'я', '中': '中', 0x1E9E: 0xDF} {
		if got, more := Get().ToLower(in); got != want || more != 0 {
			t.Errorf("lower case of %q is %q", in, got)
		}
	}
	if a, b := Get().ToLower(0x130); a != 'i' || b != 0x307 {
		t.Errorf("lower case of U+0130 is %q %q", a, b)
	}
}
