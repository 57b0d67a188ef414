package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"
)

// A folder is a Hugging Face folder: what its JSON files say, as far as a text model's preprocessing depends on it.
type folder struct {
	fsys            fs.FS
	config          map[string]any // config.json; nil where there is none
	tokenizerConfig map[string]any
	specialTokens   map[string]any
	sentence        map[string]any // sentence_bert_config.json
	special         namedTokens
}

// maxFile is how large a file beside a model may be, in bytes.
const maxFile = 1 << 30

// readFile returns a file's content, nil where there is none.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	if info.Size() > maxFile {
		return nil, &MalformedError{File: name, Err: fmt.Errorf("has %d bytes, more than %d", info.Size(), maxFile)}
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	return data, nil
}

// readObject reads a JSON object from a file, nil where there is none.
func readObject(fsys fs.FS, name string) (map[string]any, error) {
	data, err := readFile(fsys, name)
	if data == nil || err != nil {
		return nil, err
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, &MalformedError{File: name, Err: err}
	}
	return m, nil
}

// sentenceConfigs are the names under which sentence-transformers keeps its limits.
var sentenceConfigs = []string{
	"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json",
	"sentence_camembert_config.json", "sentence_albert_config.json", "sentence_xlm-roberta_config.json",
	"sentence_xlnet_config.json",
}

// openFolder reads the JSON files of a folder.
func openFolder(fsys fs.FS) (*folder, error) {
	f := &folder{fsys: fsys}
	var err error
	if f.config, err = readObject(fsys, "config.json"); err != nil {
		return nil, err
	}
	if f.tokenizerConfig, err = readObject(fsys, "tokenizer_config.json"); err != nil {
		return nil, err
	}
	if f.specialTokens, err = readObject(fsys, "special_tokens_map.json"); err != nil {
		return nil, err
	}
	transformer, err := f.transformerDir()
	if err != nil {
		return nil, err
	}
	for _, name := range sentenceConfigs {
		if f.sentence, err = readObject(fsys, path.Join(transformer, name)); err != nil {
			return nil, err
		}
		if f.sentence != nil {
			break
		}
	}
	f.special = readNamedTokens(f.specialTokens, f.tokenizerConfig)
	return f, nil
}

// A module is one step of a sentence-transformers model.
type module struct{ Path, Type string }

// modules reads modules.json, nil where there is none.
func (f *folder) modules() ([]module, error) {
	data, err := readFile(f.fsys, "modules.json")
	if data == nil || err != nil {
		return nil, err
	}
	var list []module
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, &MalformedError{File: "modules.json", Err: err}
	}
	for i, m := range list {
		if m.Path != "" && !fs.ValidPath(path.Clean(m.Path)) {
			return nil, &MalformedError{"modules.json", fmt.Sprintf("[%d].path", i), fmt.Errorf("%q leads out of the folder", m.Path)}
		}
	}
	return list, nil
}

// transformerDir returns the folder of the transformer itself, as a rule ".".
func (f *folder) transformerDir() (string, error) {
	modules, err := f.modules()
	for _, m := range modules {
		if strings.HasSuffix(m.Type, ".Transformer") {
			return path.Clean("./" + m.Path), err
		}
	}
	return ".", err
}

// number returns a field that is a number above 0 and not absurdly large, 0 otherwise.
func number(m map[string]any, key string) int {
	x, ok := m[key].(float64)
	if !ok || x < 1 || x > math.MaxInt32 {
		return 0
	}
	return int(x)
}

// offsetPositions are model types whose positions begin after the padding id.
var offsetPositions = map[string]bool{"roberta": true, "xlm-roberta": true, "camembert": true, "mpnet": true, "longformer": true}

// positions returns how many tokens the model has positions for, 0 if config.json does not say.
func (f *folder) positions() int {
	n := 0
	for _, key := range []string{"max_position_embeddings", "n_positions", "seq_length", "seq_len"} {
		if n == 0 {
			n = number(f.config, key)
		}
	}
	model, _ := f.config["model_type"].(string)
	if n == 0 || !offsetPositions[model] {
		return n
	}
	pad := 1
	if p, ok := f.config["pad_token_id"].(float64); ok {
		pad = int(p)
	}
	return max(n-pad-1, 1)
}

// maxLength returns the most tokens the folder's model is to be given, as sentence-transformers decides: what
// sentence_bert_config.json says, otherwise the smaller one of the tokenizer's model_max_length and the model's
// positions. What tokenizer.json says of truncation does not count. 0 is not known.
func (f *folder) maxLength() int {
	limit := number(f.tokenizerConfig, "model_max_length")
	positions := f.positions()
	if n := number(f.sentence, "max_seq_length"); n > 0 {
		limit = n
	}
	if positions > 0 && (limit == 0 || positions < limit) {
		limit = positions
	}
	return limit
}

// namedTokens are the special tokens that the files beside a tokenizer give names to.
type namedTokens struct{ unk, cls, sep, pad, mask, bos, eos string }

// readNamedTokens reads special_tokens_map.json, and tokenizer_config.json for what it does not say.
func readNamedTokens(maps ...map[string]any) namedTokens {
	find := func(key string) string {
		for _, m := range maps {
			switch v := m[key].(type) {
			case string:
				return v
			case map[string]any:
				if s, ok := v["content"].(string); ok {
					return s
				}
			}
		}
		return ""
	}
	return namedTokens{find("unk_token"), find("cls_token"), find("sep_token"), find("pad_token"), find("mask_token"),
		find("bos_token"), find("eos_token")}
}

// or returns the first string that is not empty.
func or(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}
