package text

import (
	"slices"
	"testing"
)

func TestTerms(t *testing.T) {
	for in, want := range map[string][]string{
		"It's GREAT, 10/10!": {"it", "s", "great", "10", "10"},
		"Größe naïve":        {"größe", "naïve"},
		"很好的hotel":           {"很", "好", "的", "hotel"},
		"...":                nil,
		"":                   nil,
		"\xff bad \xfe":      {"bad"},
	} {
		if got := Terms(in); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
