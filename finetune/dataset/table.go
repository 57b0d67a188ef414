package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
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
	CoNLL   Format = "conll"   // a word and its tag a line, an empty line after each sentence
)

// formats tells a table's format by its file's extension.
var formats = map[string]Format{
	".csv": CSV, ".tsv": TSV, ".tab": TSV, ".jsonl": JSONL, ".ndjson": JSONL, ".parquet": Parquet,
	".conll": CoNLL, ".bio": CoNLL, ".iob": CoNLL, ".iob2": CoNLL,
}

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
	labelColumns = []string{"label", "labels", "category", "class", "target", "intent", "sentiment", "topic", "tag", "rating", "y",
		"score", "similarity_score", "similarity", "value"}
	pairColumns = [][2]string{{"sentence1", "sentence2"}, {"question1", "question2"}, {"premise", "hypothesis"}, {"text1", "text2"},
		{"sentence_a", "sentence_b"}, {"text_a", "text_b"}, {"query", "passage"}, {"question", "answer"}}
	pictureColumns = []string{"file_name", "image", "image_path", "picture", "filename", "path"}
	wordColumns    = []string{"tokens", "words"}
	tagColumns     = []string{"ner_tags", "tags", "labels"}
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

// findMetadata returns the tables called metadata, which say what the pictures beside them are: in the folder itself or in
// folders named by split.
func findMetadata(dir string, entries []fs.DirEntry) map[Part][]string {
	tables := map[Part][]string{}
	for ext := range formats {
		if info, err := os.Stat(filepath.Join(dir, "metadata"+ext)); err == nil && info.Mode().IsRegular() {
			tables[All] = append(tables[All], "metadata"+ext)
		}
		for _, e := range entries {
			part, ok := partOf(e.Name())
			name := path.Join(e.Name(), "metadata"+ext)
			if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); ok && err == nil && info.Mode().IsRegular() {
				tables[part] = append(tables[part], name)
			}
		}
	}
	return tables
}

// A row is one line of a table, or one sentence.
type row struct {
	line         int
	text, second string
	label        string
	labels       []string // where list: any number
	list         bool
	words        []Word // of a sentence whose words are tagged
	mended       int    // of its tags: how many were not as they must be, and were read leniently
}

// readTables reads the tables of every part, and labels.txt beside them.
func (raw *source) readTables(ctx context.Context, dir string, tables map[Part][]string, s Settings) error {
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
	t := table{file: file, settings: s, cols: columns{second: -1}}
	var err error
	switch format {
	case CSV, TSV, JSONL, CoNLL:
		err = t.readText(format)
	case Parquet:
		err = t.readParquet()
	default:
		err = &RowError{File: file, Err: fmt.Errorf("not a table graft reads; want .csv, .tsv, .jsonl, .parquet or .conll")}
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
	var unusable, mended int
	var first error
	examples := slices.Grow(raw.splits[part], len(t.rows))
	for _, r := range t.rows {
		e := Example[string]{ID: fmt.Sprintf("%s:%d", name, r.line), Input: r.text, Second: r.second, Label: strings.TrimSpace(r.label), Words: r.words}
		var fault error
		mended += r.mended
		switch {
		case strings.TrimSpace(r.text) == "" || t.cols.second >= 0 && strings.TrimSpace(r.second) == "":
			fault = ErrEmptyText
		case e.Label == "" && !r.list:
			fault = ErrEmptyLabel
		default:
			if r.list {
				e.Labels, e.Label = labelSet(r.labels)
			}
			if t.pictures {
				e.ID = path.Join(path.Dir(filepath.ToSlash(name)), filepath.ToSlash(r.text))
				e.Input = filepath.Join(filepath.Dir(t.file), filepath.FromSlash(r.text))
			}
			examples = append(examples, e)
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
	if mended > 0 {
		raw.note("%s: %d tags I-type that continued nothing were read as B-type", name, mended)
	}
	if len(examples) == 0 {
		return &RowError{File: t.file, Err: ErrEmpty}
	}
	raw.splits[part] = examples
	return raw.describe(t)
}

// describe notes what a table's columns are, which must be the same in all.
func (raw *source) describe(t table) error {
	about := tableAbout{kind: Texts, pairs: t.cols.second >= 0, tags: t.tagged, lists: t.lists, label: t.label}
	if t.pictures {
		about.kind = Images
	}
	if raw.about == nil {
		raw.about, raw.kind = &about, about.kind
		return nil
	}
	about.lists = about.lists || raw.about.lists
	raw.about.lists = about.lists
	if about.label = raw.about.label; about != *raw.about {
		return &RowError{File: t.file, Err: errors.New("its columns differ in kind from those of the other tables: texts or pairs of them, pictures, tagged words")}
	}
	return nil
}

// tableAbout is what the rows of tables are.
type tableAbout struct {
	kind  Kind
	pairs bool
	tags  bool
	lists bool // some labels are lists
	label string
}

// A table is one file being read.
type table struct {
	file     string
	settings Settings
	cols     columns
	label    string // the name of the column of labels
	pictures bool   // texts are paths of pictures, relative to the table
	tagged   bool   // words carry tags
	lists    bool   // some labels are lists
	rows     []row
	names    []string // class names from the file's own metadata
}

// columns are positions among a table's columns.
type columns struct{ text, second, label int } // second is -1 where rows are single texts

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
	case format == CoNLL:
		return t.readCoNLL(text)
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

// findColumns finds the columns of the text or texts and of the label among a table's.
func (t *table) findColumns(have []string) error {
	c := columns{second: -1}
	asked := t.settings
	first, second := findPair(have)
	switch {
	case asked.Second != "":
		if c.second = findColumn(have, asked.Second, nil); c.second < 0 {
			return &ColumnError{File: t.file, What: "second text", Want: asked.Second, Have: have}
		}
		if c.text = findColumn(have, asked.Text, textColumns); asked.Text == "" && first >= 0 && second == c.second {
			c.text = first
		}
	case asked.Text == "" && first >= 0:
		c.text, c.second = first, second
	default:
		c.text = findColumn(have, asked.Text, textColumns)
	}
	c.label = findColumn(have, asked.Label, labelColumns)
	if picture := findColumn(have, "", pictureColumns); asked.Text == "" && c.text < 0 && picture >= 0 {
		c.text, t.pictures = picture, true
	} else if asked.Text != "" && c.text >= 0 && c.text == picture {
		t.pictures = true
	}
	// Of two columns, the one that is left is the other.
	if len(have) == 2 && asked.Text == "" && c.text < 0 && c.label >= 0 {
		c.text = 1 - c.label
	}
	if len(have) == 2 && asked.Label == "" && c.label < 0 && c.text >= 0 {
		c.label = 1 - c.text
	}
	switch {
	case c.text < 0:
		return &ColumnError{File: t.file, What: "text", Want: asked.Text, Have: have}
	case c.label < 0:
		return &ColumnError{File: t.file, What: "label", Want: asked.Label, Have: have}
	case c.text == c.label || c.second == c.label:
		return &RowError{File: t.file, Err: fmt.Errorf("column %q cannot be both the text and the label", have[c.label])}
	case c.text == c.second:
		return &RowError{File: t.file, Err: fmt.Errorf("column %q cannot be both texts of a pair", have[c.text])}
	}
	t.cols, t.label = c, strings.TrimSpace(have[c.label])
	return nil
}

// findPair returns the positions of the usual columns of pairs, -1 where they are not there.
func findPair(have []string) (first, second int) {
	for _, names := range pairColumns {
		first, second = findColumn(have, "", names[:1]), findColumn(have, "", names[1:])
		if first >= 0 && second >= 0 {
			return first, second
		}
	}
	return -1, -1
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
