package onnx

import (
	"errors"
	"fmt"
	"os"

	"github.com/edsrzf/mmap-go"
)

// A mapping is a read-only view of a file's bytes that lives until close.
type mapping struct {
	data  []byte
	close func() error
}

// mapFile maps a regular file.
func mapFile(path string) (*mapping, error) {
	// Opening a pipe or a device could wait for ever, so look first.
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: a folder, where a model file was expected", path)
	} else if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return mapOpen(f)
}

// mapOpen maps an open file. The file may be closed afterwards.
func mapOpen(f *os.File) (*mapping, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 { // no system maps nothing
		return &mapping{data: []byte{}, close: func() error { return nil }}, nil
	}
	m, err := mmap.Map(f, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("mapping %s into memory: %w", f.Name(), err)
	}
	return &mapping{data: m[:len(m):len(m)], close: m.Unmap}, nil
}

// with returns the mapping with the files beside it, which it closes too.
func (m *mapping) with(outside *folder) *mapping {
	unmap := m.close
	return &mapping{data: m.data, close: func() error { return errors.Join(unmap(), outside.close()) }}
}
