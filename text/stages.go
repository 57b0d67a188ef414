package text

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/onnx-graft/graft/text/internal/decode"
	"github.com/onnx-graft/graft/text/internal/normalize"
	"github.com/onnx-graft/graft/text/internal/pattern"
	"github.com/onnx-graft/graft/text/internal/pretokenize"
	"github.com/onnx-graft/graft/text/internal/ucd"
)

// normalizer reads a normalizer; nil is none.
func (b builder) normalizer(v value, depth int) (normalize.Normalizer, error) {
	if v.none() {
		return nil, nil
	}
	o, typ, err := typeOf(v, depth)
	if err != nil {
		return nil, err
	}
	var n normalize.Normalizer
	switch typ {
	case "Sequence":
		return b.normalizers(o, depth)
	case "BertNormalizer":
		lower := o.flag("lowercase", true, &err)
		n = normalize.Bert{Clean: o.flag("clean_text", true, &err), Chinese: o.flag("handle_chinese_chars", true, &err),
			StripAccents: o.flag("strip_accents", lower, &err), Lowercase: lower}
	case "NFC":
		n = normalize.Form(ucd.NFC)
	case "NFD":
		n = normalize.Form(ucd.NFD)
	case "NFKC":
		n = normalize.Form(ucd.NFKC)
	case "NFKD":
		n = normalize.Form(ucd.NFKD)
	case "Lowercase":
		n = normalize.Lowercase{}
	case "StripAccents":
		n = normalize.StripAccents{}
	case "Strip":
		n = normalize.Strip{Left: o.flag("strip_left", true, &err), Right: o.flag("strip_right", true, &err)}
	case "Prepend":
		n = normalize.Prepend(o.str("prepend", "", &err))
	case "Nmt":
		n = normalize.Nmt{}
	case "ByteLevel":
		n = normalize.ByteLevel{Chars: pretokenize.ByteChars()}
	case "Precompiled":
		n, err = precompiled(o)
	case "Replace":
		m, merr := matcher(o.get("pattern"))
		n, err = normalize.Replace{Pattern: m, Content: o.str("content", "", &err)}, errors.Join(merr, err)
	default:
		return nil, o.get("type").unsupported("%q; understood are BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, "+
			"NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents", typ)
	}
	return n, err
}

func (b builder) normalizers(o object, depth int) (normalize.Normalizer, error) {
	items, err := o.get("normalizers").list()
	if err != nil {
		return nil, err
	}
	var seq normalize.Sequence
	for _, item := range items {
		n, err := b.normalizer(item, depth+1)
		if err != nil {
			return nil, err
		}
		if n != nil {
			seq = append(seq, n)
		}
	}
	return seq, nil
}

func precompiled(o object) (normalize.Normalizer, error) {
	v := o.get("precompiled_charsmap")
	var err error
	data, err64 := base64.StdEncoding.DecodeString(o.str("precompiled_charsmap", "", &err))
	if err != nil {
		return nil, err
	}
	if err64 != nil {
		return nil, v.malformed(err64)
	}
	p, err := normalize.NewPrecompiled(data)
	if err != nil {
		return nil, v.malformed(err)
	}
	return p, nil
}

// matcher reads a pattern: {"String": …} or {"Regex": …}.
func matcher(v value) (normalize.Matcher, error) {
	o, err := v.fields()
	if err != nil {
		return nil, err
	}
	if s := o.get("String"); !s.none() {
		text := o.str("String", "", &err)
		return pattern.Literal(text), err
	}
	expr := o.str("Regex", "", &err)
	if err != nil {
		return nil, err
	}
	if o.get("Regex").none() {
		return nil, v.malformed(errors.New("has neither String nor Regex"))
	}
	m, err := pattern.Compile(expr)
	var unsupported *pattern.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		return nil, o.get("Regex").unsupported("%v", err)
	case err != nil:
		return nil, o.get("Regex").malformed(err)
	}
	return m, nil
}

// preTokenizer reads a pre-tokenizer; nil is none.
func (b builder) preTokenizer(v value, depth int) (pretokenize.PreTokenizer, error) {
	if v.none() {
		return nil, nil
	}
	o, typ, err := typeOf(v, depth)
	if err != nil {
		return nil, err
	}
	var p pretokenize.PreTokenizer
	switch typ {
	case "Sequence":
		return b.preTokenizers(o, depth)
	case "BertPreTokenizer":
		p = pretokenize.NewBert()
	case "Whitespace":
		p = pretokenize.Whitespace{}
	case "WhitespaceSplit":
		p = pretokenize.NewWhitespaceSplit()
	case "ByteLevel":
		p = pretokenize.ByteLevel{PrefixSpace: o.flag("add_prefix_space", true, &err), Split: o.flag("use_regex", true, &err),
			Chars: pretokenize.ByteChars()}
	case "Metaspace":
		p, err = b.metaspace(o)
	case "Punctuation":
		p = pretokenize.Chars{Class: ucd.Punctuation, Behavior: behavior(o, "Isolated", &err)}
	case "Digits":
		p = pretokenize.Chars{Class: ucd.Numeric, Behavior: pretokenize.Contiguous}
		if o.flag("individual_digits", false, &err) {
			p = pretokenize.Chars{Class: ucd.Numeric, Behavior: pretokenize.Isolated}
		}
	case "CharDelimiterSplit":
		p = pretokenize.Chars{Char: o.char("delimiter", ' ', &err), Behavior: pretokenize.Removed}
	case "FixedLength":
		length := o.num("length", 5, &err)
		if err == nil && length < 1 {
			err = o.get("length").malformed(fmt.Errorf("%d is less than 1", length))
		}
		p = pretokenize.FixedLength(length)
	case "Split":
		m, merr := matcher(o.get("pattern"))
		p = pretokenize.Split{Pattern: m, Behavior: behavior(o, "", &err), Invert: o.flag("invert", false, &err)}
		err = errors.Join(merr, err)
	default:
		return nil, o.get("type").unsupported("%q; understood are BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, "+
			"FixedLength, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit", typ)
	}
	return p, err
}

func (b builder) preTokenizers(o object, depth int) (pretokenize.PreTokenizer, error) {
	items, err := o.get("pretokenizers").list()
	if err != nil {
		return nil, err
	}
	var seq pretokenize.Sequence
	for _, item := range items {
		p, err := b.preTokenizer(item, depth+1)
		if err != nil {
			return nil, err
		}
		if p != nil {
			seq = append(seq, p)
		}
	}
	return seq, nil
}

func behavior(o object, instead string, err *error) pretokenize.Behavior {
	name := o.str("behavior", instead, err)
	if *err != nil {
		return 0
	}
	b, berr := pretokenize.ParseBehavior(name)
	if berr != nil {
		*err = o.get("behavior").malformed(berr)
	}
	return b
}

var schemes = map[string]pretokenize.Scheme{
	"always": pretokenize.Always, "first": pretokenize.First, "never": pretokenize.Never,
}

func (b builder) metaspace(o object) (pretokenize.PreTokenizer, error) {
	var err error
	m := pretokenize.Metaspace{Mark: o.char("replacement", '▁', &err), Split: o.flag("split", true, &err),
		Scheme: metaspaceScheme(o, &err)}
	if m.Scheme == pretokenize.First {
		b.t.needSpans = true
	}
	return m, err
}

// metaspaceScheme reads the scheme; old files have add_prefix_space instead.
func metaspaceScheme(o object, err *error) pretokenize.Scheme {
	instead := pretokenize.Always
	if !o.flag("add_prefix_space", true, err) {
		instead = pretokenize.Never
	}
	return oneOf(o, "prepend_scheme", instead, schemes, err)
}

// decoder reads a decoder; nil is none.
func (b builder) decoder(v value, depth int) (decode.Decoder, error) {
	if v.none() {
		return nil, nil
	}
	o, typ, err := typeOf(v, depth)
	if err != nil {
		return nil, err
	}
	var d decode.Decoder
	switch typ {
	case "Sequence":
		return b.decoders(o, depth)
	case "ByteLevel":
		d = decode.NewByteLevel(pretokenize.ByteChars())
	case "Metaspace":
		d = decode.Metaspace{Mark: o.char("replacement", '▁', &err), Prepends: metaspaceScheme(o, &err) != pretokenize.Never}
	case "WordPiece":
		d = decode.WordPiece{Prefix: o.str("prefix", "##", &err), Cleanup: o.flag("cleanup", true, &err)}
	case "BPEDecoder":
		d = decode.BPE{Suffix: o.str("suffix", "</w>", &err)}
	case "ByteFallback":
		d = decode.ByteFallback{}
	case "Fuse":
		d = decode.Fuse{}
	case "Strip":
		d = decode.Strip{Char: o.char("content", ' ', &err), Start: o.num("start", 0, &err), Stop: o.num("stop", 0, &err)}
	case "Replace":
		m, merr := matcher(o.get("pattern"))
		d, err = decode.Replace{Pattern: m, Content: o.str("content", "", &err)}, errors.Join(merr, err)
	case "CTC":
		d = decode.CTC{Pad: o.str("pad_token", "<pad>", &err), Delimiter: o.str("word_delimiter_token", "|", &err),
			Cleanup: o.flag("cleanup", true, &err)}
	default:
		return nil, o.get("type").unsupported("%q; understood are BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, "+
			"Replace, Sequence, Strip, WordPiece", typ)
	}
	return d, err
}

func (b builder) decoders(o object, depth int) (decode.Decoder, error) {
	items, err := o.get("decoders").list()
	if err != nil {
		return nil, err
	}
	var seq decode.Sequence
	for _, item := range items {
		d, err := b.decoder(item, depth+1)
		if err != nil {
			return nil, err
		}
		if d != nil {
			seq = append(seq, d)
		}
	}
	return seq, nil
}
