package onnx

import "fmt"

// A DType is a tensor's element type; the numbers are those of TensorProto.DataType.
type DType int32

const (
	Undefined      DType = 0
	Float32        DType = 1
	Uint8          DType = 2
	Int8           DType = 3
	Uint16         DType = 4
	Int16          DType = 5
	Int32          DType = 6
	Int64          DType = 7
	String         DType = 8
	Bool           DType = 9
	Float16        DType = 10
	Float64        DType = 11
	Uint32         DType = 12
	Uint64         DType = 13
	Complex64      DType = 14
	Complex128     DType = 15
	BFloat16       DType = 16
	Float8E4M3FN   DType = 17
	Float8E4M3FNUZ DType = 18
	Float8E5M2     DType = 19
	Float8E5M2FNUZ DType = 20
	Uint4          DType = 21
	Int4           DType = 22
	Float4E2M1     DType = 23
	Float8E8M0     DType = 24
	Uint2          DType = 25
	Int2           DType = 26
)

// A typedField is the field of TensorProto that holds a type's elements where raw_data does not.
type typedField int

const (
	noField typedField = iota
	floatData
	int32Data
	stringData
	int64Data
	doubleData
	uint64Data
)

// dtypes describes every element type: its name, the bits of an element (0: they vary), and its field of TensorProto.
var dtypes = [...]struct {
	name   string
	bits   int
	field  typedField
	signed bool // an integer with a sign
}{
	Undefined:      {"undefined", 0, noField, false},
	Float32:        {"float32", 32, floatData, false},
	Uint8:          {"uint8", 8, int32Data, false},
	Int8:           {"int8", 8, int32Data, true},
	Uint16:         {"uint16", 16, int32Data, false},
	Int16:          {"int16", 16, int32Data, true},
	Int32:          {"int32", 32, int32Data, true},
	Int64:          {"int64", 64, int64Data, true},
	String:         {"string", 0, stringData, false},
	Bool:           {"bool", 8, int32Data, false},
	Float16:        {"float16", 16, int32Data, false},
	Float64:        {"float64", 64, doubleData, false},
	Uint32:         {"uint32", 32, uint64Data, false},
	Uint64:         {"uint64", 64, uint64Data, false},
	Complex64:      {"complex64", 64, floatData, false},
	Complex128:     {"complex128", 128, doubleData, false},
	BFloat16:       {"bfloat16", 16, int32Data, false},
	Float8E4M3FN:   {"float8e4m3fn", 8, int32Data, false},
	Float8E4M3FNUZ: {"float8e4m3fnuz", 8, int32Data, false},
	Float8E5M2:     {"float8e5m2", 8, int32Data, false},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 8, int32Data, false},
	Uint4:          {"uint4", 4, int32Data, false},
	Int4:           {"int4", 4, int32Data, false},
	Float4E2M1:     {"float4e2m1", 4, int32Data, false},
	Float8E8M0:     {"float8e8m0", 8, int32Data, false},
	Uint2:          {"uint2", 2, int32Data, false},
	Int2:           {"int2", 2, int32Data, false},
}

// known reports whether d is an element type of the format.
func (d DType) known() bool { return d > Undefined && int(d) < len(dtypes) }

// String returns the type's name, such as "float32".
func (d DType) String() string {
	if d < 0 || int(d) >= len(dtypes) {
		return fmt.Sprintf("type %d", int32(d))
	}
	return dtypes[d].name
}

// Bits returns the size of an element in bits, 0 for strings and unknown types. Elements of 2 and 4 bits lie packed in
// bytes, the first in the low bits.
func (d DType) Bits() int {
	if !d.known() {
		return 0
	}
	return dtypes[d].bits
}

// Size returns the size of an element in whole bytes, 0 for strings, unknown types and types smaller than a byte.
func (d DType) Size() int { return d.Bits() / 8 }

// typed returns the field of TensorProto that may hold the type's elements and the bytes of one entry of that field.
func (d DType) typed() (field typedField, width int) {
	if !d.known() {
		return noField, 0
	}
	return dtypes[d].field, max(1, dtypes[d].bits/8)
}
