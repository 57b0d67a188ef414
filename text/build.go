package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/onnx-graft/graft/text/internal/model"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
)

// buildTokenizer reads a tokenizer.json.
func buildTokenizer(file string, data []byte) (*Tokenizer, error) {
	v, err := parseJSON(file, data)
	if err != nil {
		return nil, err
	}
	o, err := v.fields()
	if err != nil {
		return nil, err
	}
	if version := o.str("version", "1.0", &err); err == nil && version != "1.0" {
		return nil, o.get("version").unsupported("%q; understood is 1.0", version)
	}
	t := &Tokenizer{spellsUnknown: -1, post: plain()}
	t.source.tokenizer = data
	b := builder{t: t}
	if t.normalizer, err = b.normalizer(o.get("normalizer"), 0); err != nil {
		return nil, err
	}
	if t.preTokenizer, err = b.preTokenizer(o.get("pre_tokenizer"), 0); err != nil {
		return nil, err
	}
	if err = b.model(o.get("model")); err != nil {
		return nil, err
	}
	if err = b.post(o.get("post_processor")); err != nil {
		return nil, err
	}
	if t.decoder, err = b.decoder(o.get("decoder"), 0); err != nil {
		return nil, err
	}
	added, err := readAdded(o.get("added_tokens"))
	if err != nil {
		return nil, err
	}
	if err := t.setAdded(added, o.get("added_tokens")); err != nil {
		return nil, err
	}
	return t, b.defaults(o)
}

// setAdded gives the tokenizer its added tokens, which at tells the place of.
func (t *Tokenizer) setAdded(list []addedToken, at value) error {
	added, err := newAddedTokens(list, t)
	if err != nil {
		return at.malformed(err)
	}
	t.added = added
	if t.post.trim {
		t.trims = trimTable(t.model.Vocabulary(), added.byID)
	}
	return nil
}

// A builder makes the stages of a tokenizer.
type builder struct{ t *Tokenizer }

// maxDepth is how deep sequences of stages may nest.
const maxDepth = 8

// typeOf returns the fields of a stage and its type, checking how deep it is nested.
func typeOf(v value, depth int) (object, string, error) {
	o, err := v.fields()
	if err != nil {
		return o, "", err
	}
	if depth > maxDepth {
		return o, "", v.malformed(errors.New("sequences are nested too deep"))
	}
	typ := o.str("type", "", &err)
	return o, typ, err
}

func readAdded(v value) ([]addedToken, error) {
	if v.none() {
		return nil, nil
	}
	items, err := v.list()
	if err != nil {
		return nil, err
	}
	var tokens []addedToken
	for _, item := range items {
		o, err := item.fields()
		if err != nil {
			return nil, err
		}
		special := o.flag("special", false, &err)
		tokens = append(tokens, addedToken{
			content: o.str("content", "", &err), singleWord: o.flag("single_word", false, &err),
			lstrip: o.flag("lstrip", false, &err), rstrip: o.flag("rstrip", false, &err),
			normalized: o.flag("normalized", !special, &err), special: special,
		})
		if err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// model reads the model. Old files have no type; then its fields tell, in the order the reference tries them.
func (b builder) model(v value) error {
	o, typ, err := typeOf(v, 0)
	if err != nil {
		return err
	}
	vocab := o.get("vocab")
	if typ == "" {
		switch {
		case !o.get("merges").none():
			typ = "BPE"
		case len(vocab.raw) > 0 && bytes.TrimSpace(vocab.raw)[0] == '[':
			typ = "Unigram"
		case !o.get("continuing_subword_prefix").none() || !o.get("max_input_chars_per_word").none():
			typ = "WordPiece"
		default:
			typ = "WordLevel"
		}
	}
	switch typ {
	case "WordPiece":
		b.t.model, err = wordPiece(o)
	case "WordLevel":
		b.t.model, err = wordLevel(o)
	case "Unigram":
		b.t.model, err = b.unigram(o)
	case "BPE":
		b.t.model, err = b.bpe(o)
	default:
		return o.get("type").unsupported("%q; understood are BPE, Unigram, WordLevel, WordPiece", typ)
	}
	return err
}

// vocabulary reads an object of ids by token.
func vocabulary(v value) (*model.Vocabulary, error) {
	var ids map[string]int32
	if err := v.to(&ids); err != nil {
		return nil, err
	}
	vocab, err := model.NewVocabulary(ids)
	if err != nil {
		return nil, v.malformed(err)
	}
	return vocab, nil
}

func wordPiece(o object) (model.Model, error) {
	vocab, err := vocabulary(o.get("vocab"))
	c := model.WordPieceConfig{
		Vocab: vocab, Unknown: o.str("unk_token", "[UNK]", &err),
		Prefix:   o.str("continuing_subword_prefix", "##", &err),
		MaxChars: o.num("max_input_chars_per_word", 100, &err),
	}
	if err != nil {
		return nil, err
	}
	m, err := model.NewWordPiece(c)
	if err != nil {
		return nil, o.malformed(err)
	}
	return m, nil
}

func wordLevel(o object) (model.Model, error) {
	vocab, err := vocabulary(o.get("vocab"))
	unknown := o.str("unk_token", "<unk>", &err)
	if err != nil {
		return nil, err
	}
	return model.NewWordLevel(vocab, unknown), nil
}

func (b builder) bpe(o object) (model.Model, error) {
	vocab, err := vocabulary(o.get("vocab"))
	if err != nil {
		return nil, err
	}
	merges, err := readMerges(o.get("merges"))
	c := model.BPEConfig{
		Vocab: vocab, Merges: merges,
		Unknown: o.str("unk_token", "", &err), Prefix: o.str("continuing_subword_prefix", "", &err),
		Suffix: o.str("end_of_word_suffix", "", &err), FuseUnknown: o.flag("fuse_unk", false, &err),
		ByteFallback: o.flag("byte_fallback", false, &err), IgnoreMerges: o.flag("ignore_merges", false, &err),
	}
	if err != nil {
		return nil, err
	}
	b.takeBytes(&c)
	m, err := model.NewBPE(c)
	if err != nil {
		return nil, o.malformed(err)
	}
	return m, nil
}

// takeBytes lets a byte-level pre-tokenizer that comes last leave writing bytes as characters to the model, if the model
// has a token for each.
func (b builder) takeBytes(c *model.BPEConfig) {
	stages, ok := b.t.preTokenizer.(pretokenize.Sequence)
	if !ok {
		stages = pretokenize.Sequence{b.t.preTokenizer}
	}
	if len(stages) == 0 {
		return
	}
	last, ok := stages[len(stages)-1].(pretokenize.ByteLevel)
	if !ok || !c.CanTakeBytes(last.Chars) {
		return
	}
	c.Bytes = last.Chars
	last.Chars = nil
	stages[len(stages)-1] = last
	b.t.preTokenizer = stages
}

// readMerges reads the pairs that BPE joins: "a b" or ["a", "b"].
func readMerges(v value) ([][2]string, error) {
	var lines []string
	if json.Unmarshal(v.raw, &lines) != nil {
		var pairs [][]string
		if err := v.to(&pairs); err != nil {
			return nil, err
		}
		merges := make([][2]string, len(pairs))
		for i, p := range pairs {
			if len(p) != 2 {
				return nil, v.malformed(fmt.Errorf("merge %d has %d parts; two are right", i, len(p)))
			}
			merges[i] = [2]string(p)
		}
		return merges, nil
	}
	return splitMerges(lines, v.malformed)
}

// splitMerges reads lines of two tokens with a space between.
func splitMerges(lines []string, malformed func(error) error) ([][2]string, error) {
	merges := make([][2]string, 0, len(lines))
	for i, line := range lines {
		if strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, malformed(fmt.Errorf("merge %d, %q, is not two tokens with a space between", i, line))
		}
		merges = append(merges, [2]string{left, right})
	}
	return merges, nil
}

func (b builder) unigram(o object) (model.Model, error) {
	pieces, err := o.get("vocab").list()
	if err != nil {
		return nil, err
	}
	c := model.UnigramConfig{Unknown: o.num("unk_id", -1, &err), ByteFallback: o.flag("byte_fallback", false, &err)}
	if err != nil {
		return nil, err
	}
	c.Tokens, c.Scores = make([]string, len(pieces)), make([]float64, len(pieces))
	for i, p := range pieces {
		var pair []json.RawMessage
		if err := p.to(&pair); err != nil {
			return nil, err
		}
		if len(pair) != 2 {
			return nil, p.malformed(fmt.Errorf("has %d parts; a token and its score are right", len(pair)))
		}
		if err := json.Unmarshal(pair[0], &c.Tokens[i]); err != nil {
			return nil, p.malformed(err)
		}
		if c.Scores[i], err = score(string(pair[1])); err != nil {
			return nil, p.malformed(err)
		}
	}
	return b.newUnigram(c, o.value)
}

func (b builder) newUnigram(c model.UnigramConfig, at value) (model.Model, error) {
	m, err := model.NewUnigram(c)
	if err != nil {
		return nil, at.malformed(err)
	}
	b.t.spellsUnknown = int32(max(c.Unknown, -1))
	return m, nil
}

// defaults reads what the file says of truncation and padding.
func (b builder) defaults(o object) error {
	var err error
	if v := o.get("truncation"); !v.none() {
		p, ferr := v.fields()
		if ferr != nil {
			return ferr
		}
		b.t.Truncation = Truncation{
			MaxLength: p.num("max_length", 0, &err), Stride: p.num("stride", 0, &err),
			Side:     oneOf(p, "direction", Right, sides, &err),
			Strategy: oneOf(p, "strategy", LongestFirst, strategies, &err),
		}
	}
	v := o.get("padding")
	if v.none() || err != nil {
		return err
	}
	p, err := v.fields()
	if err != nil {
		return err
	}
	pad := &Padding{
		MultipleOf: p.num("pad_to_multiple_of", 0, &err), Side: oneOf(p, "direction", Right, sides, &err),
		ID: int32(p.num("pad_id", 0, &err)), TypeID: int32(p.num("pad_type_id", 0, &err)),
	}
	var fixed struct{ Fixed int }
	if s := p.get("strategy"); err == nil && json.Unmarshal(s.raw, &fixed) == nil {
		pad.Length = fixed.Fixed
	}
	if err == nil && (pad.ID < 0 || pad.Length < 0 || pad.Length > maxPadding || pad.MultipleOf < 0 || pad.MultipleOf > maxPadding) {
		err = v.malformed(fmt.Errorf("an id of at least 0 and lengths from 0 to %d are right", maxPadding))
	}
	b.t.Padding = pad
	return err
}

var (
	sides      = map[string]Side{"Right": Right, "Left": Left, "right": Right, "left": Left}
	strategies = map[string]Strategy{"LongestFirst": LongestFirst, "OnlyFirst": OnlyFirst, "OnlySecond": OnlySecond,
		"longest_first": LongestFirst, "only_first": OnlyFirst, "only_second": OnlySecond}
)
