package text

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// A tokenizerFile is a tokenizer.json whose parts can be exchanged; the others are kept as they are.
type tokenizerFile struct {
	value
	parts map[string]json.RawMessage
}

// tokenizerParts are the fields of a tokenizer.json in the order they are written.
var tokenizerParts = []string{"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
	"post_processor", "decoder", "model"}

func readTokenizerFile(name string, data []byte) (*tokenizerFile, error) {
	v, err := parseJSON(name, data)
	if err != nil {
		return nil, err
	}
	o, err := v.fields()
	if err != nil {
		return nil, err
	}
	return &tokenizerFile{v, o.m}, nil
}

// decode reads a part into p, which stays as it is where there is none.
func (f *tokenizerFile) decode(part string, p any) error {
	v := value{f.file, part, f.parts[part]}
	if v.none() {
		return nil
	}
	return v.to(p)
}

// with returns the file with some parts exchanged.
func (f *tokenizerFile) with(parts map[string]any) ([]byte, error) {
	all := maps.Clone(f.parts)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	for key, p := range parts {
		data, err := marshal(p, "")
		if err != nil {
			return nil, err
		}
		all[key] = data
	}
	var names []string
	for _, name := range tokenizerParts {
		if _, ok := all[name]; ok {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(tokenizerParts, name) {
			names = append(names, name)
		}
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := marshal(name, "")
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(all[name])
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// marshal writes JSON without escaping <, > and &.
func marshal(x any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(x); err != nil {
		return nil, err
	}
	if indent == "" {
		return bytes.TrimSpace(b.Bytes()), nil
	}
	return b.Bytes(), nil
}

func sortedKeys[V any](m map[int32]V) []int32 { return slices.Sorted(maps.Keys(m)) }

func sortedStrings(s []string) []string {
	slices.Sort(s)
	return s
}
