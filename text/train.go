package text

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onnx-graft/graft/text/internal/normalize"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
)

// WordPieceSettings say what vocabulary [TrainWordPiece] learns.
type WordPieceSettings struct {
	Size         int      // most tokens; default 30,000
	MinFrequency int      // how often a pair must occur to be joined; default 2
	Alphabet     int      // most characters, the most frequent ones; default 1,000
	Special      []string // special tokens, first in the vocabulary; default [PAD] [UNK] [CLS] [SEP] [MASK]
	Cased        bool     // keep case and accents
	MaxLength    int      // of the tokenizer; default 512
}

// wordPieceSpecial are the special tokens of BERT.
var wordPieceSpecial = []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}

// longestWord is how many characters a word may have to be learned from; longer ones are unknown to the model anyway.
const longestWord = 100

func (s WordPieceSettings) withDefaults() WordPieceSettings {
	s.Size = cmp.Or(s.Size, 30000)
	s.MinFrequency = cmp.Or(s.MinFrequency, 2)
	s.Alphabet = cmp.Or(s.Alphabet, 1000)
	s.MaxLength = cmp.Or(s.MaxLength, defaultMaxLength)
	if s.Special == nil {
		s.Special = wordPieceSpecial
	}
	return s
}

// TrainWordPiece learns a WordPiece vocabulary from texts and returns BERT's tokenizer with it: starting from single
// characters, the two neighbouring pieces that occur together most often become one piece, again and again. That is how
// Hugging Face's WordPieceTrainer does it; of pairs equally frequent the one whose pieces were known first comes first,
// so that the same texts give the same vocabulary. [Tokenizer.Files] are the files to save.
func TrainWordPiece(ctx context.Context, texts iter.Seq[string], s WordPieceSettings) (*Tokenizer, error) {
	s = s.withDefaults()
	if s.Size <= len(s.Special) {
		return nil, fmt.Errorf("text: train: a vocabulary of %d has no room beside %d special tokens", s.Size, len(s.Special))
	}
	counts, err := countWords(ctx, texts, s)
	if err != nil {
		return nil, err
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("text: train: the texts have no words")
	}
	l := newLearner(counts, s)
	if err := l.learn(ctx); err != nil {
		return nil, err
	}
	f := &folder{tokenizerConfig: map[string]any{"do_lower_case": !s.Cased, "model_max_length": float64(s.MaxLength),
		"tokenizer_class": "BertTokenizer"}}
	return f.read("vocab.txt", []byte(strings.Join(l.tokens, "\n")+"\n"))
}

// checkEvery is after how many texts or merges it is looked whether to stop.
const checkEvery = 256

// countWords normalizes and cuts texts as the tokenizer will.
func countWords(ctx context.Context, texts iter.Seq[string], s WordPieceSettings) (map[string]int, error) {
	norm := normalize.Bert{Clean: true, Chinese: true, StripAccents: !s.Cased, Lowercase: !s.Cased}
	cut := pretokenize.NewBert()
	counts := map[string]int{}
	var p pretokenize.Pieces
	n := 0
	for text := range texts {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p.Text.Reset(strings.ToValidUTF8(text, "\ufffd"), 0, false)
		norm.Normalize(&p.Text)
		p.Words = p.Words[:0]
		if len(p.Text.Bytes) > 0 {
			p.Words = append(p.Words, pretokenize.Word{End: int32(len(p.Text.Bytes)), Added: pretokenize.NotAdded})
		}
		cut.PreTokenize(&p)
		for _, w := range p.Words {
			if word := p.Text.Bytes[w.Start:w.End]; utf8.RuneCount(word) <= longestWord {
				counts[string(word)]++
			}
		}
	}
	return counts, ctx.Err()
}

// A piecePair is two pieces that are neighbours in words.
type piecePair struct{ left, right int32 }

// A frequentPair is a pair in the queue with the count it had when it was put there.
type frequentPair struct {
	piecePair
	count int
}

// A pairQueue is a heap of pairs, the most frequent first.
type pairQueue []frequentPair

func (q pairQueue) Len() int      { return len(q) }
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q pairQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[j].count, q[i].count), cmp.Compare(q[i].left, q[j].left), cmp.Compare(q[i].right, q[j].right)) < 0
}
func (q *pairQueue) Push(x any) { *q = append(*q, x.(frequentPair)) }
func (q *pairQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// A learner holds words as pieces and joins them.
type learner struct {
	settings WordPieceSettings
	tokens   []string
	ids      map[string]int32
	words    [][]int32
	counts   []int
	pairs    map[piecePair]int     // how often each pair occurs
	where    map[piecePair][]int32 // words in which it occurs or did
	queue    pairQueue
}

func newLearner(counts map[string]int, s WordPieceSettings) *learner {
	l := &learner{settings: s, ids: map[string]int32{}, pairs: map[piecePair]int{}, where: map[piecePair][]int32{}}
	for _, token := range s.Special {
		l.id(token)
	}
	alphabet := mostFrequent(counts, s.Alphabet)
	for _, r := range alphabet {
		l.id(string(r))
	}
	follows := following(counts)
	for _, r := range alphabet {
		if follows[r] {
			l.id("##" + string(r))
		}
	}
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		l.addWord(word, counts[word])
	}
	for pair, n := range l.pairs {
		l.queue = append(l.queue, frequentPair{pair, n})
	}
	heap.Init(&l.queue)
	return l
}

// mostFrequent returns the most frequent characters of words, by code point.
func mostFrequent(counts map[string]int, most int) []rune {
	n := map[rune]int{}
	for word, count := range counts {
		for _, r := range word {
			n[r] += count
		}
	}
	chars := slices.SortedFunc(maps.Keys(n), func(a, b rune) int {
		return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b))
	})
	chars = chars[:min(len(chars), most)]
	slices.Sort(chars)
	return chars
}

// following returns the characters that occur in words other than first.
func following(counts map[string]int) map[rune]bool {
	set := map[rune]bool{}
	for word := range counts {
		for i, r := range word {
			if i > 0 {
				set[r] = true
			}
		}
	}
	return set
}

// id returns a token's id and makes it one if need be.
func (l *learner) id(token string) int32 {
	id, ok := l.ids[token]
	if !ok {
		id = int32(len(l.tokens))
		l.ids[token] = id
		l.tokens = append(l.tokens, token)
	}
	return id
}

// addWord takes a word in as characters. Those that are not in the alphabet are left out.
func (l *learner) addWord(word string, count int) {
	var pieces []int32
	for i, r := range word {
		if _, known := l.ids[string(r)]; !known {
			continue
		}
		token := string(r)
		if i > 0 {
			token = "##" + token
		}
		pieces = append(pieces, l.id(token))
	}
	at := int32(len(l.words))
	l.words = append(l.words, pieces)
	l.counts = append(l.counts, count)
	for i := range len(pieces) - 1 {
		l.count(piecePair{pieces[i], pieces[i+1]}, count, at)
	}
}

// count adds n to a pair's count and notes the word it is in.
func (l *learner) count(p piecePair, n int, word int32) {
	l.pairs[p] += n
	if n > 0 {
		l.where[p] = append(l.where[p], word)
	}
}

// learn joins pairs until the vocabulary is full or no pair is frequent enough.
func (l *learner) learn(ctx context.Context) error {
	for n := 0; len(l.tokens) < l.settings.Size && len(l.queue) > 0; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		top := heap.Pop(&l.queue).(frequentPair)
		if now := l.pairs[top.piecePair]; now != top.count {
			if now > 0 {
				heap.Push(&l.queue, frequentPair{top.piecePair, now})
			}
			continue
		}
		if top.count < max(l.settings.MinFrequency, 1) {
			break
		}
		l.join(top.piecePair)
	}
	return nil
}

// join makes a pair one piece wherever it occurs.
func (l *learner) join(p piecePair) {
	id := l.id(l.tokens[p.left] + strings.TrimPrefix(l.tokens[p.right], "##"))
	changed := map[piecePair]bool{}
	words := l.where[p]
	delete(l.where, p)
	for _, w := range words {
		l.joinIn(w, p, id, changed)
	}
	delete(l.pairs, p)
	for q := range changed {
		if n := l.pairs[q]; n > 0 {
			heap.Push(&l.queue, frequentPair{q, n})
		}
	}
}

// joinIn joins a pair in one word and notes which pairs became more frequent.
func (l *learner) joinIn(w int32, p piecePair, id int32, more map[piecePair]bool) {
	pieces, n := l.words[w], l.counts[w]
	out := pieces[:0]
	for i := 0; i < len(pieces); i++ {
		if i+1 == len(pieces) || pieces[i] != p.left || pieces[i+1] != p.right {
			out = append(out, pieces[i])
			continue
		}
		if len(out) > 0 {
			before := out[len(out)-1]
			l.count(piecePair{before, p.left}, -n, w)
			l.count(piecePair{before, id}, n, w)
			more[piecePair{before, id}] = true
		}
		if i+2 < len(pieces) {
			l.count(piecePair{p.right, pieces[i+2]}, -n, w)
			l.count(piecePair{id, pieces[i+2]}, n, w)
			more[piecePair{id, pieces[i+2]}] = true
		}
		out = append(out, id)
		i++
	}
	l.words[w] = out
}
