package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/onnx-graft/graft/onnx/internal/pb"
	"github.com/onnx-graft/graft/onnx/storage"
)

const (
	maxFile      = 2<<30 - 1 // the largest message that protocol buffers allow, and so the largest ONNX file
	pageSize     = 4096      // data in other files begins at multiples of it, so that it can be mapped
	smallestData = 1024      // tensors below it stay in the model: shapes and axes are looked at without weights
)

// A SaveOption changes how [Model.Save] writes.
type SaveOption func(*saving)

type saving struct {
	external bool
	limit    int64 // largest file written without external data
}

// ExternalData puts the initializers of 1 KiB and more into one file beside the model, named as the model with ".data"
// appended, where they can be mapped. A model beyond 2 GiB, which one ONNX file cannot hold, is saved so in any case.
func ExternalData() SaveOption { return func(s *saving) { s.external = true } }

// fileLimit takes the place of the 2 GiB that a file can have.
func fileLimit(n int64) SaveOption { return func(s *saving) { s.limit = n } }

// Save writes the model to path. The file appears whole or not at all; where there was one, it is replaced. External
// data is in place just before the model that refers to it; where the model then cannot be, the data stays. The same
// model gives the same bytes, and a file just loaded is written back byte for byte where its fields were in the order of
// their numbers. On Windows a file that some model still maps cannot be replaced: close that one first.
func (m *Model) Save(path string, options ...SaveOption) error {
	s := saving{limit: maxFile}
	for _, o := range options {
		o(&s)
	}
	if err := m.save(path, s); err != nil {
		return fmt.Errorf("onnx: save %s: %w", path, err)
	}
	return nil
}

func (m *Model) save(path string, s saving) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("a folder is there")
	}
	var places map[*Tensor]place
	if s.external || pb.Size(m.encode(nil)) > s.limit {
		places = m.layOut(filepath.Base(path) + ".data")
		if n := pb.Size(m.encode(places)); n > s.limit {
			return unsupported(Where{}, "the graph without its weights has %d bytes, more than the %d of one file", n, s.limit)
		}
	}
	model, err := storage.Create(path)
	if err != nil {
		return err
	}
	defer model.Abort()
	if len(places) > 0 {
		data, err := storage.Create(path + ".data")
		if err != nil {
			return err
		}
		defer data.Abort()
		if err := m.writeData(data, places); err != nil {
			return err
		}
		if err := pb.Write(model, m.encode(places)); err != nil {
			return err
		}
		if err := data.Commit(); err != nil {
			return err
		}
	} else if err := pb.Write(model, m.encode(nil)); err != nil {
		return err
	}
	return model.Commit()
}

// Bytes returns the model as one ONNX file. The same model gives the same bytes. All data is in them; a model beyond
// 2 GiB is an [UnsupportedError], as no ONNX file can hold it.
func (m *Model) Bytes() ([]byte, error) {
	n := pb.Size(m.encode(nil))
	if n > maxFile {
		return nil, unsupported(Where{}, "%d bytes are more than one ONNX file can hold; save the model, or use WriteTo", n)
	}
	var b bytes.Buffer
	b.Grow(int(n))
	if err := pb.Write(&b, m.encode(nil)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteTo writes what Bytes returns, whatever its size, without holding it in memory: for a digest, for example.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	return pb.Size(m.encode(nil)), pb.Write(w, m.encode(nil))
}

// layOut gives the larger initializers their places in a file of their own.
func (m *Model) layOut(file string) map[*Tensor]place {
	places := map[*Tensor]place{}
	var end int64
	for _, t := range m.weights() {
		if n := int64(len(t.Data)); n >= smallestData {
			at := (end + pageSize - 1) / pageSize * pageSize
			places[t] = place{file, at, n}
			end = at + n
		}
	}
	return places
}

// writeData writes the file that layOut has laid out.
func (m *Model) writeData(w io.Writer, places map[*Tensor]place) error {
	var end int64
	for _, t := range m.weights() {
		at, ok := places[t]
		if !ok {
			continue
		}
		if _, err := w.Write(make([]byte, at.offset-end)); err != nil {
			return err
		}
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
		end = at.offset + at.length
	}
	return nil
}

// weights lists the initializers of the graph and of the graphs within it.
func (m *Model) weights() []*Tensor {
	var list []*Tensor
	if m.Graph != nil {
		for _, g := range m.Graph.bodies() {
			list = append(list, g.Initializers...)
		}
	}
	return list
}
