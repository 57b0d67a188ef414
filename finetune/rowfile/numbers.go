package rowfile

import (
	"encoding/json"
	"unsafe"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx/storage"
)

// numbers writes rows of numbers one after the other.
type numbers struct {
	file   *storage.File
	half   bool
	cols   int
	buffer []byte
}

func newNumbers(file *storage.File, half bool) numbers { return numbers{file: file, half: half} }

// width is the size of a row in bytes.
func (n *numbers) width() int64 {
	if n.half {
		return 2 * int64(n.cols)
	}
	return 4 * int64(n.cols)
}

func (n *numbers) put(x heads.Matrix) error {
	if !n.half {
		_, err := n.file.Write(floatBytes(x.Data))
		return err
	}
	n.buffer = AppendHalf(n.buffer[:0], x.Data)
	_, err := n.file.Write(n.buffer)
	return err
}

// floatBytes are numbers as they lie in memory and in files; the hosts graft runs on are little-endian.
func floatBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// Sidecar is the file beside an array that says what its rows are: one JSON object a line, a [Row] each, in order.
func Sidecar(path string) string { return path + ".rows.jsonl" }

// A sidecar is being written.
type sidecar struct {
	file   *storage.File
	buffer []byte
}

func newSidecar(path string) (*sidecar, error) {
	file, err := storage.Create(path)
	if err != nil {
		return nil, err
	}
	return &sidecar{file: file}, nil
}

const sidecarBuffer = 1 << 16

func (s *sidecar) write(rows []Row) error {
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		s.buffer = append(append(s.buffer, line...), '\n')
		if len(s.buffer) >= sidecarBuffer {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sidecar) flush() error {
	_, err := s.file.Write(s.buffer)
	s.buffer = s.buffer[:0]
	return err
}

func (s *sidecar) commit() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.file.Commit()
}
