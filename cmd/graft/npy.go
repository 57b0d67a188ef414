package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// npyTypes are the element types an array file can hold, by NumPy's names.
var npyTypes = map[onnx.DType]string{
	onnx.Float32: "<f4", onnx.Float16: "<f2", onnx.Float64: "<f8", onnx.Uint8: "|u1", onnx.Int64: "<i8", onnx.Int32: "<i4",
}

// npyHeader is the start of a NumPy array file, version 1.0, of elements in
// row order; they follow it as a tensor's Data holds them.
func npyHeader(t onnx.DType, shape ...int64) ([]byte, error) {
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
