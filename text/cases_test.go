package text

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A trainedCase is one line of testdata/golden/NAME.cases.jsonl, written by testdata/golden.py. A and B are numbers of
// texts; what is nil is not compared.
type trainedCase struct {
	A        int
	B        *int
	Max      int
	Strategy string
	Side     string
	Stride   int
	Pad      []int
	PadSide  string
	Batch    []int

	IDs      []int32
	Types    []int32
	Tokens   []string
	Offsets  []int
	Words    []int32
	Special  []int32
	Mask     []int32
	Decoded  *string
	Bare     *string
	Error    string
	Overflow []trainedCase
}

func trainedTexts(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/golden/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestTrained compares with the answers of Hugging Face's library for tokenizers it trained on a text of this project.
func TestTrained(t *testing.T) {
	texts := trainedTexts(t)
	names, err := filepath.Glob("testdata/golden/*.cases.jsonl")
	if err != nil || len(names) < 12 {
		t.Fatalf("%d goldens, %v", len(names), err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".cases.jsonl")
		t.Run(base, func(t *testing.T) {
			tok, err := LoadTokenizer("testdata/golden/" + base + ".json")
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range readLines[trainedCase](t, name) {
				if err := checkTrained(tok, texts, &c); err != nil {
					t.Errorf("line %d (%q): %v", i+1, texts[c.A], err)
				}
			}
		})
	}
}

func checkTrained(tok *Tokenizer, texts []string, c *trainedCase) error {
	o := EncodeOptions{Truncation: Truncation{MaxLength: c.Max, Strategy: strategies[c.Strategy], Side: sides[c.Side],
		Stride: c.Stride, Overflow: c.Overflow != nil}}
	var pair *string
	if c.B != nil {
		pair = &texts[*c.B]
	}
	if c.Batch != nil {
		return checkPadded(tok, texts, c)
	}
	got, err := tok.Encode(texts[c.A], pair, o)
	if (err != nil) != (c.Error != "") {
		return fmt.Errorf("error %v, want %q", err, c.Error)
	}
	if err != nil {
		return nil
	}
	if c.Side == "left" {
		c.Words = nil // the reference numbers the words it looked at; here they keep their numbers in the text
	}
	if err := sameEncoding(got, c); err != nil {
		return err
	}
	if len(got.Overflow) != len(c.Overflow) {
		return fmt.Errorf("%d parts overflow, want %d", len(got.Overflow), len(c.Overflow))
	}
	for i := range c.Overflow {
		if err := sameEncoding(got.Overflow[i], &c.Overflow[i]); err != nil {
			return fmt.Errorf("overflow %d: %w", i, err)
		}
	}
	if c.Decoded != nil {
		if s := tok.Decode(got.IDs, true); s != *c.Decoded {
			return fmt.Errorf("decoded %q, want %q", s, *c.Decoded)
		}
		if s := tok.Decode(got.IDs, false); s != *c.Bare {
			return fmt.Errorf("decoded with special tokens %q, want %q", s, *c.Bare)
		}
	}
	return nil
}

func checkPadded(tok *Tokenizer, texts []string, c *trainedCase) error {
	var inputs []Input
	for _, i := range c.Batch {
		inputs = append(inputs, Input{Text: texts[i]})
	}
	pad := &Padding{Length: c.Pad[0], MultipleOf: c.Pad[1], Side: sides[c.PadSide], ID: 3, TypeID: 1}
	batch, err := tok.EncodeBatch(inputs, EncodeOptions{Padding: pad})
	if err != nil {
		return err
	}
	return sameEncoding(batch[slices.Index(c.Batch, c.A)], c)
}

func sameEncoding(got *Encoding, want *trainedCase) error {
	for _, f := range []struct {
		name      string
		got, want []int32
	}{{"ids", got.IDs, want.IDs}, {"types", got.TypeIDs, want.Types}, {"words", got.WordIDs, want.Words},
		{"special", got.SpecialTokensMask, want.Special}, {"mask", got.AttentionMask, want.Mask}} {
		if f.want != nil && !slices.Equal(f.got, f.want) {
			return fmt.Errorf("%s\n got %v\nwant %v", f.name, f.got, f.want)
		}
	}
	if tokens := got.Tokens(); want.Tokens != nil && !slices.Equal(tokens, want.Tokens) {
		return fmt.Errorf("tokens\n got %q\nwant %q", tokens, want.Tokens)
	}
	var offsets []int
	for _, o := range got.Offsets {
		offsets = append(offsets, o.Start, o.End)
	}
	if want.Offsets != nil && !slices.Equal(offsets, want.Offsets) {
		return fmt.Errorf("offsets\n got %v\nwant %v", offsets, want.Offsets)
	}
	return nil
}

// TestOverflow compares the parts that truncation cuts off with those of tokenizers 0.22.2. (From 0.23 on the library
// stops early and loses most of them.)
func TestOverflow(t *testing.T) {
	type overflowCase struct {
		Name string
		trainedCase
	}
	texts := trainedTexts(t)
	cases := readLines[overflowCase](t, "testdata/overflow.jsonl")
	if len(cases) < 20 {
		t.Fatalf("%d cases", len(cases))
	}
	for i, c := range cases {
		tok, err := LoadTokenizer("testdata/golden/" + c.Name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := checkTrained(tok, texts, &c.trainedCase); err != nil {
			t.Errorf("line %d (%s, %q): %v", i+1, c.Name, texts[c.A], err)
		}
	}
}
