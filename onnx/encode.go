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
		e.Int(pb.ModelIrVersion, m.IRVersion, m.kept.forms())
		e.String(pb.ModelProducerName, m.ProducerName, m.kept.forms())
		e.String(pb.ModelProducerVersion, m.ProducerVersion, m.kept.forms())
		e.String(pb.ModelDomain, m.Domain, m.kept.forms())
		e.Int(pb.ModelModelVersion, m.ModelVersion, m.kept.forms())
		e.String(pb.ModelDocString, m.Doc, m.kept.forms())
		e.graph(pb.ModelGraph, m.Graph)
		e.opsets(pb.ModelOpsetImport, m.Opsets)
		e.properties(pb.ModelMetadataProps, m.Metadata)
		e.Raw(m.training)
		each(e, pb.ModelFunctions, m.Functions, encoder.functionFields)
		e.Raw(m.devices)
		e.Raw(m.kept.rest())
	}
}

// forms returns the unusual forms, none for nil.
func (k *kept) forms() pb.Form {
	if k == nil {
		return 0
	}
	return k.form
}

// rest returns the unknown fields, none for nil.
func (k *kept) rest() []byte {
	if k == nil {
		return nil
	}
	return k.unknown
}

// others returns the known fields that are not modelled, none for nil.
func (k *kept) others() []byte {
	if k == nil {
		return nil
	}
	return k.other
}

// each writes a repeated message field.
func each[T any](e encoder, f pb.MessageField, list []T, write func(encoder, T)) {
	for _, x := range list {
		e.Message(f, func(*pb.Encoder) { write(e, x) })
	}
}

func (e encoder) opsets(f pb.MessageField, list []Opset) {
	each(e, f, list, func(e encoder, o Opset) {
		e.String(pb.OperatorSetIdDomain, o.Domain, o.kept.forms())
		e.Int(pb.OperatorSetIdVersion, o.Version, o.kept.forms())
		e.Raw(o.kept.rest())
	})
}

func (e encoder) properties(f pb.MessageField, list []Property) {
	each(e, f, list, func(e encoder, p Property) {
		e.String(pb.StringStringEntryKey, p.Key, p.kept.forms())
		e.String(pb.StringStringEntryValue, p.Value, p.kept.forms())
		e.Raw(p.kept.rest())
	})
}

func (e encoder) graph(f pb.MessageField, g *Graph) {
	if g != nil {
		e.Message(f, func(*pb.Encoder) { e.graphFields(g) })
	}
}

func (e encoder) graphFields(g *Graph) {
	each(e, pb.GraphNode, g.Nodes, encoder.nodeFields)
	e.String(pb.GraphName, g.Name, g.kept.forms())
	each(e, pb.GraphInitializer, g.Initializers, encoder.tensorFields)
	e.String(pb.GraphDocString, g.Doc, g.kept.forms())
	each(e, pb.GraphInput, g.Inputs, encoder.valueFields)
	each(e, pb.GraphOutput, g.Outputs, encoder.valueFields)
	each(e, pb.GraphValueInfo, g.Values, encoder.valueFields)
	each(e, pb.GraphQuantizationAnnotation, g.Annotations, encoder.annotationFields)
	each(e, pb.GraphSparseInitializer, g.SparseInitializers, encoder.sparseFields)
	e.properties(pb.GraphMetadataProps, g.Metadata)
	e.Raw(g.kept.rest())
}

func (e encoder) annotationFields(a Annotation) {
	e.String(pb.TensorAnnotationTensorName, a.Tensor, a.kept.forms())
	e.properties(pb.TensorAnnotationQuantParameterTensorNames, a.Parameters)
	e.Raw(a.kept.rest())
}

func (e encoder) nodeFields(n *Node) {
	e.Strings(pb.NodeInput, n.Inputs)
	e.Strings(pb.NodeOutput, n.Outputs)
	e.String(pb.NodeName, n.Name, n.kept.forms())
	e.String(pb.NodeOpType, n.OpType, n.kept.forms())
	each(e, pb.NodeAttribute, n.Attributes, encoder.attributeFields)
	e.String(pb.NodeDocString, n.Doc, n.kept.forms())
	e.String(pb.NodeDomain, n.Domain, n.kept.forms())
	e.String(pb.NodeOverload, n.Overload, n.kept.forms())
	e.properties(pb.NodeMetadataProps, n.Metadata)
	e.Raw(n.kept.others())
	e.Raw(n.kept.rest())
}

func (e encoder) functionFields(f *Function) {
	e.String(pb.FunctionName, f.Name, f.kept.forms())
	e.Strings(pb.FunctionInput, f.Inputs)
	e.Strings(pb.FunctionOutput, f.Outputs)
	e.Strings(pb.FunctionAttribute, f.Attributes)
	each(e, pb.FunctionNode, f.Nodes, encoder.nodeFields)
	e.String(pb.FunctionDocString, f.Doc, f.kept.forms())
	e.opsets(pb.FunctionOpsetImport, f.Opsets)
	e.String(pb.FunctionDomain, f.Domain, f.kept.forms())
	each(e, pb.FunctionAttributeProto, f.Defaults, encoder.attributeFields)
	each(e, pb.FunctionValueInfo, f.Values, encoder.valueFields)
	e.String(pb.FunctionOverload, f.Overload, f.kept.forms())
	e.properties(pb.FunctionMetadataProps, f.Metadata)
	e.Raw(f.kept.rest())
}

// usualForm marks the field that an attribute's type names: it is written even where it is zero, as readers expect. Its
// bit in a Form therefore means that it was not.
func usualForm(a *Attribute) pb.Form {
	switch {
	case a.RefName != "":
		return 0
	case a.Type == AttrFloat:
		return 1 << pb.AttributeF
	case a.Type == AttrInt:
		return 1 << pb.AttributeI
	case a.Type == AttrString:
		return 1 << pb.AttributeS
	}
	return 0
}

func (e encoder) attributeFields(a *Attribute) {
	form := a.kept.forms() ^ usualForm(a)
	e.String(pb.AttributeName, a.Name, form)
	e.Float(pb.AttributeF, a.Float, form)
	e.Int(pb.AttributeI, a.Int, form)
	e.Bytes(pb.AttributeS, a.Str, form)
	e.tensor(pb.AttributeT, a.Tensor)
	e.graph(pb.AttributeG, a.Graph)
	e.Floats(pb.AttributeFloats, a.Floats, form)
	e.Ints(pb.AttributeInts, a.Ints, form)
	e.Bytess(pb.AttributeStrings, a.Strs)
	each(e, pb.AttributeTensors, a.Tensors, encoder.tensorFields)
	each(e, pb.AttributeGraphs, a.Graphs, encoder.graphFields)
	e.String(pb.AttributeDocString, a.Doc, form)
	e.Raw(a.kept.others())
	e.Int(pb.AttributeType, int64(a.Type), form)
	e.String(pb.AttributeRefAttrName, a.RefName, form)
	e.sparse(pb.AttributeSparseTensor, a.Sparse)
	each(e, pb.AttributeSparseTensors, a.Sparses, encoder.sparseFields)
	e.Raw(a.kept.rest())
}

func (e encoder) valueFields(v *Value) {
	e.String(pb.ValueInfoName, v.Name, v.kept.forms())
	switch {
	case v.Type != Undefined || v.Shape != nil || v.typ != nil && v.typ.other == nil:
		e.Message(pb.ValueInfoType, func(*pb.Encoder) { e.typeFields(v) })
	case v.typ != nil:
		e.Encoded(pb.ValueInfoType, v.typ.other)
	}
	e.String(pb.ValueInfoDocString, v.Doc, v.kept.forms())
	e.properties(pb.ValueInfoMetadataProps, v.Metadata)
	e.Raw(v.kept.rest())
}

// typeFields writes the TypeProto of a tensor.
func (e encoder) typeFields(v *Value) {
	var keep keptType
	if v.typ != nil && v.typ.other == nil {
		keep = *v.typ
	}
	e.Message(pb.TypeTensorType, func(*pb.Encoder) {
		e.Int(pb.TypeTensorElemType, int64(v.Type), keep.tensor.forms())
		if v.Shape != nil {
			e.Message(pb.TypeTensorShape, func(*pb.Encoder) {
				each(e, pb.TensorShapeDim, v.Shape, encoder.dimFields)
				e.Raw(keep.shape.rest())
			})
		}
		e.Raw(keep.tensor.rest())
	})
	e.String(pb.TypeDenotation, keep.denotation, keep.typ.forms())
	e.Raw(keep.typ.rest())
}

func (e encoder) dimFields(d Dim) {
	if d.Known {
		e.Int(pb.TensorShapeDimensionDimValue, d.Size, 1<<pb.TensorShapeDimensionDimValue)
	}
	e.String(pb.TensorShapeDimensionDimParam, d.Param, d.kept.forms())
	if d.kept != nil {
		e.String(pb.TensorShapeDimensionDenotation, d.kept.denotation, d.kept.form)
	}
	e.Raw(d.kept.rest())
}

func (e encoder) sparse(f pb.MessageField, t *SparseTensor) {
	if t != nil {
		e.Message(f, func(*pb.Encoder) { e.sparseFields(t) })
	}
}

func (e encoder) sparseFields(t *SparseTensor) {
	e.tensor(pb.SparseTensorValues, t.Values)
	e.tensor(pb.SparseTensorIndices, t.Indices)
	e.Ints(pb.SparseTensorDims, t.Dims, t.kept.forms())
	e.Raw(t.kept.rest())
}

func (e encoder) tensor(f pb.MessageField, t *Tensor) {
	if t != nil {
		e.Message(f, func(*pb.Encoder) { e.tensorFields(t) })
	}
}

func (e encoder) tensorFields(t *Tensor) {
	e.Ints(pb.TensorDims, t.Shape, t.kept.forms())
	e.Int(pb.TensorDataType, int64(t.Type), t.kept.forms())
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
		e.Fixed32(pb.TensorFloatData, t.Data, t.kept.forms())
	case field == int32Data:
		e.Packed(pb.TensorInt32Data, len(t.Data)/width, number, t.kept.forms())
	case field == int64Data:
		e.Packed(pb.TensorInt64Data, len(t.Data)/width, number, t.kept.forms())
	}
	e.String(pb.TensorName, t.Name, t.kept.forms())
	if !outside && (!typed || field == noField) {
		e.Bytes(pb.TensorRawData, t.Data, 0)
	}
	switch {
	case !typed:
	case field == doubleData:
		e.Fixed64(pb.TensorDoubleData, t.Data, t.kept.forms())
	case field == uint64Data:
		e.Packed(pb.TensorUint64Data, len(t.Data)/width, number, t.kept.forms())
	}
	e.String(pb.TensorDocString, t.Doc, t.kept.forms())
	if outside {
		e.properties(pb.TensorExternalData, at.properties())
		e.Int(pb.TensorDataLocation, pb.TensorDataLocationExternal, 0)
	} else {
		e.Int(pb.TensorDataLocation, pb.TensorDataLocationDefault, t.kept.forms())
	}
	e.properties(pb.TensorMetadataProps, t.Metadata)
	e.Raw(t.kept.others())
	e.Raw(t.kept.rest())
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
