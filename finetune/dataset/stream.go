package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Stream is data that is read row by row, as it lies on disk: nothing is split, dropped, or kept in memory but the names
// of picture files. Rows need no label.
type Stream struct {
	Kind Kind
	// Total is about how many rows there are.
	Total int
	// Rows reads from the start. It ends after the first error, which is a *[RowError] or *[ColumnError] or ctx's.
	Rows iter.Seq2[StreamRow, error]
}

// A StreamRow is one row. Its Digest is not filled in.
type StreamRow struct {
	Part Part // All where the data is not split
	Example[string]
}

// OpenStream opens what [Read] does, and besides: a table without labels, a .txt file of one text a line, a folder of
// pictures without class folders. Of a table, the column Settings.Label is asked for must be there; otherwise rows have
// the label that the usual names tell, or none. Empty texts are errors.
func OpenStream(ctx context.Context, path string, s Settings) (*Stream, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &RowError{File: path, Err: bare(err)}
	}
	dir, tables := path, map[Part][]string{All: {filepath.Base(path)}}
	if !info.IsDir() {
		dir = filepath.Dir(path)
	} else {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, &RowError{File: path, Err: bare(err)}
		}
		var lone []string
		if tables, lone = findTables(path, entries); len(tables) == 0 {
			if len(lone) != 1 {
				return streamImages(ctx, path, lone)
			}
			tables = map[Part][]string{All: lone}
		}
	}
	names, err := readLabelNames(filepath.Join(dir, "labels.txt"))
	if err != nil {
		return nil, err
	}
	var files []streamTable
	total := 0
	for _, part := range []Part{All, Train, Validation, Test} {
		slices.Sort(tables[part])
		for _, name := range tables[part] {
			t := streamTable{ctx: ctx, file: filepath.Join(dir, name), name: name, part: part, settings: s, names: names}
			if t.format, err = streamFormat(name, s.Format); err != nil {
				return nil, &RowError{File: t.file, Err: err}
			}
			n, err := t.count()
			if err != nil {
				return nil, &RowError{File: t.file, Err: bare(err)}
			}
			total += n
			files = append(files, t)
		}
	}
	return &Stream{Kind: Texts, Total: total, Rows: func(yield func(StreamRow, error) bool) {
		for _, t := range files {
			if !t.each(yield) {
				return
			}
		}
	}}, nil
}

// lines is a file of one text a line, which only streams read.
const lines Format = "txt"

func streamFormat(name string, asked Format) (Format, error) {
	ext := strings.ToLower(filepath.Ext(name))
	switch {
	case asked != "":
		return asked, nil
	case ext == ".txt":
		return lines, nil
	case formats[ext] != "":
		return formats[ext], nil
	}
	return "", errors.New("not a file of texts that graft reads; want .csv, .tsv, .jsonl, .parquet or .txt")
}

// streamImages lists pictures in class folders, or without.
func streamImages(ctx context.Context, root string, tables []string) (*Stream, error) {
	raw := &source{path: root, splits: map[Part][]Example[string]{}}
	found, err := raw.readImages(ctx, root)
	if err != nil {
		return nil, err
	}
	if !found {
		if len(tables) > 1 {
			return nil, &RowError{File: root, Err: fmt.Errorf("several tables, %s, none of them called train, validation or test; name one", quoteList(tables))}
		}
		if err := raw.readClass(ctx, root, ".", "", All, maxDepth); err != nil {
			return nil, err
		}
	}
	stream := &Stream{Kind: Images}
	for _, part := range []Part{All, Train, Validation, Test} {
		stream.Total += len(raw.splits[part])
	}
	if stream.Total == 0 {
		return nil, &RowError{File: root, Err: fmt.Errorf("%w: found neither pictures nor tables (.csv .tsv .jsonl .parquet)", ErrEmpty)}
	}
	stream.Rows = func(yield func(StreamRow, error) bool) {
		for _, part := range []Part{All, Train, Validation, Test} {
			for _, e := range raw.splits[part] {
				if !yield(StreamRow{part, e}, nil) {
					return
				}
			}
		}
	}
	return stream, nil
}
