package rowfile

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// npyTypes are the element types an array file can hold, by NumPy's names.
var npyTypes = map[onnx.DType]string{
	onnx.Float32: "<f4", onnx.Float16: "<f2", onnx.Float64: "<f8", onnx.Uint8: "|u1", onnx.Int64: "<i8", onnx.Int32: "<i4",
}

// NPYHeader is the start of a NumPy array file, version 1.0, of elements in row order; they follow it as a tensor's Data
// holds them. For N×D its length does not depend on N.
func NPYHeader(t onnx.DType, shape ...int64) ([]byte, error) {
	descr, ok := npyTypes[t]
	if !ok {
		return nil, fmt.Errorf("an array file cannot hold %v", t)
	}
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.FormatInt(d, 10)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	const before = 10                                                   // magic, version and the dictionary's length
	dict += strings.Repeat(" ", (64-(before+len(dict)+1)%64)%64) + "\n" // the values start at a multiple of 64
	head := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	return append(head, dict...), nil
}

// npy writes an array, and its header again once N is known.
type npy struct{ numbers }

func (f *npy) header(rows int64) ([]byte, error) {
	t := onnx.Float32
	if f.half {
		t = onnx.Float16
	}
	return NPYHeader(t, rows, int64(f.cols))
}

func (f *npy) begin(cols int) error {
	f.cols = cols
	head, err := f.header(0)
	if err == nil {
		_, err = f.file.Write(head)
	}
	return err
}

func (f *npy) write(x heads.Matrix, _ []Row) error { return f.put(x) }

func (f *npy) end(rows int64) error {
	head, err := f.header(rows)
	if err == nil {
		_, err = f.file.WriteAt(head, 0)
	}
	return err
}
