package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// npyHeader is the start of a NumPy array file, version 1.0, of float32 in row
// order; the values follow it, little-endian.
func npyHeader(shape ...int64) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.FormatInt(d, 10)
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", tuple)
	const before = 10                                                   // magic, version and the dictionary's length
	dict += strings.Repeat(" ", (64-(before+len(dict)+1)%64)%64) + "\n" // the values start at a multiple of 64
	head := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	return append(head, dict...)
}

// writeFloats writes values as an array file holds them.
func writeFloats(w io.Writer, values []float32) error {
	return binary.Write(w, binary.LittleEndian, values)
}
