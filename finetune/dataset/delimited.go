package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readTSV reads lines of fields separated by tabs. Quotes mean nothing: files in the wild hold stray ones. Empty lines
// are passed over.
func (t *table) readTSV(text string) error {
	var width int
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
			if err := t.findColumns(have); err != nil {
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
		t.add(line, func(column int) string { return field(this, column) })
	}
	return nil
}

// add appends a row of single values.
func (t *table) add(line int, value func(column int) string) {
	r := row{line: line, text: value(t.cols.text), label: value(t.cols.label)}
	if t.cols.second >= 0 {
		r.second = value(t.cols.second)
	}
	if sep := t.settings.Separator; sep != "" {
		r.list, t.lists = true, true
		for _, label := range strings.Split(r.label, sep) {
			if label = strings.TrimSpace(label); label != "" {
				r.labels = append(r.labels, label)
			}
		}
	}
	t.rows = append(t.rows, r)
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
	if err := t.findColumns(have); err != nil {
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
		t.add(line, func(column int) string { return record[column] })
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
