package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// readParquet reads the columns of texts and labels of a Parquet file. The class names of a Hugging Face data set are in its
// metadata; they become t.names.
func (t *table) readParquet() (err error) {
	defer func() { // the library panics on some damaged files
		if p := recover(); p != nil {
			err = &RowError{File: t.file, Err: fmt.Errorf("damaged Parquet file: %v", p)}
		}
	}()
	in, err := os.Open(t.file)
	if err != nil {
		return &RowError{File: t.file, Err: bare(err)}
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return &RowError{File: t.file, Err: bare(err)}
	}
	file, err := parquet.OpenFile(in, info.Size())
	if err != nil {
		return &RowError{File: t.file, Err: fmt.Errorf("not a Parquet file: %w", err)}
	}
	var have []string
	for _, column := range file.Root().Columns() {
		have = append(have, column.Name())
	}
	if err := t.findColumns(have); err != nil {
		return err
	}
	columns := file.Root().Columns()
	values := map[int][]string{}
	for _, at := range []int{t.cols.text, t.cols.second, t.cols.label} {
		if at < 0 {
			continue
		}
		if !columns[at].Leaf() || columns[at].Repeated() {
			return &RowError{File: t.file, Err: fmt.Errorf("column %q holds lists or groups, want one value a row; lists are read from JSONL", have[at])}
		}
		if values[at], err = t.readColumn(file, columns[at]); err != nil {
			return err
		}
		if n := len(values[t.cols.text]); len(values[at]) != n {
			return &RowError{File: t.file, Err: fmt.Errorf("%w: %d texts and %d of %q", ErrRagged, n, len(values[at]), have[at])}
		}
	}
	for i := range values[t.cols.text] {
		for _, column := range values {
			if !utf8.ValidString(column[i]) {
				return &RowError{File: t.file, Line: i + 1, Err: ErrNotUTF8}
			}
		}
		t.add(i+1, func(column int) string { return values[column][i] })
	}
	t.names = classNames(file, have[t.cols.label])
	return nil
}

// readColumn returns a column's values as text; null is empty.
func (t *table) readColumn(file *parquet.File, column *parquet.Column) ([]string, error) {
	var out []string
	buffer := make([]parquet.Value, 256)
	for _, group := range file.RowGroups() {
		pages := group.ColumnChunks()[column.Index()].Pages()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				out, err = appendValues(out, page.Values(), buffer)
				parquet.Release(page)
			}
			if err != nil {
				pages.Close()
				return nil, &RowError{File: t.file, Line: len(out) + 1, Err: fmt.Errorf("column %q: %w", column.Name(), err)}
			}
		}
		pages.Close()
	}
	return out, nil
}

func appendValues(out []string, values parquet.ValueReader, buffer []parquet.Value) ([]string, error) {
	for {
		n, err := values.ReadValues(buffer)
		for _, v := range buffer[:n] {
			text, err := parquetText(v)
			if err != nil {
				return out, err
			}
			out = append(out, text)
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

func parquetText(v parquet.Value) (string, error) {
	switch {
	case v.IsNull():
		return "", nil
	case v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray:
		return string(v.ByteArray()), nil
	case v.Kind() == parquet.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10), nil
	case v.Kind() == parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10), nil
	case v.Kind() == parquet.Float:
		return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32), nil
	case v.Kind() == parquet.Double:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64), nil
	case v.Kind() == parquet.Boolean:
		return strconv.FormatBool(v.Boolean()), nil
	}
	return "", fmt.Errorf("a value of type %s, want a string, a number or a boolean", v.Kind())
}

// classNames returns the names a Hugging Face data set gives the integers of its label column, or nil.
func classNames(file *parquet.File, label string) []string {
	text, ok := file.Lookup("huggingface")
	if !ok {
		return nil
	}
	var meta struct {
		Info struct {
			Features map[string]struct {
				Names []string `json:"names"`
			} `json:"features"`
		} `json:"info"`
	}
	if json.Unmarshal([]byte(text), &meta) != nil || len(meta.Info.Features[label].Names) == 0 {
		return nil
	}
	return meta.Info.Features[label].Names
}
