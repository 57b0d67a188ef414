package model

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func vocab(t *testing.T, tokens ...string) *Vocabulary {
	t.Helper()
	ids := map[string]int32{}
	for i, token := range tokens {
		ids[token] = int32(i)
	}
	v, err := NewVocabulary(ids)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// naive joins a word's symbols the slow way: the best pair of all, the leftmost first.
func naive(m *BPE, ids []int32) []int32 {
	for {
		best, at := noMerge, -1
		for i := range len(ids) - 1 {
			if v, ok := m.merges.get(ids[i], ids[i+1]); ok && v.rank < best.rank {
				best, at = v, i
			}
		}
		if at < 0 {
			return ids
		}
		ids = slices.Replace(ids, at, at+2, best.id)
	}
}

// TestJoin compares both ways to join, by scans and by a heap, with the naive one on random words.
func TestJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tokens := []string{"a", "b", "c"}
	var merges [][2]string
	for len(merges) < 60 {
		x, y := tokens[r.IntN(len(tokens))], tokens[r.IntN(len(tokens))]
		if !slices.Contains(tokens, x+y) {
			tokens = append(tokens, x+y)
		}
		if pair := [2]string{x, y}; !slices.Contains(merges, pair) {
			merges = append(merges, pair)
		}
	}
	m, err := NewBPE(BPEConfig{Vocab: vocab(t, tokens...), Merges: merges})
	if err != nil {
		t.Fatal(err)
	}
	var s Scratch
	for range 2000 {
		var word []byte
		var ids []int32
		for range 1 + r.IntN(60) {
			c := r.IntN(3)
			word = append(word, "abc"[c])
			ids = append(ids, int32(c))
		}
		got, err := m.Tokenize(nil, word, &s)
		if err != nil {
			t.Fatal(err)
		}
		var gotIDs []int32
		for _, k := range got {
			gotIDs = append(gotIDs, k.ID)
		}
		if want := naive(m, slices.Clone(ids)); !slices.Equal(gotIDs, want) {
			t.Fatalf("%s: %v, want %v", word, gotIDs, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	v := vocab(t, "a", "ab")
	var s Scratch
	wp, err := NewWordPiece(WordPieceConfig{Vocab: v, Unknown: "?", Prefix: "##", MaxChars: 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wp.Tokenize(nil, []byte("x"), &s); !errors.Is(err, ErrUnknown) {
		t.Errorf("WordPiece: %v", err)
	}
	if _, err := NewWordLevel(v, "?").Tokenize(nil, []byte("x"), &s); !errors.Is(err, ErrUnknown) {
		t.Errorf("WordLevel: %v", err)
	}
	u, err := NewUnigram(UnigramConfig{Tokens: []string{"a"}, Scores: []float64{0}, Unknown: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Tokenize(nil, []byte("ax"), &s); !errors.Is(err, ErrUnknown) {
		t.Errorf("Unigram: %v", err)
	}
	b, err := NewBPE(BPEConfig{Vocab: v})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Tokenize(nil, []byte("xax"), &s); err != nil || len(got) != 1 || got[0].ID != 0 {
		t.Errorf("BPE drops what it does not know: %v %v", got, err)
	}
}

// TestCacheForgets fills a cache beyond its size: answers stay right.
func TestCacheForgets(t *testing.T) {
	m, err := NewBPE(BPEConfig{Vocab: vocab(t, strings.Split("0123456789", "")...)})
	if err != nil {
		t.Fatal(err)
	}
	var s Scratch
	var word []byte
	for n := range 3 * cacheSlots {
		word = word[:0]
		for k := n; k > 0; k /= 10 {
			word = append(word, byte('0'+k%10))
		}
		for range 2 {
			got, err := m.Tokenize(nil, append(word, '7'), &s)
			if err != nil || len(got) != len(word)+1 {
				t.Fatalf("%s7: %v %v", word, got, err)
			}
			for i, k := range got[:len(word)] {
				if k.ID != int32(word[i]-'0') {
					t.Fatalf("%s7: %v", word, got)
				}
			}
		}
	}
}
