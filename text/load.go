package text

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A source is what a tokenizer was made from.
type source struct {
	tokenizer []byte // tokenizer.json: as it came, or written for what came instead of one
	vocab     []byte // vocab.txt, where there is one

	config, specialTokens map[string]any // tokenizer_config.json and special_tokens_map.json, nil where there are none
}

// LoadTokenizer reads a tokenizer from a Hugging Face folder, or from one file: tokenizer.json, vocab.txt (WordPiece),
// vocab.json with merges.txt beside it (byte-level BPE), or a SentencePiece .model or .spm. Files beside it say more:
// tokenizer_config.json, special_tokens_map.json, sentence_bert_config.json and config.json.
func LoadTokenizer(name string) (*Tokenizer, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	if info.IsDir() {
		return LoadTokenizerFS(os.DirFS(name), "")
	}
	return LoadTokenizerFS(os.DirFS(filepath.Dir(name)), filepath.Base(name))
}

// LoadTokenizerFS is [LoadTokenizer] for a folder given as a file system, or for one file of it.
func LoadTokenizerFS(fsys fs.FS, file string) (*Tokenizer, error) {
	f, err := openFolder(fsys)
	if err != nil {
		return nil, err
	}
	return f.tokenizer(file)
}

// tokenizerFiles are the files a tokenizer may be read from, the first that is there.
var tokenizerFiles = []string{"tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model",
	"sentencepiece.bpe.model", "sentencepiece.model", "spm.model", "source.spm"}

// tokenizer reads the folder's tokenizer, from the given file where one is given.
func (f *folder) tokenizer(file string) (*Tokenizer, error) {
	names := tokenizerFiles
	if file != "" {
		names = []string{file}
	}
	for _, name := range names {
		data, err := readFile(f.fsys, name)
		if err != nil {
			return nil, err
		}
		if data != nil {
			return f.read(name, data)
		}
	}
	return nil, fmt.Errorf("text: no tokenizer: none of %s is there: %w", strings.Join(names, ", "), fs.ErrNotExist)
}

// read makes a tokenizer of a file.
func (f *folder) read(name string, data []byte) (*Tokenizer, error) {
	src := source{config: f.tokenizerConfig, specialTokens: f.specialTokens}
	var err error
	switch ext := path.Ext(name); {
	case ext == ".txt":
		src.vocab = data
		src.tokenizer, err = f.fromVocabTxt(name, data)
	case ext == ".model" || ext == ".spm":
		src.tokenizer, err = f.fromSentencePiece(name, data)
	case strings.HasSuffix(name, "vocab.json"):
		src.tokenizer, err = f.fromVocabMerges(name, data)
	case ext == ".json":
		src.tokenizer, err = f.patch(name, data)
		if err == nil {
			src.vocab, err = readFile(f.fsys, "vocab.txt")
		}
	default:
		return nil, &UnsupportedError{File: name, What: "this kind of file; understood are tokenizer.json, vocab.txt, " +
			"vocab.json, .model and .spm"}
	}
	if err != nil {
		return nil, err
	}
	t, err := buildTokenizer(name, src.tokenizer)
	if err != nil {
		return nil, err
	}
	t.source = src
	t.MaxLength = f.maxLength()
	t.special = f.special
	if side, _ := f.tokenizerConfig["padding_side"].(string); side == "left" {
		t.padSide = Left
	}
	if side, _ := f.tokenizerConfig["truncation_side"].(string); side == "left" {
		t.Truncation.Side = Left
	}
	return t, nil
}

// padID returns the id that padding has.
func (t *Tokenizer) padID() int32 {
	for _, name := range []string{t.special.pad, "[PAD]", "<pad>"} {
		if id, ok := t.ID(name); ok && name != "" {
			return id
		}
	}
	if t.Padding != nil {
		return t.Padding.ID
	}
	if id, ok := t.ID(or(t.special.eos, t.special.unk)); ok {
		return id
	}
	return 0
}

// patch changes a tokenizer.json to what the files beside it ask for: transformers lets tokenizer_config.json overrule
// the rules of a BertNormalizer, and sentence-transformers may put texts into lower case first.
func (f *folder) patch(name string, data []byte) ([]byte, error) {
	file, err := readTokenizerFile(name, data)
	if err != nil {
		return nil, err
	}
	changed := false
	norm := map[string]any{}
	if err := file.decode("normalizer", &norm); err != nil {
		return nil, err
	}
	if norm["type"] == "BertNormalizer" {
		for key, as := range map[string]string{"do_lower_case": "lowercase", "strip_accents": "strip_accents",
			"tokenize_chinese_chars": "handle_chinese_chars"} {
			v, ok := f.tokenizerConfig[key].(bool)
			if ok && norm[as] != v {
				norm[as], changed = v, true
			}
		}
	}
	if lower, _ := f.sentence["do_lower_case"].(bool); lower && norm["lowercase"] != true && norm["type"] != "Lowercase" {
		steps := []any{map[string]any{"type": "Lowercase"}}
		if len(norm) > 0 {
			steps = append(steps, norm)
		}
		norm, changed = map[string]any{"type": "Sequence", "normalizers": steps}, true
	}
	if !changed {
		return data, nil
	}
	return file.with(map[string]any{"normalizer": norm})
}

var errNoVocab = errors.New("has no tokens")
