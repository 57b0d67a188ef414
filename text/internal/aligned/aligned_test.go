package aligned

import (
	"testing"

	"github.com/onnx-graft/graft/text/internal/ucd"
)

func spans(t *Text) []Span {
	var list []Span
	for i := range t.Bytes {
		list = append(list, t.Span(i, i+1))
	}
	return list
}

func check(t *testing.T, x *Text, want string, at ...Span) {
	t.Helper()
	if string(x.Bytes) != want {
		t.Fatalf("text %q, want %q", x.Bytes, want)
	}
	for i, s := range spans(x) {
		if s != at[i] {
			t.Errorf("byte %d of %q came from %v, want %v", i, want, s, at[i])
		}
	}
}

func TestSpans(t *testing.T) {
	var x Text
	x.Reset("aéb", 10, true)
	a, e, b := Span{10, 11}, Span{11, 13}, Span{13, 14}
	check(t, &x, "aéb", a, e, e, b)
	x.Map(func(r rune) (rune, bool) {
		if r == 'a' {
			return 'é', true
		}
		return r, r != 'b'
	})
	check(t, &x, "éé", a, a, e, e)
	x.Transform([]ucd.Change{{Rune: 'x', Delta: -1}, {Rune: 'y', Delta: 1}})
	check(t, &x, "xy", a, e)
	x.Begin()
	x.PutAfter('z', 0)
	x.Keep(1, 2)
	x.End()
	check(t, &x, "zy", Span{10, 10}, e)
}

func TestGrew(t *testing.T) {
	var x Text
	x.Reset("a", 0, false)
	for range 40 {
		x.Begin()
		for i := range x.Bytes {
			x.Keep(i, i+1)
			x.Keep(i, i+1)
		}
		x.End()
	}
	if !x.Grew() || len(x.Bytes) != 0 {
		t.Errorf("grew %v, %d bytes", x.Grew(), len(x.Bytes))
	}
}
