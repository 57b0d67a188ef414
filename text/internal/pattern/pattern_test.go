package pattern

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

func all(t *testing.T, expr, text string) []string {
	t.Helper()
	r, err := Compile(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	var found []string
	for at := 0; at <= len(text); {
		start, end := r.Find([]byte(text), at)
		if start < 0 {
			break
		}
		found = append(found, text[start:end])
		if at = end; end == start {
			at++
		}
	}
	return found
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		expr, text string
		want       []string
	}{
		{`\s+(?!\S)|\s+`, "a   b  ", []string{"  ", " ", "  "}},
		{`(?i:'s|'re)|\p{L}+`, "It'S we'RE 'ſ", []string{"It", "'S", "we", "'RE", "'ſ"}},
		{`\p{N}{1,3}`, "12345", []string{"123", "45"}},
		{`[^\r\n\p{L}\p{N}]?\p{L}+`, " don't\nx", []string{" don", "'t", "x"}},
		{`a{2}|a`, "aaa", []string{"aa", "a"}},
		{`a{,2}b`, "aaab", []string{"aab"}},
		{`x{a}`, "x{a}", []string{"x{a}"}},
		{`[[:alpha:]&&[^a]]+`, "abcab", []string{"bc", "b"}},
		{`(ab)*?c`, "ababc", []string{"ababc"}},
		{`a++a|b`, "aab", []string{"b"}},
		{`(?>a|ab)c`, "abc ac", []string{"ac"}},
		{`(?<=a)b|(?<![a-z])c`, "ab bb c xc", []string{"b", "c"}},
		{`^a|b$`, "a\na\nb", []string{"a", "a", "b"}},
		{`\bfoo\b`, "foo foobar foo", []string{"foo", "foo"}},
		{`(?:a*)*b`, "aab", []string{"aab"}},
		{`.+`, "ab\ncd", []string{"ab", "cd"}},
		{`(?m).+`, "ab\ncd", []string{"ab\ncd"}},
		{`\x41\u00e9\x{4e2d}`, "Aé中", []string{"Aé中"}},
		{`[\p{Lu}\p{Lt}]?[\p{Ll}\p{M}]+`, "HelloÉte", []string{"Hello", "Éte"}},
		{`[^\s\p{L}\p{N}]++[\r\n]*`, "!!\n\nx?", []string{"!!\n\n", "?"}},
		{`\w+`, "a_1² \u200d", []string{"a_1²"}},
		{`[]a]+`, "]a]", []string{"]a]"}},
		{`[a\-z]+`, "a-zb", []string{"a-z"}},
	} {
		if got := all(t, c.expr, c.text); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s in %q: %q, want %q", c.expr, c.text, got, c.want)
		}
	}
}

// TestAgainstRegexp compares with the standard library on what both know.
func TestAgainstRegexp(t *testing.T) {
	texts := []string{"", "abc", "aabbcc  xyz\n\n12", "the quick (brown) fox -- jumps", "ab\tba aba baab  "}
	for _, expr := range []string{`a*b+`, `(a|b)+?c`, `(ab|ba|a)*`, `[^a-c\s]+`, `\d+|\s|\w`, `(?:a(b(c)?)?)+`, `(x|yz?)+|q.*?n`,
		`b{2,}|a{1,2}`, `(?i)ABC|t.e`, `()|a`, `(a*?)(b|c)`} {
		std := regexp.MustCompile(expr)
		own, err := Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			want := std.FindStringIndex(text)
			start, end := own.Find([]byte(text), 0)
			if want == nil && start >= 0 || want != nil && (start != want[0] || end != want[1]) {
				t.Errorf("%s in %q: %d to %d, want %v", expr, text, start, end, want)
			}
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, expr := range []string{"(", ")", "[", "[a", "*a", "a{3,2}", `\`, "(?<a", strings.Repeat("(", 100), "[z-a]", `\x{110000}`,
		strings.Repeat("a", 1<<17), "((((a{1000}){1000}){1000}){1000})", `\p{L`, "\xff"} {
		if _, err := Compile(expr); err == nil {
			t.Errorf("%.30q: no error", expr)
		}
	}
	var unsupported *UnsupportedError
	for _, expr := range []string{`\p{Greek}`, `(?x)a`, `\1`, `(?<=ab)c`, `[[:unheard:]]`} {
		if _, err := Compile(expr); !errors.As(err, &unsupported) {
			t.Errorf("%s: %v, want an UnsupportedError", expr, err)
		}
	}
}

// TestBudget searches with an expression that has exponentially many ways to fail.
func TestBudget(t *testing.T) {
	r, err := Compile(`(a|a)*b`)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if at, _ := r.Find([]byte(strings.Repeat("a", 5000)), 0); at >= 0 {
		t.Error("a match where there is none")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+`, "it's 12345 !\n")
	f.Add(`[[:alpha:]&&[^a]]*?x{2,}(?<!b)`, "axx")
	f.Fuzz(func(t *testing.T, expr, text string) {
		text = strings.ToValidUTF8(text, "")
		if len(text) > 64 {
			return
		}
		r, err := Compile(expr)
		if err != nil {
			return
		}
		if start, end := r.Find([]byte(text), 0); start >= 0 && (end < start || end > len(text)) {
			t.Errorf("%q in %q: %d to %d", expr, text, start, end)
		}
	})
}
