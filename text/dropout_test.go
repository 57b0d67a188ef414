package text

import (
	"math"
	"strings"
	"testing"
)

func TestWordDropout(t *testing.T) {
	text := strings.Repeat("don't stop, 東京 now! ", 50)
	d := WordDropout{Rate: 0.2, Seed: 1, Mask: "[MASK]"}
	one := d.View(text, 1)
	if one != d.View(text, 1) {
		t.Error("the same view is another")
	}
	other := d
	other.Seed = 2
	if one == d.View(text, 2) || one == other.View(text, 1) {
		t.Error("another view or seed gives the same text")
	}
	hits, words := 0, 0
	for n := range 40 {
		hits += strings.Count(d.View(text, n), "[MASK]")
		words += len(pieces(text))
	}
	if rate := float64(hits) / float64(words); math.Abs(rate-0.2) > 0.02 || words != 40*5*50 {
		t.Errorf("%g of %d words are masked", rate, words)
	}
	if strings.Count(one, ",") != 50 {
		t.Error("punctuation was lost")
	}
	d.Mask, d.Rate = "", 0.999999
	if got := strings.Fields(d.View("one two three", 1)); len(got) != 1 {
		t.Errorf("left is %q, want one word", got)
	}
	for _, text := range []string{"", " ", "!?", "\xff\xfe"} {
		if got := d.View(text, 3); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
