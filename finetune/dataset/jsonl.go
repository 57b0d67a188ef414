package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// readJSONL reads an object a line. Texts are strings; labels are strings, numbers or booleans, or lists of them where a
// row may have any number. Rows of two lists, of words and of their tags, are sentences. Empty lines are passed over.
func (t *table) readJSONL(text string) error {
	var read func(object jsonObject) (row, error)
	for line := 1; text != ""; line++ {
		var this string
		this, text, _ = strings.Cut(text, "\n")
		if strings.TrimSpace(this) == "" {
			continue
		}
		var object jsonObject
		if err := json.Unmarshal([]byte(this), &object); err != nil {
			return &RowError{File: t.file, Line: line, Err: fmt.Errorf("not a JSON object: %w", err)}
		}
		if read == nil {
			var err error
			if read, err = t.jsonReader(object); err != nil {
				return err
			}
		}
		r, err := read(object)
		if err != nil {
			return &RowError{File: t.file, Line: line, Err: err}
		}
		r.line = line
		t.rows = append(t.rows, r)
	}
	return nil
}

// A jsonObject is a line of a JSONL file.
type jsonObject map[string]json.RawMessage

// jsonReader finds, by the first object, what the keys mean, and returns what reads an object.
func (t *table) jsonReader(first jsonObject) (func(jsonObject) (row, error), error) {
	have := sortedKeys(first)
	words, tags := findColumn(have, t.settings.Text, wordColumns), findColumn(have, t.settings.Label, tagColumns)
	if words >= 0 && tags >= 0 && isList(first[have[words]]) && isList(first[have[tags]]) {
		t.tagged, t.label = true, have[tags]
		return func(o jsonObject) (row, error) { return t.jsonSentence(o, have[words], have[tags]) }, nil
	}
	if err := t.findColumns(have); err != nil {
		return nil, err
	}
	return func(o jsonObject) (row, error) { return t.jsonRow(o, have) }, nil
}

func isList(value json.RawMessage) bool {
	return strings.HasPrefix(strings.TrimSpace(string(value)), "[")
}

func (o jsonObject) get(key string) (json.RawMessage, error) {
	value, ok := o[key]
	if !ok {
		return nil, fmt.Errorf("%w: no %q; the row has %s", ErrRagged, key, quoteList(sortedKeys(o)))
	}
	return value, nil
}

// jsonRow reads a row of single values, whose label may be a list.
func (t *table) jsonRow(o jsonObject, have []string) (r row, err error) {
	value := func(column int, label bool) (text string) {
		var raw json.RawMessage
		if err != nil || column < 0 {
			return ""
		}
		if raw, err = o.get(have[column]); err != nil {
			return ""
		}
		if text, err = scalar(raw, label); err != nil {
			err = fmt.Errorf("%q is %w", have[column], err)
		}
		return text
	}
	r.text, r.second = value(t.cols.text, false), value(t.cols.second, false)
	if raw := o[have[t.cols.label]]; err == nil && isList(raw) {
		r.list, t.lists = true, true
		if r.labels, err = list(raw); err != nil {
			err = fmt.Errorf("%q is %w", have[t.cols.label], err)
		}
		return r, err
	}
	r.label = value(t.cols.label, true)
	return r, err
}

// jsonSentence reads a list of words and a list of their tags.
func (t *table) jsonSentence(o jsonObject, words, tags string) (row, error) {
	var lists [2][]string
	for i, key := range []string{words, tags} {
		raw, err := o.get(key)
		if err != nil {
			return row{}, err
		}
		if !isList(raw) {
			return row{}, fmt.Errorf("%q is %s, want a list", key, shorten(string(raw)))
		}
		if lists[i], err = list(raw); err != nil {
			return row{}, fmt.Errorf("%q is %w", key, err)
		}
	}
	if len(lists[0]) != len(lists[1]) {
		return row{}, fmt.Errorf("%w: %d words and %d tags", ErrRagged, len(lists[0]), len(lists[1]))
	}
	var s sentence
	for i, word := range lists[0] {
		if err := s.add(word, lists[1][i], t.settings.Lenient); err != nil {
			return row{}, fmt.Errorf("word %d: %w", i+1, err)
		}
	}
	return s.row(0), nil
}

// list returns a JSON list of strings, numbers or booleans as text.
func list(value json.RawMessage) ([]string, error) {
	var values []json.RawMessage
	if err := json.Unmarshal(value, &values); err != nil {
		return nil, err
	}
	out := make([]string, len(values))
	for i, v := range values {
		text, err := scalar(v, true)
		if err == nil && strings.TrimSpace(text) == "" {
			err = errors.New("an empty label")
		}
		if err != nil {
			return nil, fmt.Errorf("a list whose element %d is %w", i+1, err)
		}
		out[i] = strings.TrimSpace(text)
	}
	return out, nil
}

// scalar returns a JSON string, or for labels also a number or boolean as text; null is empty.
func scalar(value json.RawMessage, label bool) (string, error) {
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		if label {
			return strconv.FormatBool(v), nil
		}
	case float64:
		if label && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10), nil
		}
		if label {
			return strings.TrimSpace(string(value)), nil
		}
	}
	if label {
		return "", fmt.Errorf("%s, want a string, a number or a boolean", shorten(string(value)))
	}
	return "", fmt.Errorf("%s, want a string", shorten(string(value)))
}
