package dataset

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// readTSV reads lines of fields separated by tabs. Quotes mean nothing: files in the wild hold stray ones. Empty lines
// are passed over.
func (t *table) readTSV(text string) error {
	var text1, label1, width int
	header := true
	for line := 1; text != ""; line++ {
		var this string
		this, text, _ = strings.Cut(text, "\n")
		this = strings.TrimSuffix(this, "\r")
		if strings.TrimSpace(this) == "" {
			continue
		}
		if header {
			have := strings.Split(this, "\t")
			var err error
			if text1, label1, err = t.columns(have); err != nil {
				return err
			}
			width, header = len(have), false
			continue
		}
		if n := strings.Count(this, "\t") + 1; n != width {
			hint := ""
			if strings.Contains(this, `"`) {
				hint = "; if the file quotes its fields, say so with Quoted"
			}
			return t.ragged(line, n, width, hint)
		}
		t.rows = append(t.rows, row{line: line, text: field(this, text1), label: field(this, label1)})
	}
	return nil
}

// field returns the i-th of a line's fields.
func field(line string, i int) string {
	for ; i > 0; i-- {
		_, line, _ = strings.Cut(line, "\t")
	}
	line, _, _ = strings.Cut(line, "\t")
	return line
}

func (t *table) ragged(line, got, want int, hint string) error {
	return &RowError{File: t.file, Line: line, Err: fmt.Errorf("%w: %d fields, the header has %d%s", ErrRagged, got, want, hint)}
}

// separator tells commas from the semicolons some spreadsheets write, by the header alone.
func separator(text string) rune {
	header, _, _ := strings.Cut(text, "\n")
	if strings.ContainsRune(header, ',') {
		return ','
	}
	for _, sep := range ";\t" {
		if strings.ContainsRune(header, sep) {
			return sep
		}
	}
	return ','
}

// readCSV reads RFC 4180: fields may be quoted, and then hold line ends, separators and doubled quotes.
func (t *table) readCSV(text string, sep rune) error {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = sep, -1, true
	header, err := r.Read()
	if err != nil {
		return t.csvError(err)
	}
	have := append([]string(nil), header...)
	text1, label1, err := t.columns(have)
	if err != nil {
		return err
	}
	for {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return t.csvError(err)
		}
		line, _ := r.FieldPos(0)
		if len(record) != len(have) {
			return t.ragged(line, len(record), len(have), "")
		}
		t.rows = append(t.rows, row{line: line, text: record[text1], label: record[label1]})
	}
}

// csvError names the line where a quoted field went wrong.
func (t *table) csvError(err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return &RowError{File: t.file, Err: err}
	}
	if parse.StartLine != parse.Line {
		return &RowError{File: t.file, Line: parse.StartLine, Err: fmt.Errorf("the row's quoted field goes wrong in line %d: %w", parse.Line, parse.Err)}
	}
	return &RowError{File: t.file, Line: parse.Line, Err: parse.Err}
}

// readJSONL reads an object a line. Texts are strings; labels are strings, whole numbers or booleans. Empty lines are
// passed over.
func (t *table) readJSONL(text string) error {
	var textKey, labelKey string
	for line := 1; text != ""; line++ {
		var this string
		this, text, _ = strings.Cut(text, "\n")
		if strings.TrimSpace(this) == "" {
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(this), &object); err != nil {
			return &RowError{File: t.file, Line: line, Err: fmt.Errorf("not a JSON object: %w", err)}
		}
		have := sortedKeys(object)
		if textKey == "" {
			text1, label1, err := t.columns(have)
			if err != nil {
				return err
			}
			textKey, labelKey = have[text1], have[label1]
		}
		r := row{line: line}
		for key, into := range map[string]*string{textKey: &r.text, labelKey: &r.label} {
			value, ok := object[key]
			if !ok {
				return &RowError{File: t.file, Line: line, Err: fmt.Errorf("%w: no %q; the row has %s", ErrRagged, key, quoteList(have))}
			}
			var err error
			if *into, err = scalar(value, key == labelKey); err != nil {
				return &RowError{File: t.file, Line: line, Err: fmt.Errorf("%q is %w", key, err)}
			}
		}
		t.rows = append(t.rows, r)
	}
	return nil
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
