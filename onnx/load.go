package onnx

import (
	"fmt"
	"io/fs"
	"path"
)

// Load reads an ONNX file. The file is mapped into memory, not read: tensor data aliases the map, pages come from disk
// when they are first used, and nothing of it is on Go's heap. The model's data is read-only, and the file must not be
// shortened or overwritten in place while the model is in use; [Model.Save], which replaces files whole, may write to
// the same path. Data that the model keeps in other files is mapped too; those files must lie in the model's folder or
// below it.
//
// A damaged file is a [MalformedError]. Load reads structure only; [Check] tells whether the model makes sense.
func Load(path string) (*Model, error) {
	m, err := load(path)
	if err != nil {
		return nil, inFile(err, path)
	}
	return m, nil
}

func load(path string) (*Model, error) {
	file, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: load: %w", err)
	}
	outside := &folder{model: path, files: map[string]*mapping{}}
	m, err := decodeModel(file.data, outside.find)
	if err != nil {
		outside.close()
		file.close()
		return nil, err
	}
	m.file = file.with(outside)
	return m, nil
}

// Parse reads an ONNX model from memory. Tensor data aliases data, which must not change while the model is in use. A
// model that keeps data in other files is an [UnsupportedError]: it has no folder to find them in.
func Parse(data []byte) (*Model, error) { return decodeModel(data, nil) }

// LoadFS reads an ONNX file of a file system, such as one embedded in the program. Its bytes are on Go's heap.
func LoadFS(fsys fs.FS, name string) (*Model, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("onnx: load: %w", err)
	}
	outside := &fsFolder{fsys: fsys, dir: path.Dir(name), files: map[string][]byte{}}
	m, err := decodeModel(data, outside.find)
	if err != nil {
		return nil, inFile(err, name)
	}
	return m, nil
}

// Close unmaps the file of a loaded model. The model, its clones, and all tensors taken from it must not be used after
// it: their data is gone, and touching it ends the program. A program that needs the model to its end need not call
// Close. Sessions made from the model keep what they need. A second Close does nothing; Close and use at the same time
// by several goroutines need a lock of theirs.
func (m *Model) Close() error {
	if m.file == nil || m.file.close == nil {
		return nil
	}
	unmap := m.file.close
	m.file.close = nil
	return unmap()
}

// Forget lets the system take back the memory of a loaded file's bytes; weights that are read again come from the file. It
// is for callers that have weights of their own to change, and does nothing for models that were not read from a file.
func (m *Model) Forget() {
	if m.file != nil && m.file.close != nil {
		forget(m.file.data)
	}
}
