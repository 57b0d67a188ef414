package text

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// tinyTokenizers have a stage of every kind.
var tinyTokenizers = []string{
	`{"normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","cls":["c",1],"sep":["s",2]},"decoder":{"type":"WordPiece"},"model":{"type":"WordPiece","vocab":{"[UNK]":0,"c":1,"s":2,"a":3,"##b":4}}}`,
	`{"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"StripAccents"},{"type":"Nmt"},{"type":"Strip"},{"type":"Prepend","prepend":"x"},{"type":"Replace","pattern":{"Regex":"a+"},"content":"aa"},{"type":"ByteLevel"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"a"},"behavior":"MergedWithNext","invert":false},{"type":"Digits"},{"type":"Punctuation"},{"type":"Whitespace"},{"type":"FixedLength","length":3},{"type":"CharDelimiterSplit","delimiter":"-"}]},"model":{"type":"WordLevel","vocab":{"<unk>":0,"a":1},"unk_token":"<unk>"}}`,
	`{"added_tokens":[{"content":"<m>","lstrip":true,"rstrip":true,"single_word":true,"normalized":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},"post_processor":{"type":"RobertaProcessing","cls":["a",0],"sep":["b",1]},"decoder":{"type":"ByteLevel"},"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"],"unk_token":"a","fuse_unk":true}}`,
	`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAAA"},"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"first"},"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"e","type_id":1}}],"pair":[{"Sequence":{"id":"B","type_id":0}}],"special_tokens":{"e":{"id":"e","ids":[1],"tokens":["e"]}}},"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"a"},"content":"b"},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":1},{"type":"Metaspace"},{"type":"BPEDecoder"},{"type":"CTC"}]},"truncation":{"max_length":4,"stride":1,"strategy":"LongestFirst"},"padding":{"strategy":{"Fixed":8},"pad_id":1},"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],["e",-1.5],["_a",-2e1],["<0x41>",-3]]}}`,
}

// FuzzLoad loads anything as a tokenizer.json, and uses what loads.
func FuzzLoad(f *testing.F) {
	for _, s := range tinyTokenizers {
		f.Add(s, "a b\u0301 <m> Ab-12")
	}
	f.Fuzz(func(t *testing.T, file, text string) {
		tok, err := buildTokenizer("tokenizer.json", []byte(file))
		if err != nil || len(text) > 1000 {
			return
		}
		useTokenizer(t, tok, text, &text, EncodeOptions{Truncation: tok.Truncation, Padding: tok.Padding})
		useTokenizer(t, tok, text, nil, EncodeOptions{Truncation: Truncation{MaxLength: 7, Overflow: true, Side: Left}})
	})
}

// FuzzSentencePiece loads anything as a SentencePiece model and as vocab.txt.
func FuzzSentencePiece(f *testing.F) {
	for _, name := range []string{"unigram", "bpe"} {
		data, err := os.ReadFile(filepath.Join("testdata", "sentencepiece", name+".model"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:200], "")
		f.Add(data, "{}")
	}
	f.Fuzz(func(t *testing.T, data []byte, config string) {
		for _, name := range []string{"tokenizer.model", "vocab.txt"} {
			tok, err := LoadTokenizerFS(fstest.MapFS{name: {Data: data}, "tokenizer_config.json": {Data: []byte(config)}}, "")
			if err == nil {
				useTokenizer(t, tok, "a text \u4e2d", nil, EncodeOptions{})
			}
		}
	})
}

// FuzzEncode encodes anything with the trained tokenizers.
func FuzzEncode(f *testing.F) {
	names, err := filepath.Glob("testdata/golden/*.cases.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	var tokenizers []*Tokenizer
	for _, name := range names {
		tok, err := LoadTokenizer(strings.TrimSuffix(name, ".cases.jsonl") + ".json")
		if err != nil {
			f.Fatal(err)
		}
		tokenizers = append(tokenizers, tok)
	}
	f.Add("Hello, wörld! \U0001f600 e\u0301", "[MASK] <s>", uint8(0), uint8(9), uint8(2), uint8(3))
	f.Add("\xff\xfe▁ \r\n", "", uint8(7), uint8(0), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, text, second string, which, length, stride, how uint8) {
		if len(text)+len(second) > 1<<14 {
			return
		}
		o := EncodeOptions{NoSpecial: how&1 == 1, Truncation: Truncation{MaxLength: int(length), Stride: int(stride),
			Overflow: how&2 == 2, Side: Side(how >> 2 & 1), Strategy: Strategy(how >> 3 & 3 % 3)}}
		if how&32 == 32 {
			o.Padding = &Padding{MultipleOf: int(stride), Side: Side(how >> 6 & 1)}
		}
		pair := &second
		if second == "" {
			pair = nil
		}
		useTokenizer(t, tokenizers[int(which)%len(tokenizers)], text, pair, o)
	})
}

// useTokenizer encodes and checks what must hold of every encoding.
func useTokenizer(t *testing.T, tok *Tokenizer, text string, pair *string, o EncodeOptions) {
	t.Helper()
	e, err := tok.Encode(text, pair, o)
	if err != nil {
		return
	}
	longest := utf8.RuneCountInString(text)
	if pair != nil {
		longest = max(longest, utf8.RuneCountInString(*pair))
	}
	for _, e := range append([]*Encoding{e}, e.Overflow...) {
		n := e.Len()
		if len(e.TypeIDs) != n || len(e.Offsets) != n || len(e.AttentionMask) != n || len(e.SpecialTokensMask) != n ||
			len(e.WordIDs) != n || len(e.SequenceIDs) != n || len(e.Tokens()) != n {
			t.Fatal("fields of different lengths")
		}
		if m := o.Truncation.MaxLength; m > 0 && n > m && o.Padding == nil && len(e.Overflow) == 0 && !o.Truncation.Overflow {
			t.Fatalf("%d tokens; at most %d were asked for", n, m)
		}
		for _, off := range e.Offsets {
			if off.Start < 0 || off.Start > off.End || off.End > longest {
				t.Fatalf("offset %v in %d characters", off, longest)
			}
		}
	}
	tok.Decode(e.IDs, true)
}
