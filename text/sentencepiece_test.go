package text

import (
	"errors"
	"os"
	"slices"
	"testing"
	"testing/fstest"
)

// sentencePieceDiffers lists cases where the conversion of transformers, which is followed here, gives other ids than
// SentencePiece itself, and why.
var sentencePieceDiffers = map[string]map[int]string{
	"unigram": {
		47: "a rule for e and an accent is not found inside a longer cluster of marks",
		71: "a text that begins with the mark for spaces gets no second one",
		73: "special tokens are found in texts",
		75: "spaces beside a special token are not kept, and the text after it begins a word",
	},
	"bpe": {73: "special tokens are found in texts"},
}

// TestSentencePiece compares with SentencePiece's own ids, written by testdata/sentencepiece_golden.py.
func TestSentencePiece(t *testing.T) {
	texts := trainedTexts(t)
	for _, name := range []string{"unigram", "bpe"} {
		t.Run(name, func(t *testing.T) {
			tok, err := LoadTokenizer("testdata/sentencepiece/" + name + ".model")
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range readLines[trainedCase](t, "testdata/sentencepiece/"+name+".jsonl") {
				got, err := tok.Encode(texts[c.A], nil, EncodeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got.IDs, c.IDs) {
					if _, ok := sentencePieceDiffers[name][c.A]; !ok {
						t.Errorf("case %d %q:\n got %v %q\nwant %v", c.A, texts[c.A], got.IDs, got.Tokens(), c.IDs)
					}
				}
			}
		})
	}
}

func TestSentencePieceErrors(t *testing.T) {
	good, err := os.ReadFile("testdata/sentencepiece/bpe.model")
	if err != nil {
		t.Fatal(err)
	}
	var malformed *MalformedError
	for _, data := range [][]byte{{}, {0xff}, {0x0a, 0x7f}, good[:len(good)/2], []byte("not a model")} {
		_, err := LoadTokenizerFS(fstest.MapFS{"spiece.model": {Data: data}}, "")
		if !errors.As(err, &malformed) || malformed.File != "spiece.model" {
			t.Errorf("%.20q: %v, want a MalformedError", data, err)
		}
	}
}

// TestSentencePieceFolder opens a model with the files that T5 and Llama have beside theirs.
func TestSentencePieceFolder(t *testing.T) {
	data, err := os.ReadFile("testdata/sentencepiece/bpe.model")
	if err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string][2]int32{
		`{"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}`: {1, -1},
		`{"tokenizer_class": "T5Tokenizer", "eos_token": "</s>"}`:                        {-1, 2},
		`{"cls_token": "<s>", "sep_token": "</s>"}`:                                      {1, 2},
		`{}`: {-1, -1},
	} {
		tok, err := LoadTokenizerFS(fstest.MapFS{"tokenizer.model": {Data: data}, "tokenizer_config.json": {Data: []byte(config)}}, "")
		if err != nil {
			t.Fatal(err)
		}
		bare, errBare := tok.Encode("graft", nil, EncodeOptions{NoSpecial: true})
		e, err := tok.Encode("graft", nil, EncodeOptions{})
		if err != nil || errBare != nil {
			t.Fatal(err, errBare)
		}
		ids := bare.IDs
		if want[0] >= 0 {
			ids = append([]int32{want[0]}, ids...)
		}
		if want[1] >= 0 {
			ids = append(ids, want[1])
		}
		if !slices.Equal(e.IDs, ids) {
			t.Errorf("%s: %v, want %v", config, e.IDs, ids)
		}
	}
}
