package dataset

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// A streamTable is one file of texts.
type streamTable struct {
	ctx      context.Context
	file     string
	name     string // in IDs
	part     Part
	format   Format
	settings Settings
	names    []string // labels.txt

	text, label int // columns; label is -1 where there is none
}

// each hands every row to yield, and tells whether to go on.
func (t streamTable) each(yield func(StreamRow, error) bool) bool {
	stopped := errors.New("stopped")
	rows := 0
	err := t.read(func(line int, text, label string) error {
		if rows++; rows%1024 == 0 && t.ctx.Err() != nil {
			return fmt.Errorf("dataset: %w", t.ctx.Err())
		}
		switch {
		case !utf8.ValidString(text) || !utf8.ValidString(label):
			return t.wrong(line, ErrNotUTF8)
		case strings.TrimSpace(text) == "":
			return t.wrong(line, ErrEmptyText)
		}
		e := Example[string]{ID: fmt.Sprintf("%s:%d", t.name, line), Input: text, Label: t.named(strings.TrimSpace(label))}
		if !yield(StreamRow{t.part, e}, nil) {
			return stopped
		}
		return nil
	})
	if err == nil && rows == 0 {
		err = &RowError{File: t.file, Err: ErrEmpty}
	}
	if err != nil && err != stopped {
		yield(StreamRow{}, err)
	}
	return err == nil
}

// named is a label's name where labels.txt numbers it.
func (t *streamTable) named(label string) string {
	if k, err := strconv.Atoi(label); err == nil && k >= 0 && k < len(t.names) {
		return t.names[k]
	}
	return label
}

func (t *streamTable) wrong(line int, err error) error {
	return &RowError{File: t.file, Line: line, Err: err}
}

// count is about how many rows the file has.
func (t *streamTable) count() (int, error) {
	in, err := os.Open(t.file)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if t.format == Parquet {
		return 0, nil // known once it is open; a damaged file is told of there
	}
	n, buffer := 0, make([]byte, 1<<20)
	for {
		m, err := in.Read(buffer)
		n += bytes.Count(buffer[:m], []byte{'\n'})
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if t.format == CSV || t.format == TSV {
		n = max(0, n-1)
	}
	return n, nil
}

// read opens the file and hands its rows to f.
func (t *streamTable) read(f func(line int, text, label string) error) error {
	in, err := os.Open(t.file)
	if err != nil {
		return &RowError{File: t.file, Err: bare(err)}
	}
	defer in.Close()
	if t.format == Parquet {
		return t.readParquet(in, f)
	}
	r := bufio.NewReaderSize(in, 1<<20)
	switch mark, _ := r.Peek(3); {
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}) || bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		return t.wrong(0, fmt.Errorf("the file is UTF-16, %w: save it as UTF-8", ErrNotUTF8))
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		r.Discard(3)
	}
	switch {
	case t.format == CSV || t.format == TSV && t.settings.Quoted:
		return t.readCSV(r, f)
	case t.format == TSV:
		return t.readTSV(r, f)
	case t.format == JSONL:
		return t.readJSONL(r, f)
	case t.format == lines:
		return eachLine(r, func(n int, line string) error { return f(n, line, "") })
	}
	return t.wrong(0, fmt.Errorf("no format %q; there are csv, tsv, jsonl and parquet", t.format))
}

// columns finds the text's column and, where there is one, the label's.
func (t *streamTable) columns(have []string) error {
	t.text, t.label = findColumn(have, t.settings.Text, textColumns), findColumn(have, t.settings.Label, labelColumns)
	if t.text < 0 && t.settings.Text == "" && len(have) <= 2 { // a single column, or the one beside the label
		for i := range have {
			if i != t.label {
				t.text = i
			}
		}
	}
	switch {
	case t.text < 0:
		return &ColumnError{File: t.file, What: "text", Want: t.settings.Text, Have: have}
	case t.label < 0 && t.settings.Label != "":
		return &ColumnError{File: t.file, What: "label", Want: t.settings.Label, Have: have}
	case t.label == t.text:
		t.label = -1
	}
	return nil
}

// eachLine hands a file's lines to f, without their ends, empty ones left out.
func eachLine(r *bufio.Reader, f func(n int, line string) error) error {
	for n := 1; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.TrimSpace(line) != "" {
			if err := f(n, line); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (t *streamTable) readTSV(r *bufio.Reader, f func(int, string, string) error) error {
	width := 0
	return eachLine(r, func(n int, line string) error {
		if width == 0 {
			have := strings.Split(line, "\t")
			width = len(have)
			return t.columns(have)
		}
		if got := strings.Count(line, "\t") + 1; got != width {
			return t.wrong(n, fmt.Errorf("%w: %d fields, the header has %d", ErrRagged, got, width))
		}
		label := ""
		if t.label >= 0 {
			label = field(line, t.label)
		}
		return f(n, field(line, t.text), label)
	})
}

func (t *streamTable) readCSV(r *bufio.Reader, f func(int, string, string) error) error {
	head, _ := r.Peek(1 << 16)
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.ReuseRecord = -1, true
	if in.Comma = '\t'; t.format == CSV {
		in.Comma = separator(string(head))
	}
	width := 0
	wrong := (&table{file: t.file}).csvError
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return wrong(err)
		}
		if width == 0 {
			width = len(record)
			if err := t.columns(slices.Clone(record)); err != nil {
				return err
			}
			continue
		}
		line, _ := in.FieldPos(0)
		if len(record) != width {
			return t.wrong(line, fmt.Errorf("%w: %d fields, the header has %d", ErrRagged, len(record), width))
		}
		label := ""
		if t.label >= 0 {
			label = record[t.label]
		}
		if err := f(line, record[t.text], label); err != nil {
			return err
		}
	}
}

func (t *streamTable) readJSONL(r *bufio.Reader, f func(int, string, string) error) error {
	var have []string
	return eachLine(r, func(n int, line string) error {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			return t.wrong(n, fmt.Errorf("not a JSON object: %w", err))
		}
		if have == nil {
			have = sortedKeys(object)
			if err := t.columns(have); err != nil {
				return err
			}
		}
		var values [2]string
		for i, column := range []int{t.text, t.label} {
			if column < 0 {
				continue
			}
			raw, ok := object[have[column]]
			if !ok {
				return t.wrong(n, fmt.Errorf("%w: no %q; the first row has %s", ErrRagged, have[column], quoteList(have)))
			}
			var err error
			if values[i], err = scalar(raw, i == 1); err != nil {
				return t.wrong(n, fmt.Errorf("%q is %w", have[column], err))
			}
		}
		return f(n, values[0], values[1])
	})
}

// readParquet reads a group of rows at a time.
func (t *streamTable) readParquet(in *os.File, f func(int, string, string) error) (err error) {
	defer func() { // the library panics on some damaged files
		if p := recover(); p != nil {
			err = t.wrong(0, fmt.Errorf("damaged Parquet file: %v", p))
		}
	}()
	info, err := in.Stat()
	if err != nil {
		return t.wrong(0, bare(err))
	}
	file, err := parquet.OpenFile(in, info.Size())
	if err != nil {
		return t.wrong(0, fmt.Errorf("not a Parquet file: %w", err))
	}
	columns := file.Root().Columns()
	have := make([]string, len(columns))
	for i, c := range columns {
		have[i] = c.Name()
	}
	if err := t.columns(have); err != nil {
		return err
	}
	if t.label >= 0 && t.names == nil {
		t.names = classNames(file, have[t.label])
	}
	line := 0
	for _, group := range file.RowGroups() {
		var values [2][]string
		for i, column := range []int{t.text, t.label} {
			if column < 0 {
				continue
			}
			c := columns[column]
			if !c.Leaf() || c.Repeated() {
				return t.wrong(0, fmt.Errorf("column %q holds lists or groups, want one value a row", have[column]))
			}
			if values[i], err = readChunk(group.ColumnChunks()[c.Index()]); err != nil {
				return t.wrong(line+len(values[i])+1, fmt.Errorf("column %q: %w", have[column], err))
			}
		}
		for i, text := range values[0] {
			label := ""
			if i < len(values[1]) {
				label = values[1][i]
			}
			line++
			if err := f(line, text, label); err != nil {
				return err
			}
		}
	}
	return nil
}

// readChunk returns the values of one column in one group of rows.
func readChunk(chunk parquet.ColumnChunk) ([]string, error) {
	pages := chunk.Pages()
	defer pages.Close()
	var out []string
	buffer := make([]parquet.Value, 256)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err == nil {
			out, err = appendValues(out, page.Values(), buffer)
			parquet.Release(page)
		}
		if err != nil {
			return out, err
		}
	}
}
