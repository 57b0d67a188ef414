package onnx

import (
	"math"
	"math/bits"
)

// A Tensor is an n-dimensional array: a weight of a model, or what a [Session] takes and returns.
// Elements are in row-major order; Shape nil or empty is a scalar.
type Tensor struct {
	Name     string
	Type     DType
	typed    bool // the file held the elements as numbers of their type, not as raw bytes; so will the next
	Shape    []int64
	Data     []byte   // elements, little-endian as raw_data lays them out; nil for strings
	Strs     [][]byte // elements where Type is String
	Doc      string
	Metadata []Property

	kept *kept
}

// A SparseTensor is a tensor given by its non-zero elements (SparseTensorProto).
type SparseTensor struct {
	Values  *Tensor
	Indices *Tensor
	Dims    []int64

	kept *kept
}

// Len returns the number of elements that the shape states. A negative dimension or a product beyond 63 bits is an
// error.
func (t *Tensor) Len() (int64, error) { return countElements(t.Shape, Where{Tensor: t.Name}) }

// countElements multiplies dimensions.
func countElements(dims []int64, w Where) (int64, error) {
	n, zero := uint64(1), false
	for i, d := range dims {
		if d < 0 {
			return 0, malformed(w, "dimension %d of shape %v is negative", i, dims)
		}
		if d == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, malformed(w, "shape %v has too many elements to count", dims)
		}
		n = lo
	}
	if zero {
		return 0, nil
	}
	return int64(n), nil
}

// byteLen returns the length Data must have by the tensor's type and shape.
func (t *Tensor) byteLen() (int64, error) {
	n, err := t.Len()
	if err != nil {
		return 0, err
	}
	hi, lo := bits.Mul64(uint64(n), uint64(t.Type.Bits()))
	if hi != 0 || lo > math.MaxInt64-7 {
		return 0, malformed(Where{Tensor: t.Name}, "shape %v of %v has too many bytes to count", t.Shape, t.Type)
	}
	return int64((lo + 7) / 8), nil
}

// check verifies that the tensor's elements are as many as its type and shape say.
func (t *Tensor) check() error {
	w := Where{Tensor: t.Name}
	if !t.Type.known() {
		return malformed(w, "element type %d is not one of the format's", int32(t.Type))
	}
	if t.Type == String {
		n, err := t.Len()
		if err == nil && int64(len(t.Strs)) != n {
			err = malformed(w, "%d strings, but shape %v has %d elements", len(t.Strs), t.Shape, n)
		}
		return err
	}
	want, err := t.byteLen()
	if err == nil && int64(len(t.Data)) != want {
		err = malformed(w, "%d bytes of data, but shape %v of %v has %d", len(t.Data), t.Shape, t.Type, want)
	}
	return err
}
