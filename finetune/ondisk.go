package finetune

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"github.com/edsrzf/mmap-go"
	"github.com/onnx-graft/graft/heads"
)

// inMemory is how many bytes of features lie in memory where nothing else is asked for.
const inMemory = 1 << 30

// A mappedFile is room for numbers in a file that goes with it. The system keeps in memory what is looked at, and no more
// than there is room for.
type mappedFile struct {
	numbers []float32
	mapped  mmap.MMap
	file    *os.File
}

// newMappedFile makes room for n numbers in a new file in dir, or where dir is "" among temporary files. The room is taken
// at once: a disk that fills up later would end the process.
func newMappedFile(dir string, n int64) (*mappedFile, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, fmt.Errorf("finetune: room on disk for features: %w", err)
		}
	}
	file, err := os.CreateTemp(dir, "features-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("finetune: room on disk for features: %w", err)
	}
	m := &mappedFile{file: file}
	zeros := make([]byte, 1<<20)
	for left := 4 * n; left > 0 && err == nil; left -= int64(len(zeros)) {
		_, err = file.Write(zeros[:min(left, int64(len(zeros)))])
	}
	if err == nil {
		m.mapped, err = mmap.Map(file, mmap.RDWR, 0)
	}
	if err != nil {
		m.close()
		return nil, fmt.Errorf("finetune: room on disk for %d MB of features: %w", 4*n>>20, err)
	}
	os.Remove(file.Name()) // it lives as long as it is open, where the system has it so, and goes even with a process that is killed
	m.numbers = unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData([]byte(m.mapped)))), n)
	return m, nil
}

// close removes the file; the numbers must not be used any more.
func (m *mappedFile) close() error {
	m.numbers = nil
	var err error
	if m.mapped != nil {
		err = m.mapped.Unmap()
	}
	err = errors.Join(err, m.file.Close())
	if gone := os.Remove(m.file.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// room returns memory for the features of n inputs, of a file where they are many; nil where the extraction is to make it.
func (w *workshop[T]) room(n int, s ExtractSettings) ([]float32, error) {
	limit := s.Memory
	if limit == 0 {
		limit = inMemory
	}
	_, cols, err := w.backbone.output()
	_, alone := w.form.(single[T])
	if err != nil || !w.roomy || !alone || cols == 0 || 4*int64(n)*int64(cols) <= limit || w.settings.Probe.Head == heads.KindKNN { // which holds on to rows
		return nil, nil
	}
	dir := ""
	if s.Cache != nil {
		dir = s.Cache.Dir
	}
	file, err := newMappedFile(dir, int64(n)*int64(cols))
	if err != nil {
		return nil, err
	}
	w.files = append(w.files, file)
	return file.numbers, nil
}

// close removes the files that features lie in.
func (w *workshop[T]) close() error {
	var all error
	for _, f := range w.files {
		all = errors.Join(all, f.close())
	}
	w.files = nil
	return all
}
