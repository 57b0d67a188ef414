package onnx

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
)

// A Tensor is an n-dimensional array: a weight of a model, or what a [Session] takes and returns.
// Elements are in row-major order; Shape nil or empty is a scalar.
type Tensor struct {
	Name  string
	Type  DType
	Shape []int64
	Data  []byte   // elements, little-endian as raw_data lays them out; nil for strings
	Strs  [][]byte // elements where Type is String
	Doc   string

	unknown []byte
}

// A SparseTensor is a tensor given by its non-zero elements (SparseTensorProto).
type SparseTensor struct {
	Values  *Tensor
	Indices *Tensor
	Dims    []int64

	unknown []byte
}
