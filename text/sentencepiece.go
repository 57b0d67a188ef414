package text

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A spModel is what a SentencePiece model file says (sentencepiece_model.proto, ModelProto).
type spModel struct {
	pieces     []spPiece
	kind       uint64 // trainer_spec.model_type
	unknown    uint64 // trainer_spec.unk_id
	bytes      bool   // trainer_spec.byte_fallback
	suffix     bool   // trainer_spec.treat_whitespace_as_suffix
	charsmap   []byte // normalizer_spec.precompiled_charsmap
	dummy      bool   // normalizer_spec.add_dummy_prefix
	whitespace bool   // normalizer_spec.remove_extra_whitespaces
	escape     bool   // normalizer_spec.escape_whitespaces
}

type spPiece struct {
	text  string
	score float32
	kind  uint64
}

// Values of trainer_spec.model_type and of a piece's type.
const (
	spUnigram, spBPE         = 1, 2
	spNormal, spUnknown      = 1, 2
	spControl, spUserDefined = 3, 4
)

// readSentencePiece reads a model file.
func readSentencePiece(data []byte) (*spModel, error) {
	m := &spModel{kind: spUnigram, dummy: true, whitespace: true, escape: true}
	err := eachField(data, func(f protoField) error {
		switch f.number {
		case 1:
			p := spPiece{kind: spNormal}
			err := eachField(f.bytes, p.field)
			if err == nil && !utf8.ValidString(p.text) {
				err = errors.New("its text is not UTF-8")
			}
			if err != nil {
				return fmt.Errorf("piece %d: %w", len(m.pieces), err)
			}
			m.pieces = append(m.pieces, p)
		case 2:
			return eachField(f.bytes, m.trainerField)
		case 3:
			return eachField(f.bytes, m.normalizerField)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(m.pieces) == 0:
		return nil, errNoVocab
	}
	for i, p := range m.pieces {
		if p.kind == spUnknown {
			m.unknown = uint64(i)
		}
	}
	return m, nil
}

func (p *spPiece) field(f protoField) error {
	switch f.number {
	case 1:
		p.text = string(f.bytes)
	case 2:
		p.score = math.Float32frombits(uint32(f.value))
		if s := float64(p.score); math.IsNaN(s) || math.IsInf(s, 0) {
			return errors.New("its score is no number")
		}
	case 3:
		p.kind = f.value
	}
	return nil
}

func (m *spModel) trainerField(f protoField) error {
	switch f.number {
	case 3:
		m.kind = f.value
	case 24:
		m.suffix = f.value != 0
	case 35:
		m.bytes = f.value != 0
	case 40:
		m.unknown = f.value
	}
	return nil
}

func (m *spModel) normalizerField(f protoField) error {
	switch f.number {
	case 2:
		m.charsmap = f.bytes
	case 3:
		m.dummy = f.value != 0
	case 4:
		m.whitespace = f.value != 0
	case 5:
		m.escape = f.value != 0
	}
	return nil
}

// A protoField is a field of a message in the protocol buffers wire format.
type protoField struct {
	number uint64
	value  uint64 // of a number
	bytes  []byte // of a string, a message or bytes
}

var errWire = errors.New("is not a SentencePiece model: its protocol buffer is broken")

// eachField calls f for the fields of a message.
func eachField(data []byte, f func(protoField) error) error {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 || tag>>3 == 0 {
			return errWire
		}
		data = data[n:]
		field := protoField{number: tag >> 3}
		size := 0
		switch tag & 7 {
		case 0:
			if field.value, size = binary.Uvarint(data); size <= 0 {
				return errWire
			}
		case 1:
			size = 8
		case 2:
			length, n := binary.Uvarint(data)
			if n <= 0 || length > uint64(len(data)-n) {
				return errWire
			}
			data = data[n:]
			size = int(length)
			field.bytes = data[:size]
		case 5:
			size = 4
			if len(data) >= 4 {
				field.value = uint64(binary.LittleEndian.Uint32(data))
			}
		default:
			return errWire
		}
		if size > len(data) {
			return errWire
		}
		data = data[size:]
		if err := f(field); err != nil {
			return err
		}
	}
	return nil
}

// fromSentencePiece writes a tokenizer.json for a SentencePiece model, the way transformers converts them.
func (f *folder) fromSentencePiece(name string, data []byte) ([]byte, error) {
	m, err := readSentencePiece(data)
	if err != nil {
		return nil, &MalformedError{File: name, Err: err}
	}
	if m.suffix || !m.escape {
		return nil, &UnsupportedError{File: name, What: "treat_whitespace_as_suffix, or escape_whitespaces switched off"}
	}
	if f.isFairseq() {
		m.shiftFairseq()
	}
	if m.unknown >= uint64(len(m.pieces)) {
		return nil, &MalformedError{File: name, Err: fmt.Errorf("its unk_id is %d, but it has %d pieces", m.unknown, len(m.pieces))}
	}
	parts := map[string]any{"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil}
	ids := map[string]int32{}
	for i, p := range m.pieces {
		ids[p.text] = int32(i)
	}
	switch m.kind {
	case spUnigram:
		m.unigramParts(parts)
	case spBPE:
		m.bpeParts(parts, ids)
	default:
		return nil, &UnsupportedError{File: name, What: fmt.Sprintf("model type %d; understood are 1 (unigram) and 2 (BPE)", m.kind)}
	}
	parts["added_tokens"] = m.addedTokens(f.special)
	parts["post_processor"] = f.sentencePieceTemplate(ids)
	return (&tokenizerFile{}).with(parts)
}

// addedTokens lists control, unknown and user-defined pieces.
func (m *spModel) addedTokens(named namedTokens) []any {
	list := []any{}
	for i, p := range m.pieces {
		special := p.kind == spControl || p.kind == spUnknown
		if special || p.kind == spUserDefined {
			list = append(list, map[string]any{"id": i, "content": p.text, "single_word": false,
				"lstrip": special && p.text == named.mask, "rstrip": false, "normalized": false, "special": special})
		}
	}
	return list
}

// normalizers are the rules of the model's own normalizer.
func (m *spModel) normalizers() []any {
	var list []any
	if len(m.charsmap) > 0 {
		list = append(list, map[string]any{"type": "Precompiled", "precompiled_charsmap": base64.StdEncoding.EncodeToString(m.charsmap)})
	}
	replace := func(pattern, content string) {
		list = append(list, map[string]any{"type": "Replace", "pattern": map[string]any{"Regex": pattern}, "content": content})
	}
	if m.whitespace { // runs of spaces become one, the ends have none; in words that every regular expression engine knows
		replace(" {2,}", " ")
		replace(` (?![\s\S])`, "")
		if !m.dummy {
			replace(`(?<![\s\S]) `, "")
		}
	}
	return list
}

func (m *spModel) unigramParts(parts map[string]any) {
	if list := m.normalizers(); list != nil {
		parts["normalizer"] = map[string]any{"type": "Sequence", "normalizers": list}
	}
	scheme := "always"
	if !m.dummy {
		scheme = "never"
	}
	metaspace := map[string]any{"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true}
	parts["pre_tokenizer"], parts["decoder"] = metaspace, metaspace
	vocab := make([][2]any, len(m.pieces))
	for i, p := range m.pieces {
		vocab[i] = [2]any{p.text, float64(p.score)}
	}
	parts["model"] = map[string]any{"type": "Unigram", "unk_id": m.unknown, "vocab": vocab, "byte_fallback": m.bytes}
}

func (m *spModel) bpeParts(parts map[string]any, ids map[string]int32) {
	list := m.normalizers()
	if m.dummy {
		list = append(list, map[string]any{"type": "Prepend", "prepend": "▁"})
	}
	list = append(list, map[string]any{"type": "Replace", "pattern": map[string]any{"String": " "}, "content": "▁"})
	parts["normalizer"] = map[string]any{"type": "Sequence", "normalizers": list}
	parts["pre_tokenizer"] = nil
	decoders := []any{map[string]any{"type": "Replace", "pattern": map[string]any{"String": "▁"}, "content": " "},
		map[string]any{"type": "ByteFallback"}, map[string]any{"type": "Fuse"}}
	if m.dummy {
		decoders = append(decoders, map[string]any{"type": "Strip", "content": " ", "start": 1, "stop": 0})
	}
	parts["decoder"] = map[string]any{"type": "Sequence", "decoders": decoders}
	parts["model"] = map[string]any{"type": "BPE", "unk_token": m.pieces[m.unknown].text, "fuse_unk": true,
		"byte_fallback": m.bytes, "vocab": ids, "merges": m.merges(ids)}
}

// longestPiece is the longest piece in bytes that is taken apart to find the pairs that make it.
const longestPiece = 512

// merges are the pairs of pieces that make a piece, those of the best score first: SentencePiece keeps pieces only.
func (m *spModel) merges(ids map[string]int32) [][2]string {
	type pair struct {
		left, right string
		piece       int
	}
	var pairs []pair
	for i, p := range m.pieces {
		if p.kind != spNormal || len(p.text) > longestPiece {
			continue
		}
		from := len(pairs)
		for k := range p.text {
			left, right := p.text[:k], p.text[k:]
			if m.joins(ids, left) && m.joins(ids, right) {
				pairs = append(pairs, pair{left, right, i})
			}
		}
		slices.SortStableFunc(pairs[from:], func(a, b pair) int {
			if d := int(ids[a.left]) - int(ids[b.left]); d != 0 {
				return d
			}
			return int(ids[a.right]) - int(ids[b.right])
		})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		switch x, y := m.pieces[a.piece].score, m.pieces[b.piece].score; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	out := make([][2]string, len(pairs))
	for i, p := range pairs {
		out[i] = [2]string{p.left, p.right}
	}
	return out
}

// joins reports whether text is a piece that may be joined with others.
func (m *spModel) joins(ids map[string]int32, text string) bool {
	id, ok := ids[text]
	return ok && m.pieces[id].kind == spNormal
}

// isFairseq reports whether the folder's ids are those of fairseq, which has its own four first tokens.
func (f *folder) isFairseq() bool {
	class, _ := f.tokenizerConfig["tokenizer_class"].(string)
	model, _ := f.config["model_type"].(string)
	return strings.HasPrefix(class, "XLMRoberta") || class == "" && model == "xlm-roberta"
}

// shiftFairseq puts fairseq's tokens in place of SentencePiece's first three, and a mask at the end.
func (m *spModel) shiftFairseq() {
	first := []spPiece{{text: "<s>", kind: spControl}, {text: "<pad>", kind: spControl}, {text: "</s>", kind: spControl},
		{text: "<unk>", kind: spUnknown}}
	rest := m.pieces[min(3, len(m.pieces)):]
	m.pieces = append(append(first, rest...), spPiece{text: "<mask>", kind: spControl})
	m.unknown = 3
}

// sentencePieceTemplate says where special tokens go, by the names the files beside the model give them: around texts
// where there are cls and sep, else bos before and eos after as far as they are named. A model alone gets none.
func (f *folder) sentencePieceTemplate(ids map[string]int32) any {
	s := f.special
	has := func(token string) bool {
		_, ok := ids[token]
		return ok && token != ""
	}
	if has(s.cls) && has(s.sep) {
		if s.cls == "[CLS]" {
			return bertTemplate(s.cls, s.sep, ids)
		}
		return map[string]any{"type": "RobertaProcessing", "cls": []any{s.cls, ids[s.cls]}, "sep": []any{s.sep, ids[s.sep]},
			"trim_offsets": false, "add_prefix_space": true}
	}
	before, after := "", ""
	if class, _ := f.tokenizerConfig["tokenizer_class"].(string); has(s.bos) && f.wants("add_bos_token", strings.HasPrefix(class, "Llama")) {
		before = s.bos
	}
	if class, _ := f.tokenizerConfig["tokenizer_class"].(string); has(s.eos) && f.wants("add_eos_token", strings.HasPrefix(class, "T5")) {
		after = s.eos
	}
	return aroundTemplate(before, after, ids)
}

// wants returns a flag of tokenizer_config.json.
func (f *folder) wants(key string, instead bool) bool {
	if v, ok := f.tokenizerConfig[key].(bool); ok {
		return v
	}
	return instead
}

// aroundTemplate puts a token before and one after each text; "" is none.
func aroundTemplate(before, after string, ids map[string]int32) any {
	special := map[string]any{}
	around := func(id string, typ int) []any {
		var list []any
		add := func(token string) {
			if token != "" {
				special[token] = map[string]any{"id": token, "ids": []int32{ids[token]}, "tokens": []string{token}}
				list = append(list, map[string]any{"SpecialToken": map[string]any{"id": token, "type_id": typ}})
			}
		}
		add(before)
		list = append(list, map[string]any{"Sequence": map[string]any{"id": id, "type_id": typ}})
		add(after)
		return list
	}
	if before == "" && after == "" {
		return nil
	}
	return map[string]any{"type": "TemplateProcessing", "single": around("A", 0), "pair": append(around("A", 0), around("B", 1)...),
		"special_tokens": special}
}
