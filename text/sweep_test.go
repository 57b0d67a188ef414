package text

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
)

// A sweep is testdata/sweep.json, written by testdata/golden.py.
type sweep struct {
	Pools                   [][2]int64
	Strings                 []string
	Probes, Trained, Shared map[string]sweepEntry
}

type sweepEntry struct {
	Tokenizer     map[string]json.RawMessage
	Points, Lines []string
	Full          bool // the digests of points are of words and offsets too; those of lines always are
}

// randomLine is random_line of testdata/golden.py.
func (s *sweep) randomLine(n uint64) string {
	state := n*0xD1342543DE82EF95 + 1
	below := func(k int) int {
		state += 0x9E3779B97F4A7C15
		x := state
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		x = (x ^ x>>27) * 0x94D049BB133111EB
		return int((x ^ x>>31) % uint64(k))
	}
	var b strings.Builder
	for parts := 0; parts < int(1+n%23); {
		k := below(len(s.Pools) + 8)
		if k >= len(s.Pools) {
			b.WriteString(s.Strings[below(len(s.Strings))])
			parts++
			continue
		}
		pool := s.Pools[k]
		for range 1 + below(4) {
			b.WriteRune(rune(pool[0]) + rune(below(int(pool[1]-pool[0])+1)))
			parts++
		}
	}
	return b.String()
}

// A sweeper holds what all sweeps go over.
type sweeper struct {
	sweep
	points, lines []string
}

func newSweeper(t *testing.T) *sweeper {
	t.Helper()
	data, err := os.ReadFile("testdata/sweep.json")
	if err != nil {
		t.Fatal(err)
	}
	var s sweeper
	if err := json.Unmarshal(data, &s.sweep); err != nil {
		t.Fatal(err)
	}
	for c := range rune(0x110000) {
		if c < 0xD800 || c > 0xDFFF {
			s.points = append(s.points, "a"+string(c)+"b "+string(c))
		}
	}
	for n := range uint64(100_000) {
		s.lines = append(s.lines, s.randomLine(n))
	}
	return &s
}

// check compares a tokenizer's answers with the digests of an entry.
func (s *sweeper) check(t *testing.T, name string, e sweepEntry, load func() (*Tokenizer, error)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		tok, err := load()
		if err != nil {
			t.Fatal(err)
		}
		if e.Points != nil {
			compareDigests(t, tok, s.points, 8192, e.Points, e.Full)
		}
		compareDigests(t, tok, s.lines, 4096, e.Lines, true)
	})
}

// TestSweep runs one line for each code point, and 100,000 random lines of mixed scripts, through every kind of stage and
// model, and compares ids, words and offsets with Hugging Face's library by digests of blocks of lines.
func TestSweep(t *testing.T) {
	s := newSweeper(t)
	if len(s.Probes) < 19 || len(s.Trained) < 12 {
		t.Fatalf("%d probes and %d trained tokenizers", len(s.Probes), len(s.Trained))
	}
	for name, e := range s.Probes {
		s.check(t, "probe-"+name, e, func() (*Tokenizer, error) { return probeTokenizer(e) })
	}
	for name, e := range s.Trained {
		s.check(t, "trained-"+name, e, func() (*Tokenizer, error) { return LoadTokenizer("testdata/golden/" + name + ".json") })
	}
}

// TestSweepShared is TestSweep for the published tokenizers of ../shared.
func TestSweepShared(t *testing.T) {
	dir := onnxtest.Shared(t, "golden", "tokenizers", "files")
	s := newSweeper(t)
	if len(s.Shared) < 6 {
		t.Fatalf("%d tokenizers", len(s.Shared))
	}
	for name, e := range s.Shared {
		s.check(t, name, e, func() (*Tokenizer, error) { return LoadTokenizer(filepath.Join(dir, name+".json")) })
	}
}

// probeTokenizer completes a probe: its ids are the bytes of the text as normalized.
func probeTokenizer(e sweepEntry) (*Tokenizer, error) {
	vocab := map[string]int{}
	for _, r := range pretokenize.ByteChars() {
		vocab[string(r)] = 0
	}
	for i, key := range sortedStrings(keys(vocab)) {
		vocab[key] = i
	}
	model, err := json.Marshal(map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{}})
	if err != nil {
		return nil, err
	}
	file := tokenizerFile{parts: e.Tokenizer}
	data, err := file.with(map[string]any{"model": json.RawMessage(model)})
	if err != nil {
		return nil, err
	}
	return buildTokenizer("probe", data)
}

func keys(m map[string]int) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

func compareDigests(t *testing.T, tok *Tokenizer, lines []string, block int, want []string, full bool) {
	t.Helper()
	if n := (len(lines) + block - 1) / block; n != len(want) {
		t.Fatalf("%d digests for %d blocks", len(want), n)
	}
	bad := 0
	for i := 0; i < len(lines); i += block {
		got, err := digest(tok, lines[i:min(i+block, len(lines))], full)
		if err != nil {
			t.Fatal(err)
		}
		if got != want[i/block] {
			if bad++; bad <= 20 {
				t.Errorf("lines %d to %d (%q…): other tokens", i, i+block-1, lines[i])
			}
		}
	}
	if bad > 20 {
		t.Errorf("and %d more blocks", bad-20)
	}
}

// digest is one of the digests that testdata/golden.py writes.
func digest(tok *Tokenizer, lines []string, full bool) (string, error) {
	h := sha256.New()
	var buf []byte
	var ids []int64
	for _, line := range lines {
		if !full {
			var err error
			if ids, err = tok.AppendIDs(ids[:0], line, 0); err != nil {
				return "", err
			}
			buf = binary.LittleEndian.AppendUint32(buf[:0], uint32(len(ids)))
			for _, id := range ids {
				buf = binary.LittleEndian.AppendUint32(buf, uint32(id))
			}
			h.Write(buf)
			continue
		}
		e, err := tok.Encode(line, nil, EncodeOptions{})
		if err != nil {
			return "", err
		}
		buf = binary.LittleEndian.AppendUint32(buf[:0], uint32(e.Len()))
		for _, list := range [][]int32{e.IDs, e.WordIDs} {
			for _, x := range list {
				buf = binary.LittleEndian.AppendUint32(buf, uint32(x))
			}
		}
		for _, o := range e.Offsets {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(o.Start))
			buf = binary.LittleEndian.AppendUint32(buf, uint32(o.End))
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))[:8], nil
}
