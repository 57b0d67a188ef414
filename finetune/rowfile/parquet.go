package rowfile

import (
	"fmt"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx/storage"
	"github.com/parquet-go/parquet-go"
)

// A parquetRow is a row of the table.
type parquetRow struct {
	ID       string    `parquet:"id"`
	Split    string    `parquet:"split,dict"`
	Label    *string   `parquet:"label,dict,optional"`
	Features []float32 `parquet:"features,list"`
}

// parquetFile writes a table. It holds one group of rows in memory.
type parquetFile struct {
	out   *parquet.GenericWriter[parquetRow]
	group int // numbers since the last group was written
	rows  []parquetRow
}

// parquetGroup is how many numbers of features a group of rows holds.
const parquetGroup = 4 << 20

func newParquet(file *storage.File, s Settings) *parquetFile {
	options := []parquet.WriterOption{parquet.Compression(&parquet.Uncompressed), parquet.CreatedBy("graft", "", "")}
	for key, value := range s.Meta {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	return &parquetFile{out: parquet.NewGenericWriter[parquetRow](file, options...)}
}

func (f *parquetFile) begin(int) error { return nil }

func (f *parquetFile) write(x heads.Matrix, rows []Row) error {
	const chunk = 256
	for at := 0; at < x.Rows; at += chunk {
		f.rows = f.rows[:0]
		for i := at; i < min(at+chunk, x.Rows); i++ {
			r := parquetRow{ID: rows[i].ID, Split: rows[i].Split, Features: x.Row(i)}
			if rows[i].Label != "" {
				r.Label = &rows[i].Label
			}
			f.rows = append(f.rows, r)
		}
		if _, err := f.out.Write(f.rows); err != nil {
			return fmt.Errorf("rowfile: parquet: %w", err)
		}
		if f.group += len(f.rows) * x.Cols; f.group >= parquetGroup {
			f.group = 0
			if err := f.out.Flush(); err != nil {
				return fmt.Errorf("rowfile: parquet: %w", err)
			}
		}
	}
	return nil
}

func (f *parquetFile) end(int64) error {
	if err := f.out.Close(); err != nil {
		return fmt.Errorf("rowfile: parquet: %w", err)
	}
	return nil
}
