package onnx

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/onnx-graft/graft/onnx/internal/pb"
)

// rawMessage returns a message field as the file would hold it; nil where the message is absent.
func rawMessage(f pb.MessageField, content []byte) []byte {
	if content == nil {
		return nil
	}
	return pb.AppendMessage(nil, f, content)
}

func (d *decoder) value(p *pb.ValueInfoProto, v *Value) (err error) {
	v.kept = keep(p.Base)
	d.strings(into{&v.Name, p.Name}, into{&v.Doc, p.DocString})
	if v.Metadata, err = d.properties(p.MetadataProps); err != nil || p.Type == nil {
		return err
	}
	typ, err := pb.Decode(p.Type)
	if err != nil {
		return d.fail("type of "+v.Name, err)
	}
	if typ.TensorType == nil {
		v.other = p.Type
		return nil
	}
	d.strings(into{&v.denotation, typ.Denotation})
	tensor, err := pb.Decode(typ.TensorType)
	if err != nil {
		return d.fail("type of "+v.Name, err)
	}
	v.Type = DType(tensor.ElemType)
	inner := innerKept{typ: keep(typ.Base), tensor: keep(tensor.Base), typed: true}
	if tensor.Shape != nil {
		shape, err := pb.Decode(tensor.Shape)
		if err != nil {
			return d.fail("shape of "+v.Name, err)
		}
		inner.shape = keep(shape.Base)
		if v.Shape, err = values(d, "dimension", shape.Dim, (*decoder).dim); err != nil {
			return err
		}
		if v.Shape == nil {
			v.Shape = Shape{}
		}
	}
	if !inner.typ.empty() || !inner.tensor.empty() || !inner.shape.empty() || v.Type == Undefined && v.Shape == nil {
		v.inner = &inner
	}
	return d.charge(1, unsafe.Sizeof(inner))
}

// empty reports whether there is nothing to keep.
func (k kept) empty() bool { return len(k.unknown) == 0 && k.form == 0 }

func (d *decoder) dim(p *pb.TensorShapeProtoDimension, dim *Dim) error {
	*dim = Dim{Size: p.DimValue, kept: keep(p.Base)}
	dim.Known = p.DimValue != 0 || p.Form.Has(int32(pb.TensorShapeDimensionDimValue))
	d.strings(into{&dim.Param, p.DimParam}, into{&dim.denotation, p.Denotation})
	return nil
}

func (d *decoder) sparse(p *pb.SparseTensorProto, t *SparseTensor) (err error) {
	t.kept = keep(p.Base)
	if err = d.charge(p.Dims.Len(), 8); err != nil {
		return err
	}
	t.Dims = ints(p.Dims)
	if t.Values, err = one(d, "values", p.Values, (*decoder).tensor); err != nil {
		return err
	}
	t.Indices, err = one(d, "indices", p.Indices, (*decoder).tensor)
	return err
}

func (d *decoder) tensor(p *pb.TensorProto, t *Tensor) (err error) {
	t.Type, t.kept = DType(p.DataType), keep(p.Base)
	d.strings(into{&t.Name, p.Name}, into{&t.Doc, p.DocString})
	if err = d.charge(p.Dims.Len(), 8); err != nil {
		return err
	}
	t.Shape = ints(p.Dims)
	if t.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	w := d.where
	w.Tensor = t.Name
	if p.DataLocation == pb.TensorDataLocationExternal {
		return d.externalTensor(p, t, w)
	}
	if p.ExternalData.Len() > 0 { // a place without effect: data_location does not point to it
		t.unknown = append(slices.Clip(t.unknown), p.ExternalData.Raw()...)
	}
	t.Data = p.RawData
	if err := d.elements(p, t); err != nil {
		return &MalformedError{Where: w, Problem: "elements", Err: err}
	}
	if t.typed && p.RawData != nil {
		return malformed(w, "the elements are given twice, as raw_data and as numbers")
	}
	return nil
}

// elements reads the tensor's elements from the field that belongs to its type, where the file used that. The fields of
// other types are kept as they came; they mean nothing.
func (d *decoder) elements(p *pb.TensorProto, t *Tensor) (err error) {
	field, width := t.Type.typed()
	for _, other := range [...]struct {
		field typedField
		in    interface {
			Present() bool
			Raw() []byte
		}
	}{
		{floatData, &p.FloatData}, {int32Data, &p.Int32Data}, {stringData, &p.StringData},
		{int64Data, &p.Int64Data}, {doubleData, &p.DoubleData}, {uint64Data, &p.Uint64Data},
	} {
		if other.field != field && other.in.Present() {
			t.unknown = append(slices.Clip(t.unknown), other.in.Raw()...)
		}
	}
	switch field {
	case floatData:
		t.fixed(p.FloatData)
	case doubleData:
		t.fixed(p.DoubleData)
	case int32Data:
		err = d.varints(t, p.Int32Data, width)
	case int64Data:
		err = d.varints(t, p.Int64Data, width)
	case uint64Data:
		err = d.varints(t, p.Uint64Data, width)
	case stringData:
		if err = d.charge(p.StringData.Len(), unsafe.Sizeof(t.Data)); err == nil && p.StringData.Len() > 0 {
			t.Strs = make([][]byte, p.StringData.Len())
			p.StringData.Each(func(i int, b []byte) { t.Strs[i] = b })
		}
	}
	return err
}

// fixed takes elements that the wire format lays out as Data does.
func (t *Tensor) fixed(in pb.Fixed) {
	if in.Size() > 0 {
		t.Data, t.typed = in.Bytes(), true
	}
}

// varints unpacks elements of width bytes.
func (d *decoder) varints(t *Tensor, in pb.Varints, width int) error {
	if in.Len() == 0 {
		return nil
	}
	if err := d.charge(in.Len(), uintptr(width)); err != nil {
		return err
	}
	var tooLarge error
	t.Data, t.typed = make([]byte, 0, in.Len()*width), true
	in.Each(func(i int, v uint64) {
		if s := int64(v); width < 8 && tooLarge == nil && (s < -1<<(8*width-1) || s >= 1<<(8*width)) {
			tooLarge = fmt.Errorf("number %d is %d, which is no %v", i, s, t.Type)
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		t.Data = append(t.Data, b[:width]...)
	})
	return tooLarge
}
