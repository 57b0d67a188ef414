package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unsafe"
)

// Arrays travel between processes as NumPy files (format version 1.0, rows first).

// npyNames are the element types that travel, by NumPy's names.
type npyNumber interface{ ~float32 | ~float64 | ~int64 }

func npyName[T npyNumber]() string {
	switch any(*new(T)).(type) {
	case float32:
		return "<f4"
	case float64:
		return "<f8"
	}
	return "<i8"
}

// writeNpy writes an array whose shape is that of data, rows first.
func writeNpy[T npyNumber](file string, data []T, shape ...int) error {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d) + ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", npyName[T](), strings.Join(dims, " "))
	dict += strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	_ = binary.Write(&b, binary.LittleEndian, uint16(len(dict)))
	b.WriteString(dict)
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err == nil && len(data) > 0 {
		_, err = f.Write(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(data[0]))))
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

var (
	npyType  = regexp.MustCompile(`'descr': *'([^']*)'`)
	npyShape = regexp.MustCompile(`'shape': *\(([0-9, ]*)\)`)
)

// readNpy reads an array of that element type.
func readNpy[T npyNumber](file string) (data []T, shape []int, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	bad := func(what string) error { return fmt.Errorf("%s: %s", file, what) }
	if len(raw) < 10 || string(raw[:8]) != "\x93NUMPY\x01\x00" {
		return nil, nil, bad("no array file of version 1.0")
	}
	end := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	if len(raw) < end {
		return nil, nil, bad("it ends in its header")
	}
	head, body := string(raw[10:end]), raw[end:]
	kind, dims := npyType.FindStringSubmatch(head), npyShape.FindStringSubmatch(head)
	if kind == nil || kind[1] != npyName[T]() || dims == nil || strings.Contains(head, "'fortran_order': True") {
		return nil, nil, bad("want rows first, of type " + npyName[T]() + ", got " + strings.TrimSpace(head))
	}
	n := 1
	for field := range strings.SplitSeq(dims[1], ",") {
		if field = strings.TrimSpace(field); field != "" {
			d, err := strconv.Atoi(field)
			if err != nil {
				return nil, nil, bad("its shape is " + dims[1])
			}
			shape, n = append(shape, d), n*d
		}
	}
	size := int(unsafe.Sizeof(*new(T)))
	if n < 0 || len(body) != n*size {
		return nil, nil, bad(fmt.Sprintf("%d bytes of numbers, want %d of %d bytes each", len(body), n, size))
	}
	data = make([]T, n)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(body)), body)
	return data, shape, nil
}
