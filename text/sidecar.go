package text

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Files returns the files that make an exported folder give the same ids in other libraries: tokenizer.json, which cuts at
// MaxLength and does not pad, tokenizer_config.json, special_tokens_map.json, and vocab.txt where there was one.
func (p *Preprocessor) Files() (map[string][]byte, error) {
	t := *p.Tokenizer
	t.MaxLength = p.MaxLength
	return t.Files()
}

// Files returns the files to save a tokenizer as: tokenizer.json, which cuts at MaxLength (0 is not at all) and does not
// pad, tokenizer_config.json, special_tokens_map.json, and vocab.txt where there was one.
func (t *Tokenizer) Files() (map[string][]byte, error) {
	file, err := readTokenizerFile("tokenizer.json", t.source.tokenizer)
	if err != nil {
		return nil, err
	}
	parts := map[string]any{"padding": nil, "truncation": nil}
	special, config := t.source.specialTokens, maps.Clone(t.source.config)
	if special == nil {
		special = t.namedSpecial()
	}
	if config == nil {
		config = t.namedSpecial()
		config["tokenizer_class"] = tokenizerClass(file)
		if lower, ok := lowerCase(file); ok {
			config["do_lower_case"] = lower
		}
	}
	if t.MaxLength > 0 {
		direction := "Right"
		if t.Truncation.Side == Left {
			direction = "Left"
		}
		parts["truncation"] = map[string]any{"direction": direction, "max_length": t.MaxLength, "strategy": "LongestFirst", "stride": 0}
		config["model_max_length"] = t.MaxLength
	}
	files := map[string][]byte{}
	if files["tokenizer.json"], err = file.with(parts); err != nil {
		return nil, fmt.Errorf("text: tokenizer.json: %w", err)
	}
	if files["special_tokens_map.json"], err = marshal(special, "  "); err != nil {
		return nil, fmt.Errorf("text: special_tokens_map.json: %w", err)
	}
	if files["tokenizer_config.json"], err = marshal(config, "  "); err != nil {
		return nil, fmt.Errorf("text: tokenizer_config.json: %w", err)
	}
	if t.source.vocab != nil {
		files["vocab.txt"] = t.source.vocab
	}
	return files, nil
}

// namedSpecial gives the special tokens the names that transformers knows them by.
func (t *Tokenizer) namedSpecial() map[string]any {
	s := t.special
	m := map[string]any{}
	for _, n := range []struct {
		key   string
		names []string
	}{
		{"unk_token", []string{s.unk, "[UNK]", "<unk>"}}, {"cls_token", []string{s.cls, "[CLS]", "<s>"}},
		{"sep_token", []string{s.sep, "[SEP]", "</s>"}}, {"pad_token", []string{s.pad, "[PAD]", "<pad>"}},
		{"mask_token", []string{s.mask, "[MASK]", "<mask>"}}, {"bos_token", []string{s.bos}}, {"eos_token", []string{s.eos}},
	} {
		for _, name := range n.names {
			if _, ok := t.ID(name); ok && name != "" {
				m[n.key] = name
				break
			}
		}
	}
	return m
}

// tokenizerClass returns the class of transformers that reads a tokenizer.json as it stands.
func tokenizerClass(file *tokenizerFile) string {
	var norm struct{ Type string }
	if json.Unmarshal(file.parts["normalizer"], &norm) == nil && norm.Type == "BertNormalizer" {
		return "BertTokenizer"
	}
	return "PreTrainedTokenizerFast"
}

// lowerCase returns whether a BertNormalizer lower-cases, and whether there is one.
func lowerCase(file *tokenizerFile) (lower, ok bool) {
	var norm struct {
		Type      string
		Lowercase bool
	}
	err := json.Unmarshal(file.parts["normalizer"], &norm)
	return norm.Lowercase, err == nil && norm.Type == "BertNormalizer"
}

// Config returns the base of an exported config.json: what the source folder's says, whose fields the caller may
// exchange.
func (b *Backbone) Config() map[string]any {
	config := maps.Clone(b.config)
	if config == nil {
		config = map[string]any{}
	}
	if _, ok := config["model_type"]; !ok && b.tokenizesLikeBERT() {
		config["model_type"] = "bert"
	}
	return config
}

func (b *Backbone) tokenizesLikeBERT() bool {
	file, err := readTokenizerFile("tokenizer.json", b.Tokenizer.source.tokenizer)
	return err == nil && tokenizerClass(file) == "BertTokenizer"
}
