package text

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// A goldenCase is one line of the reference's cases.jsonl.
type goldenCase struct {
	ID      int
	Cat     string
	B64     string
	B64Pair *string `json:"b64pair"`
	Opts    struct {
		Trunc *struct {
			Max      int
			Strategy string
			Stride   int
		}
	}
}

func (c *goldenCase) texts(t *testing.T) (string, *string) {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(c.B64)
	if err != nil {
		t.Fatal(err)
	}
	if c.B64Pair == nil {
		return string(text), nil
	}
	pair, err := base64.StdEncoding.DecodeString(*c.B64Pair)
	if err != nil {
		t.Fatal(err)
	}
	s := string(pair)
	return string(text), &s
}

func (c *goldenCase) truncation() Truncation {
	if c.Opts.Trunc == nil {
		return Truncation{}
	}
	return Truncation{MaxLength: c.Opts.Trunc.Max, Strategy: strategies[c.Opts.Trunc.Strategy], Stride: c.Opts.Trunc.Stride}
}

// A goldenAnswer is what Hugging Face's tokenizers 0.23.2 answered.
type goldenAnswer struct {
	ID    int
	IDs   []int32
	Types []int32
	Offs  [][2]int
	SMask []int32
	IDs0  []int32
	Err   string
}

func readLines[T any](t testing.TB, name string) []T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []T
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<26)
	for s.Scan() {
		var x T
		if err := json.Unmarshal(s.Bytes(), &x); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, x)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// goldenDiffers lists, by file and case, where this package means to differ from the reference, and why.
var goldenDiffers = map[string]map[int]string{
	"bert-uncased": {583: tooShort, 584: tooShort, 585: tooShort},
	"bert-chinese": {583: tooShort, 584: tooShort, 585: tooShort},
	"roberta":      {583: tooShort, 584: tooShort, 585: tooShort, 601: tooShort, 602: tooShort, 603: tooShort},
	"barthez":      {583: tooShort, 584: tooShort, 585: tooShort, 601: tooShort, 602: tooShort, 603: tooShort},
}

const tooShort = "a maximum length below the number of special tokens is an error here; the reference's subtraction wraps around"

// TestGolden compares with the answers of Hugging Face's library in ../shared/golden/tokenizers.
func TestGolden(t *testing.T) {
	dir := onnxtest.Shared(t, "golden", "tokenizers")
	cases := readLines[goldenCase](t, filepath.Join(dir, "cases.jsonl"))
	for _, name := range []string{"bert-uncased", "bert-chinese", "gpt2", "roberta", "t5", "barthez"} {
		t.Run(name, func(t *testing.T) {
			tok, err := LoadTokenizer(filepath.Join(dir, "files", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			answers := readLines[goldenAnswer](t, filepath.Join(dir, "expected", name+".jsonl"))
			if len(answers) != len(cases) {
				t.Fatalf("%d answers for %d cases", len(answers), len(cases))
			}
			for i := range cases {
				if _, ok := goldenDiffers[name][cases[i].ID]; ok {
					text, pair := cases[i].texts(t)
					if _, err := tok.Encode(text, pair, EncodeOptions{Truncation: cases[i].truncation()}); err == nil {
						t.Errorf("case %d: no error", cases[i].ID)
					}
					continue
				}
				compareGolden(t, tok, &cases[i], &answers[i])
			}
		})
	}
}

func compareGolden(t *testing.T, tok *Tokenizer, c *goldenCase, want *goldenAnswer) {
	t.Helper()
	text, pair := c.texts(t)
	got, err := tok.Encode(text, pair, EncodeOptions{Truncation: c.truncation()})
	if err != nil || want.Err != "" {
		if (err != nil) != (want.Err != "") {
			t.Errorf("case %d (%s): error %v, want %q", c.ID, c.Cat, err, want.Err)
		}
		return
	}
	if !slices.Equal(got.IDs, want.IDs) {
		t.Errorf("case %d (%s) %q %v:\n got %v\nwant %v", c.ID, c.Cat, text, c.Opts.Trunc, got.IDs, want.IDs)
		return
	}
	if !slices.Equal(got.TypeIDs, want.Types) || !slices.Equal(got.SpecialTokensMask, want.SMask) {
		t.Errorf("case %d (%s): types %v, want %v; mask %v, want %v", c.ID, c.Cat, got.TypeIDs, want.Types, got.SpecialTokensMask, want.SMask)
	}
	for k, o := range got.Offsets {
		if o != (Offset{want.Offs[k][0], want.Offs[k][1]}) {
			t.Errorf("case %d (%s) %q: offset %d of %q is %v, want %v", c.ID, c.Cat, text, k, got.Tokens()[k], o, want.Offs[k])
			break
		}
	}
	if c.Opts.Trunc != nil || want.IDs0 == nil {
		return
	}
	if plain, err := tok.Encode(text, pair, EncodeOptions{NoSpecial: true}); err != nil || !slices.Equal(plain.IDs, want.IDs0) {
		t.Errorf("case %d (%s): without special tokens %v %v, want %v", c.ID, c.Cat, plain, err, want.IDs0)
	}
	if pair != nil {
		return
	}
	ids, err := tok.AppendIDs(nil, text, 0)
	if err != nil || !slices.EqualFunc(ids, want.IDs, func(a int64, b int32) bool { return a == int64(b) }) {
		t.Errorf("case %d (%s): AppendIDs gives %v %v, want %v", c.ID, c.Cat, ids, err, want.IDs)
	}
}

func TestValid(t *testing.T) {
	for in, want := range map[string]string{
		"a\xffb": "a\ufffdb", "\xe4\xb8": "\ufffd", "\xf0\x9f\x98": "\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd",
		"\xc0\x80": "\ufffd\ufffd", "\xf4\x90": "\ufffd\ufffd", "é\x80": "é\ufffd",
	} {
		if got := ucd.Valid(in); got != want {
			t.Errorf("%q reads as %q, want %q", in, got, want)
		}
	}
}
