package rowfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"unsafe"

	"github.com/edsrzf/mmap-go"
	"github.com/onnx-graft/graft/heads"
)

// A File is an array file that is open to read.
type File struct {
	// Matrix are its rows. Numbers of single precision lie in the file itself, mapped into memory: the system reads what is
	// looked at and forgets it again, so a file may be larger than memory. Nothing may write to them.
	Matrix heads.Matrix

	mapped mmap.MMap
}

// Open opens the features of an .npy or .safetensors file, of single or half precision.
func Open(path string) (*File, error) {
	format, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("rowfile: %w", err)
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || info.Size() == 0 {
		return nil, fmt.Errorf("rowfile: %s is empty: %w", path, err)
	}
	mapped, err := mmap.Map(in, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("rowfile: map %s: %w", path, err)
	}
	f := &File{mapped: mapped}
	var a array
	switch format {
	case NPY:
		a, err = readNPY(mapped)
	case Safetensors:
		a, err = readSafetensors(mapped)
	default:
		err = errors.New("only npy and safetensors files are read back")
	}
	if err == nil {
		f.Matrix, err = a.matrix()
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("rowfile: %s: %w", path, err)
	}
	return f, nil
}

// Close unmaps the file; Matrix must not be used any more.
func (f *File) Close() error {
	f.Matrix = heads.Matrix{}
	return f.mapped.Unmap()
}

// An array is what a header says, and the bytes behind it.
type array struct {
	half       bool
	rows, cols uint64
	data       []byte
}

func (a array) matrix() (heads.Matrix, error) {
	size := uint64(4)
	if a.half {
		size = 2
	}
	if a.cols == 0 || a.cols > 1<<32 || a.rows > uint64(len(a.data)) || a.rows*a.cols*size != uint64(len(a.data)) {
		return heads.Matrix{}, fmt.Errorf("%d bytes of numbers are not %d×%d of %d bytes", len(a.data), a.rows, a.cols, size)
	}
	m := heads.Matrix{Rows: int(a.rows), Cols: int(a.cols)}
	if !a.half && uintptr(unsafe.Pointer(unsafe.SliceData(a.data)))%4 == 0 {
		m.Data = unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(a.data))), len(a.data)/4)
		return m, nil
	}
	m.Data = make([]float32, m.Rows*m.Cols)
	if a.half {
		FromHalf(m.Data, a.data)
	} else {
		copy(floatBytes(m.Data), a.data)
	}
	return m, nil
}

// npyDict matches the header of an array file of two dimensions.
var npyDict = regexp.MustCompile(`^\{'descr': '(<f4|<f2)', 'fortran_order': False, 'shape': \((\d+), (\d+)\),? *\}\s*$`)

// readNPY reads NumPy's format, versions 1 to 3.
func readNPY(data []byte) (array, error) {
	if len(data) < 12 || !bytes.HasPrefix(data, []byte("\x93NUMPY")) {
		return array{}, errors.New("not a NumPy array file")
	}
	length, from := uint64(binary.LittleEndian.Uint16(data[8:])), uint64(10)
	if data[6] > 1 {
		length, from = uint64(binary.LittleEndian.Uint32(data[8:])), 12
	}
	if from+length > uint64(len(data)) {
		return array{}, errors.New("the header is cut off")
	}
	dict := npyDict.FindSubmatch(data[from : from+length])
	if dict == nil {
		const most = 200
		return array{}, fmt.Errorf("want rows of float32 or float16, got an array %.*s", most, data[from:from+length])
	}
	rows, err := strconv.ParseUint(string(dict[2]), 10, 63)
	if err != nil {
		return array{}, err
	}
	cols, err := strconv.ParseUint(string(dict[3]), 10, 63)
	return array{half: string(dict[1]) == "<f2", rows: rows, cols: cols, data: data[from+length:]}, err
}

// readSafetensors reads the tensor features.
func readSafetensors(data []byte) (array, error) {
	if len(data) < 8 {
		return array{}, errors.New("not a safetensors file")
	}
	length := binary.LittleEndian.Uint64(data)
	if length > uint64(len(data)-8) {
		return array{}, errors.New("not a safetensors file, or its header is cut off")
	}
	var head struct {
		Features *safetensor `json:"features"`
	}
	if err := json.Unmarshal(data[8:8+length], &head); err != nil {
		return array{}, fmt.Errorf("not a safetensors file: %w", err)
	}
	body, t := data[8+length:], head.Features
	switch {
	case t == nil:
		return array{}, errors.New("no tensor called features")
	case t.Type != "F32" && t.Type != "F16" || len(t.Shape) != 2 || t.Shape[0] < 0 || t.Shape[1] < 0:
		return array{}, fmt.Errorf("features are %s %v, want rows of F32 or F16", t.Type, t.Shape)
	case t.Offsets[0] < 0 || t.Offsets[1] < t.Offsets[0] || t.Offsets[1] > int64(len(body)):
		return array{}, errors.New("the tensor features is cut off")
	}
	return array{half: t.Type == "F16", rows: uint64(t.Shape[0]), cols: uint64(t.Shape[1]), data: body[t.Offsets[0]:t.Offsets[1]]}, nil
}
