// Code generated from onnx.proto by gen. DO NOT EDIT.

package pb

// ModelProto: A model: one file.
type ModelProto struct {
	Base
	IrVersion       int64
	ProducerName    []byte
	ProducerVersion []byte
	Domain          []byte
	ModelVersion    int64
	DocString       []byte
	Graph           Message[GraphProto]
	OpsetImport     Messages[OperatorSetIdProto]
	MetadataProps   Messages[StringStringEntryProto]
	TrainingInfo    Messages[TrainingInfoProto]
	Functions       Messages[FunctionProto]
	Configuration   Messages[DeviceConfigurationProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *ModelProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "ModelProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.IrVersion)
		case 2:
			r.bytes(&m.ProducerName)
		case 3:
			r.bytes(&m.ProducerVersion)
		case 4:
			r.bytes(&m.Domain)
		case 5:
			r.varint(&m.ModelVersion)
		case 6:
			r.bytes(&m.DocString)
		case 7:
			sub(&r, &m.Graph)
		case 8:
			r.list(&m.OpsetImport.span)
		case 14:
			r.list(&m.MetadataProps.span)
		case 20:
			r.list(&m.TrainingInfo.span)
		case 25:
			r.list(&m.Functions.span)
		case 26:
			r.list(&m.Configuration.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of ModelProto.
const (
	ModelIrVersion       IntField     = 1
	ModelProducerName    StringField  = 2
	ModelProducerVersion StringField  = 3
	ModelDomain          StringField  = 4
	ModelModelVersion    IntField     = 5
	ModelDocString       StringField  = 6
	ModelGraph           MessageField = 7
	ModelOpsetImport     MessageField = 8
	ModelMetadataProps   MessageField = 14
	ModelTrainingInfo    MessageField = 20
	ModelFunctions       MessageField = 25
	ModelConfiguration   MessageField = 26
)

// OperatorSetIdProto: One operator set a model or function relies on; the empty domain is ai.onnx.
type OperatorSetIdProto struct {
	Base
	Domain  []byte
	Version int64
}

// Unmarshal reads the message b; the views alias it.
func (m *OperatorSetIdProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "OperatorSetIdProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Domain)
		case 2:
			r.varint(&m.Version)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of OperatorSetIdProto.
const (
	OperatorSetIdDomain  StringField = 1
	OperatorSetIdVersion IntField    = 2
)

// StringStringEntryProto: A key and its value, used for metadata and for the place of external data.
type StringStringEntryProto struct {
	Base
	Key   []byte
	Value []byte
}

// Unmarshal reads the message b; the views alias it.
func (m *StringStringEntryProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "StringStringEntryProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Key)
		case 2:
			r.bytes(&m.Value)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of StringStringEntryProto.
const (
	StringStringEntryKey   StringField = 1
	StringStringEntryValue StringField = 2
)

// TrainingInfoProto: A training step beside the inference graph: graphs, and which initializer each of their outputs replaces.
type TrainingInfoProto struct {
	Base
	Initialization        Message[GraphProto]
	Algorithm             Message[GraphProto]
	InitializationBinding Messages[StringStringEntryProto]
	UpdateBinding         Messages[StringStringEntryProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TrainingInfoProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TrainingInfoProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			sub(&r, &m.Initialization)
		case 2:
			sub(&r, &m.Algorithm)
		case 3:
			r.list(&m.InitializationBinding.span)
		case 4:
			r.list(&m.UpdateBinding.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TrainingInfoProto.
const (
	TrainingInfoInitialization        MessageField = 1
	TrainingInfoAlgorithm             MessageField = 2
	TrainingInfoInitializationBinding MessageField = 3
	TrainingInfoUpdateBinding         MessageField = 4
)

// DeviceConfigurationProto: A named set of devices that nodes may refer to.
type DeviceConfigurationProto struct {
	Base
	Name       []byte
	NumDevices int64
	Device     Blobs
}

// Unmarshal reads the message b; the views alias it.
func (m *DeviceConfigurationProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "DeviceConfigurationProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Name)
		case 2:
			r.varint(&m.NumDevices)
		case 3:
			r.list(&m.Device.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of DeviceConfigurationProto.
const (
	DeviceConfigurationName       StringField  = 1
	DeviceConfigurationNumDevices IntField     = 2
	DeviceConfigurationDevice     StringsField = 3
)

// GraphProto: Nodes in topological order, and the constants they read.
type GraphProto struct {
	Base
	Node                   Messages[NodeProto]
	Name                   []byte
	Initializer            Messages[TensorProto]
	DocString              []byte
	Input                  Messages[ValueInfoProto]
	Output                 Messages[ValueInfoProto]
	ValueInfo              Messages[ValueInfoProto]
	QuantizationAnnotation Messages[TensorAnnotation]
	SparseInitializer      Messages[SparseTensorProto]
	MetadataProps          Messages[StringStringEntryProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *GraphProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "GraphProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.list(&m.Node.span)
		case 2:
			r.bytes(&m.Name)
		case 5:
			r.list(&m.Initializer.span)
		case 10:
			r.bytes(&m.DocString)
		case 11:
			r.list(&m.Input.span)
		case 12:
			r.list(&m.Output.span)
		case 13:
			r.list(&m.ValueInfo.span)
		case 14:
			r.list(&m.QuantizationAnnotation.span)
		case 15:
			r.list(&m.SparseInitializer.span)
		case 16:
			r.list(&m.MetadataProps.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of GraphProto.
const (
	GraphNode                   MessageField = 1
	GraphName                   StringField  = 2
	GraphInitializer            MessageField = 5
	GraphDocString              StringField  = 10
	GraphInput                  MessageField = 11
	GraphOutput                 MessageField = 12
	GraphValueInfo              MessageField = 13
	GraphQuantizationAnnotation MessageField = 14
	GraphSparseInitializer      MessageField = 15
	GraphMetadataProps          MessageField = 16
)

// TensorAnnotation: Names the tensors that hold another tensor's scale and zero point.
type TensorAnnotation struct {
	Base
	TensorName                []byte
	QuantParameterTensorNames Messages[StringStringEntryProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TensorAnnotation) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TensorAnnotation", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.TensorName)
		case 2:
			r.list(&m.QuantParameterTensorNames.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TensorAnnotation.
const (
	TensorAnnotationTensorName                StringField  = 1
	TensorAnnotationQuantParameterTensorNames MessageField = 2
)

// NodeProto: One call of an operator. An empty name among its inputs or outputs stands for an argument left out.
type NodeProto struct {
	Base
	Input                Blobs
	Output               Blobs
	Name                 []byte
	OpType               []byte
	Attribute            Messages[AttributeProto]
	DocString            []byte
	Domain               []byte
	Overload             []byte
	MetadataProps        Messages[StringStringEntryProto]
	DeviceConfigurations Messages[NodeDeviceConfigurationProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *NodeProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "NodeProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.list(&m.Input.span)
		case 2:
			r.list(&m.Output.span)
		case 3:
			r.bytes(&m.Name)
		case 4:
			r.bytes(&m.OpType)
		case 5:
			r.list(&m.Attribute.span)
		case 6:
			r.bytes(&m.DocString)
		case 7:
			r.bytes(&m.Domain)
		case 8:
			r.bytes(&m.Overload)
		case 9:
			r.list(&m.MetadataProps.span)
		case 10:
			r.list(&m.DeviceConfigurations.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of NodeProto.
const (
	NodeInput                StringsField = 1
	NodeOutput               StringsField = 2
	NodeName                 StringField  = 3
	NodeOpType               StringField  = 4
	NodeAttribute            MessageField = 5
	NodeDocString            StringField  = 6
	NodeDomain               StringField  = 7
	NodeOverload             StringField  = 8
	NodeMetadataProps        MessageField = 9
	NodeDeviceConfigurations MessageField = 10
)

// NodeDeviceConfigurationProto: A node's place in a DeviceConfigurationProto, and how its tensors are split.
type NodeDeviceConfigurationProto struct {
	Base
	ConfigurationId []byte
	ShardingSpec    Messages[ShardingSpecProto]
	PipelineStage   int64
}

// Unmarshal reads the message b; the views alias it.
func (m *NodeDeviceConfigurationProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "NodeDeviceConfigurationProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.ConfigurationId)
		case 2:
			r.list(&m.ShardingSpec.span)
		case 3:
			r.varint(&m.PipelineStage)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of NodeDeviceConfigurationProto.
const (
	NodeDeviceConfigurationConfigurationId StringField  = 1
	NodeDeviceConfigurationShardingSpec    MessageField = 2
	NodeDeviceConfigurationPipelineStage   IntField     = 3
)

// ShardingSpecProto is a message of the format; see onnx.proto.
type ShardingSpecProto struct {
	Base
	TensorName            []byte
	Device                Varints
	IndexToDeviceGroupMap Messages[IntIntListEntryProto]
	ShardedDim            Messages[ShardedDimProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *ShardingSpecProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "ShardingSpecProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.TensorName)
		case 2:
			r.varints(&m.Device, false)
		case 3:
			r.list(&m.IndexToDeviceGroupMap.span)
		case 4:
			r.list(&m.ShardedDim.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of ShardingSpecProto.
const (
	ShardingSpecTensorName            StringField  = 1
	ShardingSpecDevice                IntsField    = 2
	ShardingSpecIndexToDeviceGroupMap MessageField = 3
	ShardingSpecShardedDim            MessageField = 4
)

// IntIntListEntryProto is a message of the format; see onnx.proto.
type IntIntListEntryProto struct {
	Base
	Key   int64
	Value Varints
}

// Unmarshal reads the message b; the views alias it.
func (m *IntIntListEntryProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "IntIntListEntryProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.Key)
		case 2:
			r.varints(&m.Value, false)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of IntIntListEntryProto.
const (
	IntIntListEntryKey   IntField  = 1
	IntIntListEntryValue IntsField = 2
)

// ShardedDimProto is a message of the format; see onnx.proto.
type ShardedDimProto struct {
	Base
	Axis           int64
	SimpleSharding Messages[SimpleShardedDimProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *ShardedDimProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "ShardedDimProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.Axis)
		case 2:
			r.list(&m.SimpleSharding.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of ShardedDimProto.
const (
	ShardedDimAxis           IntField     = 1
	ShardedDimSimpleSharding MessageField = 2
)

// SimpleShardedDimProto is a message of the format; see onnx.proto.
type SimpleShardedDimProto struct {
	Base
	DimValue  int64
	DimParam  []byte
	NumShards int64
}

// Unmarshal reads the message b; the views alias it.
func (m *SimpleShardedDimProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "SimpleShardedDimProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.DimValue)
		case 2:
			r.bytes(&m.DimParam)
		case 3:
			r.varint(&m.NumShards)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of SimpleShardedDimProto.
const (
	SimpleShardedDimDimValue  IntField    = 1
	SimpleShardedDimDimParam  StringField = 2
	SimpleShardedDimNumShards IntField    = 3
)

// AttributeProto: A constant argument of a node; type says which of the other fields holds it.
type AttributeProto struct {
	Base
	Name          []byte
	F             uint32
	I             int64
	S             []byte
	T             Message[TensorProto]
	G             Message[GraphProto]
	Floats        Fixed
	Ints          Varints
	Strings       Blobs
	Tensors       Messages[TensorProto]
	Graphs        Messages[GraphProto]
	DocString     []byte
	Tp            Message[TypeProto]
	TypeProtos    Messages[TypeProto]
	Type          int64
	RefAttrName   []byte
	SparseTensor  Message[SparseTensorProto]
	SparseTensors Messages[SparseTensorProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *AttributeProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "AttributeProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Name)
		case 2:
			r.fixed32(&m.F)
		case 3:
			r.varint(&m.I)
		case 4:
			r.bytes(&m.S)
		case 5:
			sub(&r, &m.T)
		case 6:
			sub(&r, &m.G)
		case 7:
			r.fixed(&m.Floats, 4, false)
		case 8:
			r.varints(&m.Ints, false)
		case 9:
			r.list(&m.Strings.span)
		case 10:
			r.list(&m.Tensors.span)
		case 11:
			r.list(&m.Graphs.span)
		case 13:
			r.bytes(&m.DocString)
		case 14:
			sub(&r, &m.Tp)
		case 15:
			r.list(&m.TypeProtos.span)
		case 20:
			r.varint(&m.Type)
		case 21:
			r.bytes(&m.RefAttrName)
		case 22:
			sub(&r, &m.SparseTensor)
		case 23:
			r.list(&m.SparseTensors.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of AttributeProto.
const (
	AttributeName          StringField  = 1
	AttributeF             FloatField   = 2
	AttributeI             IntField     = 3
	AttributeS             BytesField   = 4
	AttributeT             MessageField = 5
	AttributeG             MessageField = 6
	AttributeFloats        FloatsField  = 7
	AttributeInts          IntsField    = 8
	AttributeStrings       BytessField  = 9
	AttributeTensors       MessageField = 10
	AttributeGraphs        MessageField = 11
	AttributeDocString     StringField  = 13
	AttributeTp            MessageField = 14
	AttributeTypeProtos    MessageField = 15
	AttributeType          IntField     = 20
	AttributeRefAttrName   StringField  = 21
	AttributeSparseTensor  MessageField = 22
	AttributeSparseTensors MessageField = 23
)

// The values of AttributeType.
const (
	AttributeAttributeTypeUndefined     = 0
	AttributeAttributeTypeFloat         = 1
	AttributeAttributeTypeInt           = 2
	AttributeAttributeTypeString        = 3
	AttributeAttributeTypeTensor        = 4
	AttributeAttributeTypeGraph         = 5
	AttributeAttributeTypeFloats        = 6
	AttributeAttributeTypeInts          = 7
	AttributeAttributeTypeStrings       = 8
	AttributeAttributeTypeTensors       = 9
	AttributeAttributeTypeGraphs        = 10
	AttributeAttributeTypeSparseTensor  = 11
	AttributeAttributeTypeSparseTensors = 12
	AttributeAttributeTypeTypeProto     = 13
	AttributeAttributeTypeTypeProtos    = 14
)

// FunctionProto: An operator given by nodes.
type FunctionProto struct {
	Base
	Name           []byte
	Input          Blobs
	Output         Blobs
	Attribute      Blobs
	Node           Messages[NodeProto]
	DocString      []byte
	OpsetImport    Messages[OperatorSetIdProto]
	Domain         []byte
	AttributeProto Messages[AttributeProto]
	ValueInfo      Messages[ValueInfoProto]
	Overload       []byte
	MetadataProps  Messages[StringStringEntryProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *FunctionProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "FunctionProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Name)
		case 4:
			r.list(&m.Input.span)
		case 5:
			r.list(&m.Output.span)
		case 6:
			r.list(&m.Attribute.span)
		case 7:
			r.list(&m.Node.span)
		case 8:
			r.bytes(&m.DocString)
		case 9:
			r.list(&m.OpsetImport.span)
		case 10:
			r.bytes(&m.Domain)
		case 11:
			r.list(&m.AttributeProto.span)
		case 12:
			r.list(&m.ValueInfo.span)
		case 13:
			r.bytes(&m.Overload)
		case 14:
			r.list(&m.MetadataProps.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of FunctionProto.
const (
	FunctionName           StringField  = 1
	FunctionInput          StringsField = 4
	FunctionOutput         StringsField = 5
	FunctionAttribute      StringsField = 6
	FunctionNode           MessageField = 7
	FunctionDocString      StringField  = 8
	FunctionOpsetImport    MessageField = 9
	FunctionDomain         StringField  = 10
	FunctionAttributeProto MessageField = 11
	FunctionValueInfo      MessageField = 12
	FunctionOverload       StringField  = 13
	FunctionMetadataProps  MessageField = 14
)

// ValueInfoProto: A value's name and type.
type ValueInfoProto struct {
	Base
	Name          []byte
	Type          Message[TypeProto]
	DocString     []byte
	MetadataProps Messages[StringStringEntryProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *ValueInfoProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "ValueInfoProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Name)
		case 2:
			sub(&r, &m.Type)
		case 3:
			r.bytes(&m.DocString)
		case 4:
			r.list(&m.MetadataProps.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of ValueInfoProto.
const (
	ValueInfoName          StringField  = 1
	ValueInfoType          MessageField = 2
	ValueInfoDocString     StringField  = 3
	ValueInfoMetadataProps MessageField = 4
)

// TensorProto: An array. Its elements are in raw_data (little-endian), or in the one *_data field that belongs to data_type, or in
// a file beside the model. Field 3 (a segment of a larger tensor) was never put to use and is left unknown.
type TensorProto struct {
	Base
	Dims          Varints
	DataType      int64
	FloatData     Fixed
	Int32Data     Varints
	StringData    Blobs
	Int64Data     Varints
	Name          []byte
	RawData       []byte
	DoubleData    Fixed
	Uint64Data    Varints
	DocString     []byte
	ExternalData  Messages[StringStringEntryProto]
	DataLocation  int64
	MetadataProps Messages[StringStringEntryProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TensorProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TensorProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varints(&m.Dims, false)
		case 2:
			r.varint(&m.DataType)
		case 4:
			r.fixed(&m.FloatData, 4, true)
		case 5:
			r.varints(&m.Int32Data, true)
		case 6:
			r.list(&m.StringData.span)
		case 7:
			r.varints(&m.Int64Data, true)
		case 8:
			r.bytes(&m.Name)
		case 9:
			r.bytes(&m.RawData)
		case 10:
			r.fixed(&m.DoubleData, 8, true)
		case 11:
			r.varints(&m.Uint64Data, true)
		case 12:
			r.bytes(&m.DocString)
		case 13:
			r.list(&m.ExternalData.span)
		case 14:
			r.varint(&m.DataLocation)
		case 16:
			r.list(&m.MetadataProps.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TensorProto.
const (
	TensorDims          IntsField     = 1
	TensorDataType      IntField      = 2
	TensorFloatData     PackedFixed32 = 4
	TensorInt32Data     PackedField   = 5
	TensorStringData    BytessField   = 6
	TensorInt64Data     PackedField   = 7
	TensorName          StringField   = 8
	TensorRawData       BytesField    = 9
	TensorDoubleData    PackedFixed64 = 10
	TensorUint64Data    PackedField   = 11
	TensorDocString     StringField   = 12
	TensorExternalData  MessageField  = 13
	TensorDataLocation  IntField      = 14
	TensorMetadataProps MessageField  = 16
)

// The values of DataType.
const (
	TensorDataTypeUndefined      = 0
	TensorDataTypeFloat          = 1
	TensorDataTypeUint8          = 2
	TensorDataTypeInt8           = 3
	TensorDataTypeUint16         = 4
	TensorDataTypeInt16          = 5
	TensorDataTypeInt32          = 6
	TensorDataTypeInt64          = 7
	TensorDataTypeString         = 8
	TensorDataTypeBool           = 9
	TensorDataTypeFloat16        = 10
	TensorDataTypeDouble         = 11
	TensorDataTypeUint32         = 12
	TensorDataTypeUint64         = 13
	TensorDataTypeComplex64      = 14
	TensorDataTypeComplex128     = 15
	TensorDataTypeBfloat16       = 16
	TensorDataTypeFloat8e4m3fn   = 17
	TensorDataTypeFloat8e4m3fnuz = 18
	TensorDataTypeFloat8e5m2     = 19
	TensorDataTypeFloat8e5m2fnuz = 20
	TensorDataTypeUint4          = 21
	TensorDataTypeInt4           = 22
	TensorDataTypeFloat4e2m1     = 23
	TensorDataTypeFloat8e8m0     = 24
	TensorDataTypeUint2          = 25
	TensorDataTypeInt2           = 26
)

// The values of DataLocation.
const (
	TensorDataLocationDefault  = 0
	TensorDataLocationExternal = 1
)

// SparseTensorProto: An array given by its non-zero elements, at linear or at coordinate indices.
type SparseTensorProto struct {
	Base
	Values  Message[TensorProto]
	Indices Message[TensorProto]
	Dims    Varints
}

// Unmarshal reads the message b; the views alias it.
func (m *SparseTensorProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "SparseTensorProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			sub(&r, &m.Values)
		case 2:
			sub(&r, &m.Indices)
		case 3:
			r.varints(&m.Dims, false)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of SparseTensorProto.
const (
	SparseTensorValues  MessageField = 1
	SparseTensorIndices MessageField = 2
	SparseTensorDims    IntsField    = 3
)

// TensorShapeProto is a message of the format; see onnx.proto.
type TensorShapeProto struct {
	Base
	Dim Messages[TensorShapeProtoDimension]
}

// Unmarshal reads the message b; the views alias it.
func (m *TensorShapeProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TensorShapeProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.list(&m.Dim.span)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TensorShapeProto.
const (
	TensorShapeDim MessageField = 1
)

// TensorShapeProtoDimension is a message of the format; see onnx.proto.
type TensorShapeProtoDimension struct {
	Base
	DimValue   int64
	DimParam   []byte
	Denotation []byte
}

// Unmarshal reads the message b; the views alias it.
func (m *TensorShapeProtoDimension) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TensorShapeProto.Dimension", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.DimValue)
		case 2:
			r.bytes(&m.DimParam)
		case 3:
			r.bytes(&m.Denotation)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TensorShapeProtoDimension.
const (
	TensorShapeDimensionDimValue   IntField    = 1
	TensorShapeDimensionDimParam   StringField = 2
	TensorShapeDimensionDenotation StringField = 3
)

// TypeProto is a message of the format; see onnx.proto.
type TypeProto struct {
	Base
	TensorType       Message[TypeProtoTensor]
	SequenceType     Message[TypeProtoSequence]
	MapType          Message[TypeProtoMap]
	OpaqueType       Message[TypeProtoOpaque]
	SparseTensorType Message[TypeProtoSparseTensor]
	OptionalType     Message[TypeProtoOptional]
	Denotation       []byte
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProto) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			sub(&r, &m.TensorType)
		case 4:
			sub(&r, &m.SequenceType)
		case 5:
			sub(&r, &m.MapType)
		case 7:
			sub(&r, &m.OpaqueType)
		case 8:
			sub(&r, &m.SparseTensorType)
		case 9:
			sub(&r, &m.OptionalType)
		case 6:
			r.bytes(&m.Denotation)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProto.
const (
	TypeTensorType       MessageField = 1
	TypeSequenceType     MessageField = 4
	TypeMapType          MessageField = 5
	TypeOpaqueType       MessageField = 7
	TypeSparseTensorType MessageField = 8
	TypeOptionalType     MessageField = 9
	TypeDenotation       StringField  = 6
)

// TypeProtoTensor is a message of the format; see onnx.proto.
type TypeProtoTensor struct {
	Base
	ElemType int64
	Shape    Message[TensorShapeProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProtoTensor) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto.Tensor", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.ElemType)
		case 2:
			sub(&r, &m.Shape)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProtoTensor.
const (
	TypeTensorElemType IntField     = 1
	TypeTensorShape    MessageField = 2
)

// TypeProtoSequence is a message of the format; see onnx.proto.
type TypeProtoSequence struct {
	Base
	ElemType Message[TypeProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProtoSequence) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto.Sequence", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			sub(&r, &m.ElemType)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProtoSequence.
const (
	TypeSequenceElemType MessageField = 1
)

// TypeProtoMap is a message of the format; see onnx.proto.
type TypeProtoMap struct {
	Base
	KeyType   int64
	ValueType Message[TypeProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProtoMap) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto.Map", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.KeyType)
		case 2:
			sub(&r, &m.ValueType)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProtoMap.
const (
	TypeMapKeyType   IntField     = 1
	TypeMapValueType MessageField = 2
)

// TypeProtoOpaque is a message of the format; see onnx.proto.
type TypeProtoOpaque struct {
	Base
	Domain []byte
	Name   []byte
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProtoOpaque) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto.Opaque", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.bytes(&m.Domain)
		case 2:
			r.bytes(&m.Name)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProtoOpaque.
const (
	TypeOpaqueDomain StringField = 1
	TypeOpaqueName   StringField = 2
)

// TypeProtoSparseTensor is a message of the format; see onnx.proto.
type TypeProtoSparseTensor struct {
	Base
	ElemType int64
	Shape    Message[TensorShapeProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProtoSparseTensor) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto.SparseTensor", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			r.varint(&m.ElemType)
		case 2:
			sub(&r, &m.Shape)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProtoSparseTensor.
const (
	TypeSparseTensorElemType IntField     = 1
	TypeSparseTensorShape    MessageField = 2
)

// TypeProtoOptional is a message of the format; see onnx.proto.
type TypeProtoOptional struct {
	Base
	ElemType Message[TypeProto]
}

// Unmarshal reads the message b; the views alias it.
func (m *TypeProtoOptional) Unmarshal(b []byte) error {
	r := reader{b: b, name: "TypeProto.Optional", base: &m.Base}
	for r.next() {
		switch r.num {
		case 1:
			sub(&r, &m.ElemType)
		default:
			r.unknown()
		}
	}
	return r.err
}

// The fields of TypeProtoOptional.
const (
	TypeOptionalElemType MessageField = 1
)
