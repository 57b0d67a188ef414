package onnx_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx"
)

func TestNewTensorAndViewShareMemory(t *testing.T) {
	data := []int64{1, 2, 3, 4, 5, 6}
	x := onnx.NewTensor("x", data, 2, 3)
	if x.Type != onnx.Int64 || len(x.Data) != 48 || !slices.Equal(x.Shape, []int64{2, 3}) {
		t.Fatalf("got %v %v with %d bytes", x.Type, x.Shape, len(x.Data))
	}
	view, err := onnx.View[int64](x)
	if err != nil {
		t.Fatal(err)
	}
	view[5] = -7
	if data[5] != -7 || x.Data[40] != 0xf9 {
		t.Error("the view is a copy")
	}
}

// A type of one's own has the element type of what it is made of.
type score float32

func TestViewKnowsTypes(t *testing.T) {
	checkView(t, onnx.NewTensor("x", []score{1.5}), onnx.Float32, []float32{1.5})
	checkView(t, onnx.NewTensor("x", []bool{true, false}, 2), onnx.Bool, []bool{true, false})
	checkView(t, onnx.NewTensor("x", []complex64{1 + 2i}, 1), onnx.Complex64, []complex64{1 + 2i})
	checkView(t, onnx.NewTensor("x", []uint8{}, 0, 4), onnx.Uint8, []uint8{})
	half := &onnx.Tensor{Type: onnx.Float16, Shape: []int64{2}, Data: []byte{0, 0x3c, 1, 0}}
	checkView(t, half, onnx.Float16, []uint16{0x3c00, 1})
	checkView(t, &onnx.Tensor{Type: onnx.Float8E5M2, Shape: []int64{1}, Data: []byte{9}}, onnx.Float8E5M2, []uint8{9})
	checkView(t, &onnx.Tensor{Type: onnx.Bool, Shape: []int64{3}, Data: []byte{0, 1, 7}}, onnx.Bool, []bool{false, true, true})

	for name, f := range map[string]func() error{
		"float32 as int32":   func() error { _, err := onnx.View[int32](onnx.NewTensor("w", []float32{1}, 1)); return err },
		"int8 as uint8":      func() error { _, err := onnx.View[uint8](onnx.NewTensor("w", []int8{1}, 1)); return err },
		"strings as numbers": func() error { _, err := onnx.View[uint8](&onnx.Tensor{Name: "w", Type: onnx.String}); return err },
		"packed int4":        func() error { _, err := onnx.View[uint8](&onnx.Tensor{Name: "w", Type: onnx.Int4}); return err },
	} {
		var unsupported *onnx.UnsupportedError
		if err := f(); !errors.As(err, &unsupported) || unsupported.Tensor != "w" {
			t.Errorf("%s: got %v, want an UnsupportedError about w", name, err)
		}
	}
}

func checkView[T interface {
	onnx.Number
	comparable
}](t *testing.T, x *onnx.Tensor, dtype onnx.DType, want []T) {
	t.Helper()
	if x.Type != dtype {
		t.Errorf("type %v, want %v", x.Type, dtype)
	}
	if got, err := onnx.View[T](x); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

// Elements in a file may begin at an odd address; they are then copied.
func TestViewOfUnalignedData(t *testing.T) {
	bytes := make([]byte, 17)
	bytes[1], bytes[8] = 5, 0x80
	for shift := range 2 {
		x := &onnx.Tensor{Type: onnx.Int64, Shape: []int64{2}, Data: bytes[shift : shift+16]}
		if shift == 1 {
			checkView(t, x, onnx.Int64, []int64{5 - math.MaxInt64 - 1, 0})
		} else {
			checkView(t, x, onnx.Int64, []int64{5 << 8, 0x80})
		}
	}
}

func TestLenAndSizesDoNotOverflow(t *testing.T) {
	for _, c := range []struct {
		shape []int64
		want  int64
		ok    bool
	}{
		{nil, 1, true}, {[]int64{0}, 0, true}, {[]int64{3, 4}, 12, true}, {[]int64{math.MaxInt64}, math.MaxInt64, true},
		{[]int64{1 << 40, 0, 1 << 40}, 0, false}, {[]int64{1 << 40, 1 << 40, 0}, 0, false},
		{[]int64{1 << 32, 1 << 31}, 0, false}, {[]int64{1 << 32, 1 << 32}, 0, false}, {[]int64{-1}, 0, false},
		{[]int64{-1, -1}, 0, false},
	} {
		x := &onnx.Tensor{Name: "w", Type: onnx.Float32, Shape: c.shape}
		n, err := x.Len()
		var malformed *onnx.MalformedError
		if (err == nil) != c.ok || n != c.want || err != nil && !errors.As(err, &malformed) {
			t.Errorf("%v: got %d, %v", c.shape, n, err)
		}
		if n > 0 {
			if _, err := onnx.View[float32](x); err == nil {
				t.Errorf("%v: no data was taken for enough", c.shape)
			}
		}
	}
}

func TestFloat32s(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		x    *onnx.Tensor
		want []float32
	}{
		{onnx.NewTensor("x", []float32{1, -2.5}, 2), []float32{1, -2.5}},
		{onnx.NewTensor("x", []float64{0.1, -1e300}, 2), []float32{0.1, -inf}},
		{onnx.NewTensor("x", []int8{-128, 127}, 2), []float32{-128, 127}},
		{onnx.NewTensor("x", []uint8{0, 255}, 2), []float32{0, 255}},
		{onnx.NewTensor("x", []int16{-32768}, 1), []float32{-32768}},
		{onnx.NewTensor("x", []uint16{65535}, 1), []float32{65535}},
		{onnx.NewTensor("x", []int32{-5}, 1), []float32{-5}},
		{onnx.NewTensor("x", []uint32{math.MaxUint32}, 1), []float32{1 << 32}},
		{onnx.NewTensor("x", []int64{-1 << 63}, 1), []float32{-1 << 63}},
		{onnx.NewTensor("x", []uint64{1 << 63}, 1), []float32{1 << 63}},
		{onnx.NewTensor("x", []bool{true, false}, 2), []float32{1, 0}},
		{bits16(onnx.BFloat16, 0x3f80, 0xc040, 0x7f80), []float32{1, -3, inf}},
		// IEEE 754: one, largest, smallest normal, largest and smallest subnormal, negative zero, infinities
		{bits16(onnx.Float16, 0x3c00, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8000, 0x7c00, 0xfc00), []float32{1, 65504,
			0x1p-14, 0x1p-14 - 0x1p-24, 0x1p-24, float32(math.Copysign(0, -1)), inf, -inf}},
	} {
		got, err := c.x.Float32s()
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%v: got %v, %v", c.x.Type, got, err)
			continue
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(c.want[i]) {
				t.Errorf("%v %d: got %g, want %g", c.x.Type, i, got[i], c.want[i])
			}
		}
	}
	if nan, err := bits16(onnx.Float16, 0x7e00).Float32s(); err != nil || nan[0] == nan[0] {
		t.Errorf("not a number became %v, %v", nan, err)
	}
	var unsupported *onnx.UnsupportedError
	if _, err := (&onnx.Tensor{Name: "w", Type: onnx.Complex64, Data: make([]byte, 8)}).Float32s(); !errors.As(err, &unsupported) {
		t.Errorf("complex numbers: got %v", err)
	}
}

// bits16 returns a tensor of 16-bit elements.
func bits16(dtype onnx.DType, v ...uint16) *onnx.Tensor {
	x := onnx.NewTensor("x", v, int64(len(v)))
	x.Type = dtype
	return x
}

func TestDTypes(t *testing.T) {
	for _, c := range []struct {
		d          onnx.DType
		name       string
		size, bits int
	}{
		{onnx.Float32, "float32", 4, 32}, {onnx.Int4, "int4", 0, 4}, {onnx.Uint2, "uint2", 0, 2}, {onnx.Bool, "bool", 1, 8},
		{onnx.String, "string", 0, 0}, {onnx.Complex128, "complex128", 16, 128}, {onnx.BFloat16, "bfloat16", 2, 16},
		{onnx.Undefined, "undefined", 0, 0}, {99, "type 99", 0, 0}, {-1, "type -1", 0, 0},
	} {
		if c.d.String() != c.name || c.d.Size() != c.size || c.d.Bits() != c.bits {
			t.Errorf("%d: %v, %d bytes, %d bits", int32(c.d), c.d, c.d.Size(), c.d.Bits())
		}
	}
}
