package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
)

// fromVocabTxt writes a tokenizer.json for BERT's vocab.txt: one token a line, its number the id.
func (f *folder) fromVocabTxt(name string, data []byte) ([]byte, error) {
	ids := map[string]int32{}
	lines := strings.Split(string(data), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		ids[strings.TrimRight(line, " \t\r\n\v\f\u0085\u00a0")] = int32(i)
	}
	if len(ids) == 0 {
		return nil, &MalformedError{File: name, Err: errNoVocab}
	}
	unk, cls, sep := or(f.special.unk, "[UNK]"), or(f.special.cls, "[CLS]"), or(f.special.sep, "[SEP]")
	for _, token := range []string{unk, cls, sep} {
		if _, ok := ids[token]; !ok {
			return nil, &MalformedError{File: name, Err: fmt.Errorf("has no line %q, which a BERT vocabulary needs", token)}
		}
	}
	lower := f.lowerCase(ids)
	chinese, ok := f.tokenizerConfig["tokenize_chinese_chars"].(bool)
	vocab, err := orderedVocab(ids)
	if err != nil {
		return nil, err
	}
	named := []string{or(f.special.pad, "[PAD]"), unk, cls, sep, or(f.special.mask, "[MASK]")}
	return (&tokenizerFile{}).with(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil,
		"added_tokens": addedSpecial(ids, named),
		"normalizer": map[string]any{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": chinese || !ok,
			"strip_accents": f.tokenizerConfig["strip_accents"], "lowercase": lower},
		"pre_tokenizer":  map[string]any{"type": "BertPreTokenizer"},
		"post_processor": bertTemplate(cls, sep, ids),
		"decoder":        map[string]any{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": struct {
			Type   string          `json:"type"`
			Unk    string          `json:"unk_token"`
			Prefix string          `json:"continuing_subword_prefix"`
			Max    int             `json:"max_input_chars_per_word"`
			Vocab  json.RawMessage `json:"vocab"`
		}{"WordPiece", unk, "##", 100, vocab},
	})
}

// lowerCase decides whether a BERT vocabulary is of lower-case text: as do_lower_case says, otherwise by whether a plain
// word of it has an upper-case letter.
func (f *folder) lowerCase(ids map[string]int32) bool {
	if lower, ok := f.tokenizerConfig["do_lower_case"].(bool); ok {
		return lower
	}
	for token := range ids {
		if token != "" && token[0] != '[' && token[0] != '<' && strings.ContainsAny(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			return false
		}
	}
	return true
}

// bertTemplate is [CLS] A [SEP] and [CLS] A [SEP] B [SEP].
func bertTemplate(cls, sep string, ids map[string]int32) any {
	special := func(token string, typ int) any {
		return map[string]any{"SpecialToken": map[string]any{"id": token, "type_id": typ}}
	}
	sequence := func(id string, typ int) any {
		return map[string]any{"Sequence": map[string]any{"id": id, "type_id": typ}}
	}
	entry := func(token string) any {
		return map[string]any{"id": token, "ids": []int32{ids[token]}, "tokens": []string{token}}
	}
	return map[string]any{
		"type":           "TemplateProcessing",
		"single":         []any{special(cls, 0), sequence("A", 0), special(sep, 0)},
		"pair":           []any{special(cls, 0), sequence("A", 0), special(sep, 0), sequence("B", 1), special(sep, 1)},
		"special_tokens": map[string]any{cls: entry(cls), sep: entry(sep)},
	}
}

// addedSpecial lists special tokens as added ones, in the order of their ids, each once.
func addedSpecial(ids map[string]int32, tokens []string) []any {
	byID := map[int32]string{}
	for _, token := range tokens {
		if id, ok := ids[token]; ok && token != "" {
			byID[id] = token
		}
	}
	list := []any{}
	for _, id := range sortedKeys(byID) {
		list = append(list, map[string]any{"id": id, "content": byID[id], "single_word": false, "lstrip": false,
			"rstrip": false, "normalized": false, "special": true})
	}
	return list
}

// fromVocabMerges writes a tokenizer.json for GPT-2's and RoBERTa's pair of files, vocab.json and merges.txt.
func (f *folder) fromVocabMerges(name string, data []byte) ([]byte, error) {
	v, err := parseJSON(name, data)
	if err != nil {
		return nil, err
	}
	var ids map[string]int32
	if err := v.to(&ids); err != nil {
		return nil, err
	}
	beside := path.Join(path.Dir(name), strings.TrimSuffix(path.Base(name), "vocab.json")+"merges.txt")
	text, err := readFile(f.fsys, beside)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return nil, &MalformedError{File: name, Err: errors.New("needs " + beside + " beside it")}
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r")
	}
	malformed := func(err error) error { return &MalformedError{File: beside, Err: err} }
	merges, err := splitMerges(lines, malformed)
	if err != nil {
		return nil, err
	}
	prefix, _ := f.tokenizerConfig["add_prefix_space"].(bool)
	byteLevel := map[string]any{"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": true}
	vocab, err := orderedVocab(ids)
	if err != nil {
		return nil, err
	}
	s := f.special
	post := byteLevel
	if cls, sep := or(s.cls, "<s>"), or(s.sep, "</s>"); f.isRoberta(ids) {
		post = map[string]any{"type": "RobertaProcessing", "cls": []any{cls, ids[cls]}, "sep": []any{sep, ids[sep]},
			"trim_offsets": true, "add_prefix_space": prefix}
	}
	return (&tokenizerFile{}).with(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil,
		"added_tokens": addedSpecial(ids, []string{s.unk, s.cls, s.sep, s.pad, s.bos, s.eos, "<|endoftext|>"}),
		"normalizer":   nil, "pre_tokenizer": byteLevel, "post_processor": post, "decoder": byteLevel,
		"model": struct {
			Type   string          `json:"type"`
			Vocab  json.RawMessage `json:"vocab"`
			Merges [][2]string     `json:"merges"`
		}{"BPE", vocab, merges},
	})
}

// isRoberta reports whether special tokens go around texts the way RoBERTa has them.
func (f *folder) isRoberta(ids map[string]int32) bool {
	class, _ := f.tokenizerConfig["tokenizer_class"].(string)
	model, _ := f.config["model_type"].(string)
	_, cls := ids[or(f.special.cls, "<s>")]
	_, sep := ids[or(f.special.sep, "</s>")]
	named := strings.Contains(strings.ToLower(class+" "+model), "roberta") || class == "" && model == ""
	return cls && sep && named
}

// orderedVocab writes ids by token as JSON, in the order of ids.
func orderedVocab(ids map[string]int32) (json.RawMessage, error) {
	byID := make(map[int32][]string, len(ids))
	for token, id := range ids {
		byID[id] = append(byID[id], token)
	}
	var b strings.Builder
	b.WriteByte('{')
	for _, id := range sortedKeys(byID) {
		for _, token := range sortedStrings(byID[id]) {
			key, err := marshal(token, "")
			if err != nil {
				return nil, err
			}
			if b.Len() > 1 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%s:%d", key, id)
		}
	}
	b.WriteByte('}')
	return json.RawMessage(b.String()), nil
}
