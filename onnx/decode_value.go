package onnx

import (
	"encoding/binary"
	"fmt"
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

func (d *decoder) readValue(p *pb.ValueInfoProto, v *Value) (err error) {
	v.kept = d.keep(p.Base, nil)
	d.strings(into{&v.Name, p.Name}, into{&v.Doc, p.DocString})
	if v.Metadata, err = d.properties(p.MetadataProps); err != nil || p.Type == nil {
		return err
	}
	outer := d.spot
	d.spot.tensor = v.Name
	if err := d.readType(p.Type, v); err != nil {
		return d.fail("type", err)
	}
	d.spot = outer
	return nil
}

// readType reads what is known of a value. Types other than tensors are kept as they are.
func (d *decoder) readType(in pb.Message[pb.TypeProto], v *Value) (err error) {
	typ, tensor, shape := &d.typ, &d.tensorType, &d.shape
	if err := pb.Decode(in, typ); err != nil {
		return err
	}
	keep := keptType{typ: d.keep(typ.Base, nil)}
	if typ.TensorType == nil {
		v.typ = &keptType{other: in}
		return d.charge(1, unsafe.Sizeof(keep))
	}
	d.strings(into{&keep.denotation, typ.Denotation})
	if err := pb.Decode(typ.TensorType, tensor); err != nil {
		return err
	}
	v.Type = DType(tensor.ElemType)
	keep.tensor = d.keep(tensor.Base, nil)
	if tensor.Shape != nil {
		if err := pb.Decode(tensor.Shape, shape); err != nil {
			return err
		}
		keep.shape = d.keep(shape.Base, nil)
		if v.Shape, err = values(d, "dimension", shape.Dim, &d.dim, (*decoder).readDim); err != nil {
			return err
		}
		if v.Shape == nil {
			v.Shape = Shape{}
		}
	}
	something := keep.denotation != "" || keep.typ != nil || keep.tensor != nil || keep.shape != nil
	if something || v.Type == Undefined && v.Shape == nil {
		v.typ = &keep
		return d.charge(1, unsafe.Sizeof(keep))
	}
	return nil
}

func (d *decoder) readDim(p *pb.TensorShapeProtoDimension, dim *Dim) error {
	const value = 1 << pb.TensorShapeDimensionDimValue
	*dim = Dim{Size: p.DimValue, Known: p.DimValue != 0 || p.Form&value != 0}
	p.Form &^= value
	dim.kept = d.keep(p.Base, nil)
	d.strings(into{&dim.Param, p.DimParam})
	if len(p.Denotation) > 0 {
		if dim.kept == nil {
			dim.kept = &kept{}
		}
		d.strings(into{&dim.kept.denotation, p.Denotation})
		return d.charge(1, unsafe.Sizeof(kept{}))
	}
	return nil
}

func (d *decoder) readSparse(p *pb.SparseTensorProto, t *SparseTensor) (err error) {
	t.kept = d.keep(p.Base, nil)
	if err = d.charge(p.Dims.Len(), 8); err != nil {
		return err
	}
	t.Dims = ints(p.Dims)
	if t.Values, err = one(d, "values", p.Values, &d.tensor, (*decoder).readTensor); err != nil {
		return err
	}
	t.Indices, err = one(d, "indices", p.Indices, &d.tensor, (*decoder).readTensor)
	return err
}

func (d *decoder) readTensor(p *pb.TensorProto, t *Tensor) (err error) {
	t.Type = DType(p.DataType)
	d.strings(into{&t.Name, p.Name}, into{&t.Doc, p.DocString})
	if err = d.charge(p.Dims.Len(), 8); err != nil {
		return err
	}
	t.Shape = ints(p.Dims)
	if t.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	w := d.spot.of(t.Name)
	if p.DataLocation == pb.TensorDataLocationExternal {
		return d.externalTensor(p, t, w)
	}
	p.Form &^= 1 << pb.TensorRawData
	t.kept = d.keep(p.Base, stray(p, t.Type))
	t.Data = p.RawData
	if err := d.elements(p, t); err != nil {
		return &MalformedError{Where: w.at(), Problem: "elements", Err: err}
	}
	if t.typed && p.RawData != nil {
		return malformed(w.at(), "the elements are given twice, as raw_data and as numbers")
	}
	return nil
}

// stray returns the fields of a tensor that mean nothing, as they came: elements in a field of another type, and a place
// in another file where data_location does not point to one.
func stray(p *pb.TensorProto, t DType) (raw []byte) {
	field, _ := t.typed()
	for _, in := range [...]struct {
		field typedField
		in    interface {
			Present() bool
			Raw() []byte
		}
	}{
		{floatData, &p.FloatData}, {int32Data, &p.Int32Data}, {stringData, &p.StringData},
		{int64Data, &p.Int64Data}, {doubleData, &p.DoubleData}, {uint64Data, &p.Uint64Data},
		{-1, &p.ExternalData},
	} {
		if in.field != field && in.in.Present() {
			raw = append(raw, in.in.Raw()...)
		}
	}
	return raw
}

// elements reads the tensor's elements from the field that belongs to its type, where the file used that.
func (d *decoder) elements(p *pb.TensorProto, t *Tensor) (err error) {
	field, width := t.Type.typed()
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
