package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Settings say how to read and split. The zero value reads what the usual names and extensions tell.
type Settings struct {
	Text       string  // the column of texts; "" is the first of text, sentence, content, review, … that is there
	Second     string  // the column of second texts, where rows are pairs; "" is the other of sentence1 and sentence2, premise and hypothesis, …
	Label      string  // the column of labels; "" is the first of label, labels, category, class, target, … that is there
	Separator  string  // between the labels of a row that may have any number of them; "" is one label a row
	Target     *Target // what the labels are; nil goes by their looks: numbers that differ widely are values, lists are label sets
	Format     Format  // of tables; "" goes by the file's extension
	Quoted     bool    // TSV fields may be quoted as in CSV; by default a quote in TSV is a character like any other
	Test       float64 // share of each class held out where the data is not split, in (0, 1); 0 is 0.2
	Validation float64 // share of each class of the training rows kept for choosing, in [0, 1); 0 keeps none
	Seed       uint64  // of the split
	// KeepDuplicates leaves rows in train whose content also occurs in validation or test; by default they go.
	KeepDuplicates bool
	// Lenient drops rows with an empty text or label and classes with a single example; by default they are errors.
	Lenient bool
}

// defaultTest is the share of rows held out where nothing says otherwise.
const defaultTest = 0.2

// Read reads the data at path and splits it. It may be
//
//   - an image folder, <split>/<class>/* with splits train, validation (or valid, val, dev) and test, or <class>/*;
//   - a folder with tables of those names, or a single table: .csv, .tsv, .jsonl (or .ndjson), .parquet; or .conll (.bio,
//     .iob), words with tags; a table with a column file_name or image names pictures beside it, and may lie among them as metadata.csv;
//   - one table.
//
// Where there is no test split, the validation split takes its place; where there is neither, the share Settings.Test
// is held out: class by class, and by seed and content alone, so that neither the order of rows nor rows added later
// move a row to the other side.
//
// A labels.txt beside the tables, one name a line, names integer labels and orders the classes; otherwise integers are
// ordered by value and names alphabetically.
func Read(ctx context.Context, path string, s Settings) (Split[string], error) {
	if err := s.check(); err != nil {
		return Split[string]{}, err
	}
	raw, err := load(ctx, path, s)
	if err != nil {
		return Split[string]{}, err
	}
	split := raw.split()
	if err := raw.divide(&split, s); err != nil {
		return Split[string]{}, err
	}
	return split, nil
}

// A Part names rows of a data set.
type Part string

const (
	Train      Part = "train"
	Validation Part = "validation"
	Test       Part = "test"
	All        Part = "all"
)

// ReadPart reads one part of the data at path as it lies on disk: nothing is split or dropped as a duplicate. The empty
// part is the test split where there is one, else the validation split, else everything. It returns the rows in
// Split.Test, whatever the part; one class or one example is enough.
func ReadPart(ctx context.Context, path string, part Part, s Settings) (Split[string], error) {
	raw, err := load(ctx, path, s)
	if err != nil {
		return Split[string]{}, err
	}
	split := raw.split()
	rows, err := raw.part(part)
	if err != nil {
		return Split[string]{}, err
	}
	if split.Labels, err = raw.nameLabels(rows); err != nil {
		return Split[string]{}, err
	}
	split.Test = rows
	return split, nil
}

func (s Settings) check() error {
	if s.Test < 0 || s.Test >= 1 {
		return fmt.Errorf("dataset: Settings.Test is %g, want a share in (0, 1)", s.Test)
	}
	if s.Validation < 0 || s.Validation >= 1 {
		return fmt.Errorf("dataset: Settings.Validation is %g, want a share in [0, 1)", s.Validation)
	}
	return nil
}

// source is a data set as it lies on disk.
type source struct {
	path   string
	name   string
	kind   Kind
	splits map[Part][]Example[string] // Train, Validation, Test, or All where the data is not split
	names  []string                   // labels.txt, nil where there is none
	about  *tableAbout                // nil where there is no table
	target Target
	report Report
}

// split returns what is known of the data before rows are divided.
func (raw *source) split() Split[string] {
	return Split[string]{Name: raw.name, Kind: raw.kind, Target: raw.target, Pairs: raw.about != nil && raw.about.pairs, Report: raw.report}
}

// load finds out what lies at path and reads all of it.
func load(ctx context.Context, path string, s Settings) (*source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &RowError{File: path, Err: bare(err)}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &RowError{File: path, Err: err}
	}
	raw := &source{path: path, name: filepath.Base(abs), splits: map[Part][]Example[string]{}}
	if !info.IsDir() {
		err = raw.readTables(ctx, filepath.Dir(path), map[Part][]string{All: {filepath.Base(path)}}, s)
	} else {
		err = raw.readFolder(ctx, path, s)
	}
	if err != nil {
		return nil, err
	}
	if err := raw.settle(s); err != nil {
		return nil, err
	}
	if err := raw.digest(ctx); err != nil {
		return nil, err
	}
	return raw, nil
}

// readFolder decides between tables named by split, pictures, and a lone table.
func (raw *source) readFolder(ctx context.Context, dir string, s Settings) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &RowError{File: dir, Err: bare(err)}
	}
	tables, lone := findTables(dir, entries)
	if len(tables) > 0 {
		return raw.readTables(ctx, dir, tables, s)
	}
	if tables := findMetadata(dir, entries); len(tables) > 0 {
		return raw.readTables(ctx, dir, tables, s)
	}
	found, err := raw.readImages(ctx, dir)
	if err != nil || found {
		return err
	}
	if len(lone) == 1 {
		return raw.readTables(ctx, dir, map[Part][]string{All: lone}, s)
	}
	if len(lone) > 1 {
		return &RowError{File: dir, Err: fmt.Errorf("several tables, %s, none of them called train, validation or test; name one", quoteList(lone))}
	}
	return &RowError{File: dir, Err: fmt.Errorf("%w: found neither pictures in <class>/ or <split>/<class>/ nor tables (.csv .tsv .jsonl .parquet)", ErrEmpty)}
}

// part returns the rows ReadPart asks for.
func (raw *source) part(part Part) ([]Example[string], error) {
	candidates := []Part{part}
	switch part {
	case "":
		candidates = []Part{Test, Validation, All, Train}
	case All:
		var rows []Example[string]
		for _, p := range []Part{All, Train, Validation, Test} {
			rows = append(rows, raw.splits[p]...)
		}
		return rows, nil
	}
	for _, p := range candidates {
		if rows := raw.splits[p]; len(rows) > 0 {
			return rows, nil
		}
	}
	return nil, &RowError{File: raw.path, Err: fmt.Errorf("%w in a split called %q", ErrEmpty, part)}
}

// digest fills in every example's Digest, reading picture files.
func (raw *source) digest(ctx context.Context) error {
	for _, part := range []Part{All, Train, Validation, Test} {
		rows := raw.splits[part]
		err := parallel(ctx, len(rows), func(i int) error {
			if raw.kind == Texts {
				rows[i].Digest = sha256.Sum256([]byte(rows[i].Input))
				if raw.about != nil && raw.about.pairs {
					second := sha256.Sum256([]byte(rows[i].Second))
					rows[i].Digest = sha256.Sum256(slices.Concat(rows[i].Digest[:], second[:]))
				}
				return nil
			}
			data, err := os.ReadFile(rows[i].Input)
			if err != nil {
				return &RowError{File: rows[i].Input, Err: bare(err)}
			}
			rows[i].Digest = sha256.Sum256(data)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// parallel calls f(0) … f(n-1) on all cores, and returns the error of the lowest index that failed.
func parallel(ctx context.Context, n int, f func(i int) error) error {
	const chunk = 64
	var next atomic.Int64
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), (n+chunk-1)/chunk)
	failed := make([]error, workers)
	at := make([]int, workers)
	for w := range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for ctx.Err() == nil && failed[w] == nil {
				lo := int(next.Add(chunk)) - chunk
				if lo >= n {
					return
				}
				for i := lo; i < min(lo+chunk, n); i++ {
					if err := f(i); err != nil {
						failed[w], at[w] = err, i
						break
					}
				}
			}
		}()
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	first := -1
	for w, err := range failed {
		if err != nil && (first < 0 || at[w] < at[first]) {
			first = w
		}
	}
	if first >= 0 {
		return failed[first]
	}
	return nil
}

// bare returns the reason alone of an error that also names a path.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// sortedKeys returns a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
