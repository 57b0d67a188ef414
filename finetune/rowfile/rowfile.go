// Package rowfile writes N×D features as files that other tools open, NumPy arrays, safetensors and Parquet, row by row,
// and reads arrays back without holding them in memory.
package rowfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx/storage"
)

// A Format is a kind of file.
type Format string

const (
	// NPY is a NumPy array of N×D. What its rows are lies beside it, see [Sidecar].
	NPY Format = "npy"
	// Safetensors holds the tensors features, N×D, and label, N int32: the position of a row's label among the names that
	// the metadata's entry labels lists as JSON, or -1. What its rows are called lies beside it, see [Sidecar].
	Safetensors Format = "safetensors"
	// Parquet has the columns id, split, label, and features, a list of numbers.
	Parquet Format = "parquet"
)

// Formats lists them.
var Formats = []Format{NPY, Safetensors, Parquet}

// A FormatError says that a file's format is not known.
type FormatError struct{ Name string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("rowfile: %q is no format of features; there are %q", e.Name, Formats)
}

// FormatOf returns the format a file's name ends in.
func FormatOf(path string) (Format, error) {
	f := Format(strings.ToLower(strings.TrimPrefix(filepath.Ext(path), ".")))
	if !slices.Contains(Formats, f) {
		return "", &FormatError{Name: filepath.Base(path)}
	}
	return f, nil
}

// Settings of a [Writer]. The zero value goes by the file's name and writes float32.
type Settings struct {
	Format Format            // "": as the name ends
	Half   bool              // numbers in half precision; one beyond ±65504 is an error; not for Parquet
	Meta   map[string]string // kept in the file where its format can: not by NPY
}

// A Row is what is known of a row beside its features.
type Row struct {
	ID    string `json:"id"`              // where it came from
	Split string `json:"split,omitempty"` // "" where the data is not split
	Label string `json:"label,omitempty"` // "" where it has none
}

// A Writer writes one file, row by row, and keeps none. Nothing appears at the file's place before Commit.
type Writer struct {
	form   form
	file   *storage.File
	beside *sidecar // nil where the format holds everything
	half   bool
	rows   int64
	cols   int
}

// A form is what formats differ in.
type form interface {
	begin(cols int) error
	write(x heads.Matrix, rows []Row) error
	end(rows int64) error
}

// Create starts a file at path. Where it has a [Sidecar], Commit puts both into place.
func Create(path string, s Settings) (*Writer, error) {
	format := s.Format
	if format == "" {
		var err error
		if format, err = FormatOf(path); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(Formats, format) {
		return nil, &FormatError{Name: string(format)}
	}
	if format == Parquet && s.Half {
		return nil, errors.New("rowfile: half precision is for npy and safetensors; few readers of Parquet know it")
	}
	file, err := storage.Create(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file, half: s.Half}
	out := newNumbers(file, s.Half)
	switch format {
	case Parquet:
		w.form = newParquet(file, s)
		return w, nil
	case NPY:
		w.form = &npy{numbers: out}
	case Safetensors:
		w.form = &safetensors{numbers: out, meta: s.Meta, class: map[string]int32{}}
	}
	if w.beside, err = newSidecar(Sidecar(path)); err != nil {
		file.Abort()
		return nil, err
	}
	return w, nil
}

// Write appends rows, of which of[i] describes x's row i. It keeps neither.
func (w *Writer) Write(x heads.Matrix, of []Row) error {
	if err := x.Check(); err != nil {
		return fmt.Errorf("rowfile: %w", err)
	}
	if len(of) != x.Rows {
		return fmt.Errorf("rowfile: %d descriptions for %d rows", len(of), x.Rows)
	}
	if w.cols == 0 {
		w.cols = x.Cols
		if err := w.form.begin(x.Cols); err != nil {
			return err
		}
	}
	if x.Cols != w.cols {
		return fmt.Errorf("rowfile: rows of %d columns after rows of %d", x.Cols, w.cols)
	}
	if w.half {
		for i := range x.Rows {
			if j := beyondHalf(x.Row(i)); j >= 0 {
				return fmt.Errorf("rowfile: %s: column %d is %g, too large for half precision", of[i].ID, j, x.Row(i)[j])
			}
		}
	}
	if err := w.form.write(x, of); err != nil {
		return err
	}
	if w.beside != nil {
		if err := w.beside.write(of); err != nil {
			return err
		}
	}
	w.rows += int64(x.Rows)
	return nil
}

// Rows is the number of rows written so far, and Cols their D, 0 before the first.
func (w *Writer) Rows() int64 { return w.rows }
func (w *Writer) Cols() int   { return w.cols }

// Commit completes the file and puts it into place. A file without rows is an error.
func (w *Writer) Commit() error {
	defer w.Abort()
	if w.rows == 0 {
		return errors.New("rowfile: no rows were written")
	}
	if err := w.form.end(w.rows); err != nil {
		return err
	}
	if w.beside != nil {
		if err := w.beside.commit(); err != nil {
			return err
		}
	}
	return w.file.Commit()
}

// Abort throws away what has been written. After Commit it does nothing.
func (w *Writer) Abort() {
	w.file.Abort()
	if w.beside != nil {
		w.beside.file.Abort()
	}
}
