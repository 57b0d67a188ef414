package onnx

import (
	"encoding/binary"

	"github.com/onnx-graft/graft/onnx/internal/pb"
)

// An encoder writes a Model in the wire format: fields in the order of their numbers, unknown ones last.
type encoder struct {
	*pb.Encoder
	places map[*Tensor]place // the tensors whose data goes to another file; nil where none does
}

// A place is where in another file a tensor's data lies.
type place struct {
	file           string // relative to the model's folder
	offset, length int64
}

// encode returns the function that writes m.
func (m *Model) encode(places map[*Tensor]place) func(*pb.Encoder) {
	return func(w *pb.Encoder) {
		e := encoder{w, places}
		e.Int(pb.ModelIrVersion, m.IRVersion, m.form)
		e.String(pb.ModelProducerName, m.ProducerName, m.form)
		e.String(pb.ModelProducerVersion, m.ProducerVersion, m.form)
		e.String(pb.ModelDomain, m.Domain, m.form)
		e.Int(pb.ModelModelVersion, m.ModelVersion, m.form)
		e.String(pb.ModelDocString, m.Doc, m.form)
		e.graph(pb.ModelGraph, m.Graph)
		e.opsets(pb.ModelOpsetImport, m.Opsets)
		e.properties(pb.ModelMetadataProps, m.Metadata)
		e.Raw(m.training)
		each(e, pb.ModelFunctions, m.Functions, encoder.functionFields)
		e.Raw(m.devices)
		e.Raw(m.unknown)
	}
}

// each writes a repeated message field.
func each[T any](e encoder, f pb.MessageField, list []T, write func(encoder, T)) {
	for _, x := range list {
		e.Message(f, func(*pb.Encoder) { write(e, x) })
	}
}

func (e encoder) opsets(f pb.MessageField, list []Opset) {
	each(e, f, list, func(e encoder, o Opset) {
		e.String(pb.OperatorSetIdDomain, o.Domain, o.form)
		e.Int(pb.OperatorSetIdVersion, o.Version, o.form)
		e.Raw(o.unknown)
	})
}

func (e encoder) properties(f pb.MessageField, list []Property) {
	each(e, f, list, func(e encoder, p Property) {
		e.String(pb.StringStringEntryKey, p.Key, p.form)
		e.String(pb.StringStringEntryValue, p.Value, p.form)
		e.Raw(p.unknown)
	})
}

func (e encoder) graph(f pb.MessageField, g *Graph) {
	if g != nil {
		e.Message(f, func(*pb.Encoder) { e.graphFields(g) })
	}
}

func (e encoder) graphFields(g *Graph) {
	each(e, pb.GraphNode, g.Nodes, encoder.nodeFields)
	e.String(pb.GraphName, g.Name, g.form)
	each(e, pb.GraphInitializer, g.Initializers, encoder.tensorFields)
	e.String(pb.GraphDocString, g.Doc, g.form)
	each(e, pb.GraphInput, g.Inputs, encoder.valueFields)
	each(e, pb.GraphOutput, g.Outputs, encoder.valueFields)
	each(e, pb.GraphValueInfo, g.Values, encoder.valueFields)
	e.Raw(g.quantization)
	each(e, pb.GraphSparseInitializer, g.SparseInitializers, encoder.sparseFields)
	e.properties(pb.GraphMetadataProps, g.Metadata)
	e.Raw(g.unknown)
}

func (e encoder) nodeFields(n *Node) {
	e.Strings(pb.NodeInput, n.Inputs)
	e.Strings(pb.NodeOutput, n.Outputs)
	e.String(pb.NodeName, n.Name, n.form)
	e.String(pb.NodeOpType, n.OpType, n.form)
	each(e, pb.NodeAttribute, n.Attributes, encoder.attributeFields)
	e.String(pb.NodeDocString, n.Doc, n.form)
	e.String(pb.NodeDomain, n.Domain, n.form)
	e.String(pb.NodeOverload, n.Overload, n.form)
	e.properties(pb.NodeMetadataProps, n.Metadata)
	e.Raw(n.devices)
	e.Raw(n.unknown)
}

func (e encoder) functionFields(f *Function) {
	e.String(pb.FunctionName, f.Name, f.form)
	e.Strings(pb.FunctionInput, f.Inputs)
	e.Strings(pb.FunctionOutput, f.Outputs)
	e.Strings(pb.FunctionAttribute, f.Attributes)
	each(e, pb.FunctionNode, f.Nodes, encoder.nodeFields)
	e.String(pb.FunctionDocString, f.Doc, f.form)
	e.opsets(pb.FunctionOpsetImport, f.Opsets)
	e.String(pb.FunctionDomain, f.Domain, f.form)
	each(e, pb.FunctionAttributeProto, f.Defaults, encoder.attributeFields)
	each(e, pb.FunctionValueInfo, f.Values, encoder.valueFields)
	e.String(pb.FunctionOverload, f.Overload, f.form)
	e.properties(pb.FunctionMetadataProps, f.Metadata)
	e.Raw(f.unknown)
}

// attributeFields writes the field that the attribute's type names even where it is zero, as readers expect.
func (e encoder) attributeFields(a *Attribute) {
	form := a.form
	switch a.Type {
	case AttrFloat:
		form |= 1 << pb.AttributeF
	case AttrInt:
		form |= 1 << pb.AttributeI
	}
	if a.RefName != "" {
		form = a.form
	}
	e.String(pb.AttributeName, a.Name, form)
	e.Float(pb.AttributeF, a.Float, form)
	e.Int(pb.AttributeI, a.Int, form)
	if a.Str == nil && a.Type == AttrString && a.RefName == "" {
		e.Bytes(pb.AttributeS, []byte{})
	}
	e.Bytes(pb.AttributeS, a.Str)
	e.tensor(pb.AttributeT, a.Tensor)
	e.graph(pb.AttributeG, a.Graph)
	e.Floats(pb.AttributeFloats, a.Floats, form)
	e.Ints(pb.AttributeInts, a.Ints, form)
	e.Bytess(pb.AttributeStrings, a.Strs)
	each(e, pb.AttributeTensors, a.Tensors, encoder.tensorFields)
	each(e, pb.AttributeGraphs, a.Graphs, encoder.graphFields)
	e.String(pb.AttributeDocString, a.Doc, form)
	e.Raw(a.other)
	e.Int(pb.AttributeType, int64(a.Type), form)
	e.String(pb.AttributeRefAttrName, a.RefName, form)
	e.sparse(pb.AttributeSparseTensor, a.Sparse)
	each(e, pb.AttributeSparseTensors, a.Sparses, encoder.sparseFields)
	e.Raw(a.unknown)
}

func (e encoder) valueFields(v *Value) {
	e.String(pb.ValueInfoName, v.Name, v.form)
	switch {
	case v.Type != Undefined || v.Shape != nil || v.inner != nil:
		e.Message(pb.ValueInfoType, func(*pb.Encoder) { e.typeFields(v) })
	case v.other != nil:
		e.Encoded(pb.ValueInfoType, v.other)
	}
	e.String(pb.ValueInfoDocString, v.Doc, v.form)
	e.properties(pb.ValueInfoMetadataProps, v.Metadata)
	e.Raw(v.unknown)
}

// typeFields writes the TypeProto of a tensor.
func (e encoder) typeFields(v *Value) {
	var inner innerKept
	if v.inner != nil {
		inner = *v.inner
	}
	e.Message(pb.TypeTensorType, func(*pb.Encoder) {
		e.Int(pb.TypeTensorElemType, int64(v.Type), inner.tensor.form)
		if v.Shape != nil {
			e.Message(pb.TypeTensorShape, func(*pb.Encoder) {
				each(e, pb.TensorShapeDim, v.Shape, encoder.dimFields)
				e.Raw(inner.shape.unknown)
			})
		}
		e.Raw(inner.tensor.unknown)
	})
	e.String(pb.TypeDenotation, v.denotation, inner.typ.form)
	e.Raw(inner.typ.unknown)
}

func (e encoder) dimFields(d Dim) {
	form := d.form &^ (1 << pb.TensorShapeDimensionDimValue)
	if d.Known {
		form |= 1 << pb.TensorShapeDimensionDimValue
		e.Int(pb.TensorShapeDimensionDimValue, d.Size, form)
	}
	e.String(pb.TensorShapeDimensionDimParam, d.Param, form)
	e.String(pb.TensorShapeDimensionDenotation, d.denotation, form)
	e.Raw(d.unknown)
}

func (e encoder) sparse(f pb.MessageField, t *SparseTensor) {
	if t != nil {
		e.Message(f, func(*pb.Encoder) { e.sparseFields(t) })
	}
}

func (e encoder) sparseFields(t *SparseTensor) {
	e.tensor(pb.SparseTensorValues, t.Values)
	e.tensor(pb.SparseTensorIndices, t.Indices)
	e.Ints(pb.SparseTensorDims, t.Dims, t.form)
	e.Raw(t.unknown)
}

func (e encoder) tensor(f pb.MessageField, t *Tensor) {
	if t != nil {
		e.Message(f, func(*pb.Encoder) { e.tensorFields(t) })
	}
}

func (e encoder) tensorFields(t *Tensor) {
	e.Ints(pb.TensorDims, t.Shape, t.form)
	e.Int(pb.TensorDataType, int64(t.Type), t.form)
	at, outside := e.places[t]
	field, width := t.Type.typed()
	typed := t.typed && !outside && len(t.Data)%max(width, 1) == 0
	number := func(i int) uint64 { return t.number(i, width) }
	switch {
	case outside:
	case field == stringData:
		e.Bytess(pb.TensorStringData, t.Strs)
	case !typed:
	case field == floatData:
		e.Fixed32(pb.TensorFloatData, t.Data, t.form)
	case field == int32Data:
		e.Packed(pb.TensorInt32Data, len(t.Data)/width, number, t.form)
	case field == int64Data:
		e.Packed(pb.TensorInt64Data, len(t.Data)/width, number, t.form)
	}
	e.String(pb.TensorName, t.Name, t.form)
	if !outside && (!typed || field == noField) {
		e.Bytes(pb.TensorRawData, t.Data)
	}
	switch {
	case !typed:
	case field == doubleData:
		e.Fixed64(pb.TensorDoubleData, t.Data, t.form)
	case field == uint64Data:
		e.Packed(pb.TensorUint64Data, len(t.Data)/width, number, t.form)
	}
	e.String(pb.TensorDocString, t.Doc, t.form)
	if outside {
		e.properties(pb.TensorExternalData, at.properties())
		e.Int(pb.TensorDataLocation, pb.TensorDataLocationExternal, 0)
	} else {
		e.Int(pb.TensorDataLocation, pb.TensorDataLocationDefault, t.form)
	}
	e.properties(pb.TensorMetadataProps, t.Metadata)
	e.Raw(t.unknown)
}

// number returns element i of a tensor whose elements are integers of width bytes, sign-extended where they have a sign.
func (t *Tensor) number(i, width int) uint64 {
	var b [8]byte
	copy(b[:], t.Data[i*width:(i+1)*width])
	v := binary.LittleEndian.Uint64(b[:])
	if unused := 64 - 8*width; dtypes[t.Type].signed {
		v = uint64(int64(v<<unused) >> unused)
	}
	return v
}
