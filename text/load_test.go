package text

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

const tinyVocab = `"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3,"##b":4,"A":5}`

// TestLoadOldForms loads forms that older versions of the reference wrote.
func TestLoadOldForms(t *testing.T) {
	for file, want := range map[string][]int32{
		`{"model":{"continuing_subword_prefix":"##","unk_token":"[UNK]",` + tinyVocab + `}}`:                      {3, 4},
		`{"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}`:                                               {2},
		`{"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["#version: 0.2","a b"]}}`:                               {2},
		`{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}}`:                              {2},
		`{"model":{"unk_id":0,"vocab":[["<unk>",0],["a",-1],["b",-1],["ab",-3]]}}`:                                {1, 2},
		`{"model":{"vocab":{"ab":7},"unk_token":"?"}}`:                                                            {7},
		`{"model":{"type":"WordPiece",` + tinyVocab + `},"post_processor":{"cls":["[CLS]",1],"sep":["[SEP]",2]}}`: {1, 3, 4, 2},
	} {
		tok, err := buildTokenizer("old.json", []byte(file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if e, err := tok.Encode("ab", nil, EncodeOptions{}); err != nil || !slices.Equal(e.IDs, want) {
			t.Errorf("%s: %v %v, want %v", file, e, err, want)
		}
	}
}

// TestLoadErrors asks that what is wrong in a file is told with its place.
func TestLoadErrors(t *testing.T) {
	for file, place := range map[string]string{
		`{`:                          "bad.json",
		`[]`:                         "bad.json",
		`{"version":"2.0"}`:          "version",
		`{}`:                         "model",
		`{"model":{"type":"Magic"}}`: "model.type",
		`{"model":{"type":"WordPiece","vocab":["a"]}}`:                                                                             "model.vocab",
		`{"model":{"type":"WordPiece","vocab":{"a":-1}}}`:                                                                          "model.vocab",
		`{"model":{"type":"WordPiece","vocab":{"a":1e99}}}`:                                                                        "model.vocab",
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}`:                                                                  "model.merges",
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}`:                                                                "model",
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a","a","a"]]}}`:                                                        "model.merges",
		`{"model":{"type":"Unigram","vocab":[["a"]]}}`:                                                                             "model.vocab[0]",
		`{"model":{"type":"Unigram","vocab":[["a","b"]]}}`:                                                                         "model.vocab[0]",
		`{"model":{"type":"Unigram","unk_id":3,"vocab":[["a",0]]}}`:                                                                "model",
		`{"normalizer":{"type":"Odd"},"model":{"vocab":{}}}`:                                                                       "normalizer.type",
		`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"!"},"model":{"vocab":{}}}`:                                    "normalizer.precompiled_charsmap",
		`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"/////w=="},"model":{"vocab":{}}}`:                             "normalizer.precompiled_charsmap",
		`{"normalizer":{"type":"Replace","pattern":{"Regex":"("},"content":""},"model":{"vocab":{}}}`:                              "normalizer.pattern.Regex",
		`{"normalizer":{"type":"Replace","pattern":{},"content":""},"model":{"vocab":{}}}`:                                         "normalizer.pattern",
		`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\p{Odd}"},"behavior":"Isolated"}}`:                                  "pre_tokenizer.pattern.Regex",
		`{"pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Odd"}}`:                                             "pre_tokenizer.behavior",
		`{"pre_tokenizer":{"type":"FixedLength","length":0}}`:                                                                      "pre_tokenizer.length",
		`{"pre_tokenizer":{"type":"Metaspace","replacement":"ab"}}`:                                                                "pre_tokenizer.replacement",
		`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"Odd"}]}}`:                                 "pre_tokenizer.pretokenizers[1].type",
		`{"model":{"vocab":{}},"post_processor":{"type":"BertProcessing","cls":["a"],"sep":["b",1]}}`:                              "post_processor.cls",
		`{"model":{"vocab":{}},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}}]}}`: "post_processor.single[0]",
		`{"model":{"vocab":{}},"decoder":{"type":"Odd"}}`:                                                                          "decoder.type",
		`{"model":{"vocab":{}},"added_tokens":[{"content":1}]}`:                                                                    "added_tokens[0].content",
		`{"model":{"vocab":{}},"padding":{"strategy":{"Fixed":99999999}}}`:                                                         "padding",
		`{"model":{"vocab":{}},"truncation":{"max_length":1,"strategy":"Sideways"}}`:                                               "truncation.strategy",
		`{"normalizer":` + strings.Repeat(`{"type":"Sequence","normalizers":[`, 20) + strings.Repeat(`]}`, 20) + `}`:               "normalizer.normalizers[0]",
	} {
		_, err := buildTokenizer("bad.json", []byte(file))
		var malformed *MalformedError
		var unsupported *UnsupportedError
		if !errors.As(err, &malformed) && !errors.As(err, &unsupported) {
			t.Errorf("%.90s: %v, want a MalformedError or an UnsupportedError", file, err)
			continue
		}
		if s := err.Error(); !strings.Contains(s, "bad.json: ") || !strings.Contains(s, place) {
			t.Errorf("%.90s: %q does not name %s", file, s, place)
		}
	}
}

// TestVocabMerges reads GPT-2's pair of files and gives the ids of the tokenizer.json they are part of.
func TestVocabMerges(t *testing.T) {
	for _, name := range []string{"bytebpe-gpt2", "bytebpe-roberta"} {
		data, err := os.ReadFile("testdata/golden/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Model struct {
				Vocab  json.RawMessage
				Merges [][]string
			}
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		merges := "#version: 0.2\n"
		for _, m := range file.Model.Merges {
			merges += m[0] + " " + m[1] + "\n"
		}
		config := `{"tokenizer_class": "GPT2Tokenizer"}`
		if name == "bytebpe-roberta" {
			config = `{"tokenizer_class": "RobertaTokenizer", "add_prefix_space": true, "cls_token": "<s>", "sep_token": {"content": "</s>"}}`
		}
		got, err := LoadTokenizerFS(fstest.MapFS{"vocab.json": {Data: file.Model.Vocab}, "merges.txt": {Data: []byte(merges)},
			"tokenizer_config.json": {Data: []byte(config)}}, "")
		if err != nil {
			t.Fatal(err)
		}
		want, err := LoadTokenizer("testdata/golden/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range trainedTexts(t)[:40] {
			a, errA := want.Encode(text, &text, EncodeOptions{})
			b, errB := got.Encode(text, &text, EncodeOptions{})
			if errA != nil || errB != nil || !slices.Equal(a.IDs, b.IDs) || !slices.Equal(a.TypeIDs, b.TypeIDs) && name != "bytebpe-gpt2" {
				t.Errorf("%s: %q: %v %v, want %v %v", name, text, b, errB, a, errA)
			}
		}
	}
	_, err := LoadTokenizerFS(fstest.MapFS{"vocab.json": {Data: []byte(`{}`)}}, "")
	if err == nil || !strings.Contains(err.Error(), "merges.txt") {
		t.Errorf("without merges.txt: %v", err)
	}
}

// TestConfigOverrules loads folders whose other files say more than tokenizer.json.
func TestConfigOverrules(t *testing.T) {
	file := `{"normalizer":{"type":"BertNormalizer","lowercase":true,"strip_accents":null},"pre_tokenizer":{"type":"BertPreTokenizer"},` +
		`"padding":{"strategy":"BatchLongest","pad_id":9},"model":{"type":"WordPiece",` + tinyVocab + `}}`
	for _, c := range []struct {
		name, data string
		want       int32
	}{
		{"tokenizer_config.json", `{}`, 3},
		{"tokenizer_config.json", `{"do_lower_case": false}`, 5},
		{"sentence_bert_config.json", `{"do_lower_case": true}`, 3},
	} {
		tok, err := LoadTokenizerFS(fstest.MapFS{"tokenizer.json": {Data: []byte(file)}, c.name: {Data: []byte(c.data)}}, "")
		if err != nil {
			t.Fatal(err)
		}
		if e, err := tok.Encode("A", nil, EncodeOptions{}); err != nil || e.IDs[0] != c.want {
			t.Errorf("%s %s: %v %v, want %d", c.name, c.data, e, err, c.want)
		}
		if tok.padID() != 9 {
			t.Errorf("padding id %d, want 9", tok.padID())
		}
	}
	cased := strings.Replace(file, `"lowercase":true`, `"lowercase":false`, 1)
	tok, err := LoadTokenizerFS(fstest.MapFS{"tokenizer.json": {Data: []byte(cased)},
		"sentence_bert_config.json": {Data: []byte(`{"do_lower_case": true}`)}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := tok.Encode("A", nil, EncodeOptions{}); err != nil || e.IDs[0] != 3 {
		t.Errorf("lower case first: %v %v, want 3", e, err)
	}
	left, err := LoadTokenizerFS(fstest.MapFS{"tokenizer.json": {Data: []byte(file)},
		"tokenizer_config.json": {Data: []byte(`{"padding_side": "left", "truncation_side": "left"}`)}}, "")
	if err != nil || left.padSide != Left || left.Truncation.Side != Left {
		t.Errorf("sides %v %v, %v", left.padSide, left.Truncation.Side, err)
	}
}

// TestGrowth refuses rules that make texts grow without end.
func TestGrowth(t *testing.T) {
	double := `{"type":"Replace","pattern":{"String":"a"},"content":"aa"},`
	file := `{"normalizer":{"type":"Sequence","normalizers":[` + strings.TrimSuffix(strings.Repeat(double, 60), ",") + `]},"model":{"vocab":{"a":0},"unk_token":"a"}}`
	tok, err := buildTokenizer("grow.json", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Encode("a", nil, EncodeOptions{}); !errors.Is(err, errGrew) {
		t.Errorf("error %v, want %v", err, errGrew)
	}
}

// TestConcurrent uses one tokenizer of each kind from several goroutines, as the race detector likes to see.
func TestConcurrent(t *testing.T) {
	texts := trainedTexts(t)
	names, err := filepath.Glob("testdata/golden/*.cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		tok, err := LoadTokenizer(strings.TrimSuffix(name, ".cases.jsonl") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		want := make([][]int32, len(texts))
		for i, text := range texts {
			e, err := tok.Encode(text, nil, EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want[i] = e.IDs
		}
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range texts {
					k := (i*7 + g*13) % len(texts)
					e, err := tok.Encode(texts[k], nil, EncodeOptions{})
					if err != nil || !slices.Equal(e.IDs, want[k]) {
						t.Errorf("%s: %q: %v %v", name, texts[k], e, err)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestBatchError(t *testing.T) {
	tok, err := buildTokenizer("small.json", []byte(`{"model":{"type":"WordLevel","vocab":{"a":0}}}`))
	if err != nil {
		t.Fatal(err)
	}
	inputs := slices.Repeat([]Input{{Text: "a"}}, 100)
	inputs[70].Text, inputs[40].Text = "b", "b"
	if _, err := tok.EncodeBatch(inputs, EncodeOptions{}); err == nil || !strings.Contains(err.Error(), "text 40:") {
		t.Errorf("error %v, want one that names text 40", err)
	}
}

// TestScore reads numbers as the reference's parser rounds them.
func TestScore(t *testing.T) {
	for s, want := range map[string]float64{"0": 0, "-1.5": -1.5, "-2e1": -20, "1E-3": 0.001, "12345678901234567890123": 1.2345678901234567e22,
		"0.0000000000000000000001": 1e-22, "-0.1": -0.1, "1e-400": 0, "0e999": 0} {
		if got, err := score(s); err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-", ".", "1e", "abc", "1e999", "1.2.3", `"1"`} {
		if got, err := score(s); err == nil {
			t.Errorf("%s: %v, want an error", s, got)
		}
	}
}
