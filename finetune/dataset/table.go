package dataset

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Format is how a table is written.
type Format string

const (
	CSV     Format = "csv"     // RFC 4180, separated by commas, or by semicolons where the header has only those
	TSV     Format = "tsv"     // separated by tabs, a line a row, quotes mean nothing
	JSONL   Format = "jsonl"   // a JSON object a line
	Parquet Format = "parquet" // a Hugging Face data set's class names are read from its metadata
)

// formats tells a table's format by its file's extension.
var formats = map[string]Format{".csv": CSV, ".tsv": TSV, ".tab": TSV, ".jsonl": JSONL, ".ndjson": JSONL, ".parquet": Parquet}

// partNames are the names of splits, as folders or as tables.
var partNames = map[string]Part{
	"train": Train, "training": Train,
	"validation": Validation, "valid": Validation, "val": Validation, "dev": Validation,
	"test": Test, "testing": Test,
}

// The usual names of columns, best first.
var (
	textColumns = []string{"text", "sentence", "content", "review", "comment", "message", "body", "document", "question",
		"query", "utterance", "tweet", "post", "title", "description", "input"}
	labelColumns = []string{"label", "labels", "category", "class", "target", "intent", "sentiment", "topic", "tag", "rating", "y"}
)

// shard is the end of a name that one split's several Parquet files carry: train-00000-of-00002.
var shard = regexp.MustCompile(`-\d+-of-\d+$`)

func partOf(name string) (Part, bool) {
	part, ok := partNames[strings.ToLower(name)]
	return part, ok
}

// findTables returns the tables of a folder that are named by split, and the other tables.
func findTables(dir string, entries []fs.DirEntry) (tables map[Part][]string, lone []string) {
	tables = map[Part][]string{}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if mode, err := followed(filepath.Join(dir, e.Name()), e); err != nil || !mode.IsRegular() || formats[strings.ToLower(ext)] == "" {
			continue
		}
		if part, ok := partOf(shard.ReplaceAllString(strings.TrimSuffix(e.Name(), ext), "")); ok {
			tables[part] = append(tables[part], e.Name())
		} else {
			lone = append(lone, e.Name())
		}
	}
	return tables, lone
}

// A row is one line of a table.
type row struct {
	line        int
	text, label string
}

// readTables reads the tables of every part, and labels.txt beside them.
func (raw *source) readTables(ctx context.Context, dir string, tables map[Part][]string, s Settings) error {
	raw.kind = Texts
	names, err := readLabelNames(filepath.Join(dir, "labels.txt"))
	if err != nil {
		return err
	}
	raw.names = names
	for _, part := range []Part{All, Train, Validation, Test} {
		files := tables[part]
		slices.Sort(files)
		if len(files) > 1 && !allShards(files) {
			return &RowError{File: dir, Err: fmt.Errorf("tables %s are one split; keep one of them", quoteList(files))}
		}
		for _, file := range files {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("dataset: %w", err)
			}
			if err := raw.readTable(dir, file, part, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func allShards(files []string) bool {
	for _, f := range files {
		if !shard.MatchString(strings.TrimSuffix(f, filepath.Ext(f))) {
			return false
		}
	}
	return true
}

// readTable appends one table's rows to a part.
func (raw *source) readTable(dir, name string, part Part, s Settings) error {
	file := filepath.Join(dir, name)
	format := s.Format
	if format == "" {
		format = formats[strings.ToLower(filepath.Ext(name))]
	}
	t := table{file: file, settings: s}
	var err error
	switch format {
	case CSV, TSV, JSONL:
		err = t.readText(format)
	case Parquet:
		err = t.readParquet()
	default:
		err = &RowError{File: file, Err: fmt.Errorf("not a table graft reads; want .csv, .tsv, .jsonl or .parquet")}
	}
	if err != nil {
		return err
	}
	if raw.names == nil {
		raw.names = t.names
	}
	return raw.keep(t, name, part)
}

// keep turns rows into examples, refusing or dropping the unusable ones.
func (raw *source) keep(t table, name string, part Part) error {
	var unusable int
	var first error
	examples := slices.Grow(raw.splits[part], len(t.rows))
	for _, r := range t.rows {
		label := strings.TrimSpace(r.label)
		var fault error
		switch {
		case strings.TrimSpace(r.text) == "":
			fault = ErrEmptyText
		case label == "":
			fault = ErrEmptyLabel
		default:
			examples = append(examples, Example[string]{ID: fmt.Sprintf("%s:%d", name, r.line), Input: r.text, Label: label})
			continue
		}
		unusable++
		if first == nil {
			first = &RowError{File: t.file, Line: r.line, Err: fault}
		}
	}
	if unusable > 0 && !t.settings.Lenient {
		if unusable > 1 {
			first = fmt.Errorf("%w (and %d more such rows)", first, unusable-1)
		}
		return first
	}
	if unusable > 0 {
		raw.report.Dropped += unusable
		raw.report.Notes = append(raw.report.Notes, fmt.Sprintf("%s: %d rows with an empty text or label were dropped", name, unusable))
	}
	if len(examples) == 0 {
		return &RowError{File: t.file, Err: ErrEmpty}
	}
	raw.splits[part] = examples
	return nil
}

// A table is one file being read.
type table struct {
	file     string
	settings Settings
	rows     []row
	names    []string // class names from the file's own metadata
}

// readText reads the formats that are text.
func (t *table) readText(format Format) error {
	data, err := os.ReadFile(t.file)
	if err != nil {
		return &RowError{File: t.file, Err: bare(err)}
	}
	data, err = t.utf8(data)
	if err != nil {
		return err
	}
	text := string(data)
	switch {
	case strings.TrimSpace(text) == "":
		return &RowError{File: t.file, Err: fmt.Errorf("the file is empty: %w", ErrEmpty)}
	case format == JSONL:
		return t.readJSONL(text)
	case format == TSV && !t.settings.Quoted:
		return t.readTSV(text)
	case format == TSV:
		return t.readCSV(text, '\t')
	default:
		return t.readCSV(text, separator(text))
	}
}

// utf8 checks the encoding and removes a byte order mark.
func (t *table) utf8(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, &RowError{File: t.file, Err: fmt.Errorf("the file is UTF-16, %w: save it as UTF-8", ErrNotUTF8)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return data, nil
	}
	line := 1
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return nil, &RowError{File: t.file, Line: line, Err: fmt.Errorf("%w: byte 0x%02x; save the file as UTF-8", ErrNotUTF8, rest[0])}
		}
		if r == '\n' {
			line++
		}
		rest = rest[size:]
	}
	return data, nil
}

// columns returns the positions of the text and the label among a table's columns.
func (t *table) columns(have []string) (text, label int, err error) {
	text, label = findColumn(have, t.settings.Text, textColumns), findColumn(have, t.settings.Label, labelColumns)
	// Of two columns, the one that is left is the other.
	if len(have) == 2 && t.settings.Text == "" && text < 0 && label >= 0 {
		text = 1 - label
	}
	if len(have) == 2 && t.settings.Label == "" && label < 0 && text >= 0 {
		label = 1 - text
	}
	switch {
	case text < 0:
		return 0, 0, &ColumnError{File: t.file, What: "text", Want: t.settings.Text, Have: have}
	case label < 0:
		return 0, 0, &ColumnError{File: t.file, What: "label", Want: t.settings.Label, Have: have}
	case text == label:
		return 0, 0, &RowError{File: t.file, Err: fmt.Errorf("column %q cannot be both the text and the label", have[text])}
	}
	return text, label, nil
}

// findColumn returns the position of the column asked for, else of the best usual one, else -1. Case matters only
// where two columns differ by nothing else.
func findColumn(have []string, asked string, usual []string) int {
	if asked != "" {
		if i := slices.Index(have, asked); i >= 0 {
			return i
		}
		usual = []string{asked}
	}
	for _, name := range usual {
		for i, h := range have {
			if strings.EqualFold(strings.TrimSpace(h), name) {
				return i
			}
		}
	}
	return -1
}
