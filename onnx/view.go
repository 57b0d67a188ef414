package onnx

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"unsafe"
)

// Number is the Go types a tensor's elements can have. Float16 and BFloat16 elements have uint16 as their Go type, the
// types of 8 bits and less have uint8.
type Number interface {
	~float32 | ~float64 | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~bool |
		~complex64 | ~complex128
}

// kinds gives the element type of each kind of Go value.
var kinds = map[reflect.Kind]DType{
	reflect.Float32: Float32, reflect.Float64: Float64,
	reflect.Int8: Int8, reflect.Int16: Int16, reflect.Int32: Int32, reflect.Int64: Int64,
	reflect.Uint8: Uint8, reflect.Uint16: Uint16, reflect.Uint32: Uint32, reflect.Uint64: Uint64,
	reflect.Bool: Bool, reflect.Complex64: Complex64, reflect.Complex128: Complex128,
}

// DTypeOf returns the element type of the Go type T.
func DTypeOf[T Number]() DType { return kinds[reflect.TypeFor[T]().Kind()] }

// NewTensor returns a tensor whose Data aliases data: a change of one is a change of the other. The shape's product
// should be len(data); no shape makes a scalar. Hosts are taken to be little-endian, as all that ONNX Runtime serves are.
func NewTensor[T Number](name string, data []T, shape ...int64) *Tensor {
	t := &Tensor{Name: name, Type: DTypeOf[T](), Shape: shape, Data: []byte{}}
	if len(data) > 0 {
		t.Data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(data[0])))
	}
	return t
}

// View returns the tensor's elements as a slice of T. It aliases Data where that is aligned for T, as it is for tensors
// made by [NewTensor] and runtimes; elements read from a file may lie anywhere, and are then copied. It is an error where
// T is not the Go type of the tensor's elements, and a MalformedError where Data has not the length the shape states.
func View[T Number](t *Tensor) ([]T, error) {
	var zero T
	if want := DTypeOf[T](); want != t.Type && !(want == Uint16 && (t.Type == Float16 || t.Type == BFloat16)) &&
		!(want == Uint8 && t.Type.Size() == 1 && t.Type >= Float8E4M3FN) {
		return nil, unsupported(Where{Tensor: t.Name}, "elements are %v, not %v", t.Type, want)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	width := int(unsafe.Sizeof(zero))
	n := len(t.Data) / width
	if n == 0 {
		return []T{}, nil
	}
	p := unsafe.Pointer(unsafe.SliceData(t.Data))
	truth := t.Type != Bool || slices.Max(t.Data) <= 1 // Go's bool is 0 or 1 and nothing else
	if truth && uintptr(p)%unsafe.Alignof(zero) == 0 {
		return unsafe.Slice((*T)(p), n), nil
	}
	out := make([]T, n)
	copied := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(out))), n*width)
	copy(copied, t.Data)
	for i := 0; !truth && i < len(copied); i++ {
		copied[i] = min(copied[i], 1)
	}
	return out, nil
}

// Float32s returns the tensor's elements as float32, in fresh memory unless they are float32 already and aligned. It
// takes floats of 16, 32 and 64 bits, bfloat16, bool and integers of 8 bits and more; others are an UnsupportedError.
func (t *Tensor) Float32s() ([]float32, error) {
	if t.Type == Float32 {
		return View[float32](t)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	convert := float32From[t.Type]
	if convert == nil {
		return nil, unsupported(Where{Tensor: t.Name}, "elements of type %v cannot be read as float32", t.Type)
	}
	width := t.Type.Size()
	out := make([]float32, len(t.Data)/width)
	for i := range out {
		out[i] = convert(t.Data[i*width:])
	}
	return out, nil
}

// float32From reads one element of a type.
var float32From = map[DType]func(b []byte) float32{
	Float32:  func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
	Float16:  func(b []byte) float32 { return float16(binary.LittleEndian.Uint16(b)) },
	BFloat16: func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) },
	Float64:  func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) },
	Int8:     func(b []byte) float32 { return float32(int8(b[0])) },
	Uint8:    func(b []byte) float32 { return float32(b[0]) },
	Bool:     func(b []byte) float32 { return float32(min(b[0], 1)) },
	Int16:    func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) },
	Uint16:   func(b []byte) float32 { return float32(binary.LittleEndian.Uint16(b)) },
	Int32:    func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) },
	Uint32:   func(b []byte) float32 { return float32(binary.LittleEndian.Uint32(b)) },
	Int64:    func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) },
	Uint64:   func(b []byte) float32 { return float32(binary.LittleEndian.Uint64(b)) },
}

// float16 converts an IEEE 754 half-precision number, which is exact: 1 sign bit, 5 of exponent, 10 of mantissa.
func float16(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h>>10) & 31
	mant := uint32(h) & 0x3ff
	switch exp {
	case 0: // zero and subnormals: mant × 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(mant)*0x1p-24))
	case 31: // infinity, and not a number
		return math.Float32frombits(sign | 0xff<<23 | mant<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | mant<<13)
}
