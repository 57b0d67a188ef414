package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// post reads the post-processor into the tokenizer. Those of a sequence are combined; only one may place special tokens.
func (b builder) post(v value) error {
	p := &b.t.post
	*p = plain()
	if v.none() {
		return nil
	}
	placed := false
	return b.postInto(p, v, &placed, 0)
}

func (b builder) postInto(p *postProcessor, v value, placed *bool, depth int) error {
	o, typ, err := typeOf(v, depth)
	if err != nil {
		return err
	}
	if typ == "" { // old files
		typ = "BertProcessing"
		if !o.get("trim_offsets").none() {
			typ = "RobertaProcessing"
		}
	}
	switch typ {
	case "Sequence":
		items, err := o.get("processors").list()
		for _, item := range items {
			if err == nil {
				err = b.postInto(p, item, placed, depth+1)
			}
		}
		return err
	case "ByteLevel":
		p.trim = o.flag("trim_offsets", true, &err)
		p.prefixSpace = o.flag("add_prefix_space", true, &err)
		return err
	}
	if *placed {
		return v.unsupported("a second post-processor that places special tokens")
	}
	*placed = true
	switch typ {
	case "BertProcessing":
		cls, sep, err := clsSep(o)
		p.single = []slot{cls, {sequence: 0}, sep}
		last := sep
		last.typ = 1
		p.pair = []slot{cls, {sequence: 0}, sep, {sequence: 1, typ: 1}, last}
		return err
	case "RobertaProcessing":
		cls, sep, err := clsSep(o)
		p.single = []slot{cls, {sequence: 0}, sep}
		p.pair = []slot{cls, {sequence: 0}, sep, sep, {sequence: 1}, sep}
		p.trim = o.flag("trim_offsets", true, &err)
		p.prefixSpace = o.flag("add_prefix_space", true, &err)
		return err
	case "TemplateProcessing":
		return template(p, o)
	}
	return o.get("type").unsupported("%q; understood are BertProcessing, ByteLevel, RobertaProcessing, Sequence, "+
		"TemplateProcessing", typ)
}

// clsSep reads the two special tokens of BERT and RoBERTa: each a token and its id.
func clsSep(o object) (cls, sep slot, err error) {
	for key, s := range map[string]*slot{"cls": &cls, "sep": &sep} {
		v := o.get(key)
		var parts []json.RawMessage
		if err = v.to(&parts); err != nil {
			return cls, sep, err
		}
		if len(parts) != 2 {
			return cls, sep, v.malformed(fmt.Errorf("has %d parts; a token and its id are right", len(parts)))
		}
		*s = slot{sequence: -1, tokens: make([]string, 1), special: make([]int32, 1)}
		err = errors.Join(json.Unmarshal(parts[0], &s.tokens[0]), json.Unmarshal(parts[1], &s.special[0]))
		if err == nil && s.special[0] < 0 {
			err = errNegative
		}
		if err != nil {
			return cls, sep, v.malformed(err)
		}
	}
	return cls, sep, nil
}

func template(p *postProcessor, o object) error {
	type special struct {
		IDs    []int32 `json:"ids"`
		Tokens []string
	}
	known := map[string]special{}
	if v := o.get("special_tokens"); !v.none() {
		if err := v.to(&known); err != nil {
			return err
		}
		for _, s := range known {
			if len(s.IDs) > 0 && slices.Min(s.IDs) < 0 {
				return v.malformed(errNegative)
			}
		}
	}
	read := func(key string, sequences int) ([]slot, error) {
		items, err := o.get(key).list()
		if err != nil {
			return nil, err
		}
		var slots []slot
		for _, item := range items {
			var piece struct{ SpecialToken, Sequence *templatePiece }
			if err := item.to(&piece); err != nil {
				return nil, err
			}
			switch {
			case piece.Sequence != nil && piece.Sequence.ID == "A":
				slots = append(slots, slot{sequence: 0, typ: piece.Sequence.TypeID})
			case piece.Sequence != nil && piece.Sequence.ID == "B" && sequences == 2:
				slots = append(slots, slot{sequence: 1, typ: piece.Sequence.TypeID})
			case piece.SpecialToken != nil:
				s, ok := known[piece.SpecialToken.ID]
				if !ok {
					return nil, item.malformed(fmt.Errorf("%q is not among the special_tokens", piece.SpecialToken.ID))
				}
				slots = append(slots, slot{sequence: -1, special: s.IDs, tokens: s.Tokens, typ: piece.SpecialToken.TypeID})
			default:
				return nil, item.malformed(errors.New("is neither a text of this template nor a special token"))
			}
		}
		return slots, nil
	}
	var err error
	if p.single, err = read("single", 1); err == nil && !o.get("pair").none() {
		p.pair, err = read("pair", 2)
	}
	return err
}

// A templatePiece is one element of a template.
type templatePiece struct {
	ID     string `json:"id"`
	TypeID int32  `json:"type_id"`
}

var errNegative = errors.New("an id is less than 0")
