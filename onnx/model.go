package onnx

import "github.com/onnx-graft/graft/onnx/internal/pb"

// A Model is one ONNX file: a graph and what a runtime must know to run it (ModelProto in the ONNX IR specification).
//
// Tensor data of a loaded model aliases the file's memory map and must not be written to. A Model may be read by several
// goroutines; editing it needs exclusive use. Clone before editing a model somebody else holds.
type Model struct {
	IRVersion       int64
	Opsets          []Opset
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	Doc             string
	Graph           *Graph
	Functions       []*Function
	Metadata        []Property

	training []byte // training_info as it came
	devices  []byte // device configurations as they came
	kept     *kept
	file     *mapping // what tensor data aliases; nil where the model was not read from a file
}

// kept is what a part of a model carries through a load and a save beside its values. It is never changed once made, so
// copies share it; nil holds nothing.
type kept struct {
	unknown    []byte  // fields this package does not know, as they came
	other      []byte  // fields it knows and does not model: a Node's devices, an Attribute's types, as they came
	form       pb.Form // fields the file wrote in the less usual of two ways, such as an empty string written out
	denotation string  // of a Dim: what it stands for
}

// keptType is what the type of a Value carries beside element type and shape.
type keptType struct {
	other              []byte // the whole TypeProto where it is not a tensor's; nil where it is
	denotation         string // what the value stands for
	typ, tensor, shape *kept  // of the TypeProto, its Tensor, that one's TensorShapeProto
}

// Opset names one operator set a model imports. The empty domain is ai.onnx.
type Opset struct {
	Domain  string
	Version int64

	kept *kept
}

// A Property is one key and value of a model's, graph's or node's metadata.
type Property struct {
	Key, Value string

	kept *kept
}

// A Graph is a list of nodes in topological order, with the initializers (weights) they read.
type Graph struct {
	Name               string
	Doc                string
	Nodes              []*Node
	Initializers       []*Tensor
	SparseInitializers []*SparseTensor
	Inputs             []*Value // what a caller feeds; in IR version 3 and older also every initializer
	Outputs            []*Value
	Values             []*Value // types of inner tensors, where the exporter wrote them (value_info)
	Annotations        []Annotation
	Metadata           []Property

	kept *kept
}

// An Annotation says which tensors hold the quantization parameters of another (TensorAnnotation): each property's key
// is a parameter, such as SCALE_TENSOR or ZERO_POINT_TENSOR, and its value the name of the tensor that holds it.
type Annotation struct {
	Tensor     string
	Parameters []Property

	kept *kept
}

// A Node is one operator call. An empty name in Inputs or Outputs is an optional argument left out.
type Node struct {
	Name       string
	OpType     string
	Domain     string // "" is ai.onnx
	Overload   string
	Inputs     []string
	Outputs    []string
	Attributes []*Attribute
	Doc        string
	Metadata   []Property

	kept *kept
}

// A Function is a model-local operator, given by its nodes (FunctionProto).
type Function struct {
	Name       string
	Domain     string
	Overload   string
	Doc        string
	Inputs     []string
	Outputs    []string
	Attributes []string     // names without a default
	Defaults   []*Attribute // names with one
	Nodes      []*Node
	Opsets     []Opset
	Values     []*Value
	Metadata   []Property

	kept *kept
}

// A Value is a named edge of a graph with what is known of its type: a graph input or output, the type of an inner
// tensor, or an edge a [Builder] has just made.
type Value struct {
	Name     string
	Type     DType // Undefined where it is not known, or not a tensor
	Shape    Shape // nil where even the rank is not known
	Doc      string
	Metadata []Property

	typ  *keptType // nil where the type has nothing to keep
	kept *kept
}

// A Shape is a list of dimensions. A non-nil Shape of length 0 is a scalar's; a nil Shape is not known.
type Shape []Dim

// A Dim is one dimension: a size, a name that stands for one ("batch_size"), or neither.
type Dim struct {
	Size  int64 // meaningful where Known
	Known bool
	Param string

	kept *kept
}

// Known returns a dimension of fixed size n.
func Known(n int64) Dim { return Dim{Size: n, Known: true} }

// Param returns a dimension whose size is only known at run time, called name.
func Param(name string) Dim { return Dim{Param: name} }

// An AttrType says which field of an [Attribute] holds its value; the numbers are those of AttributeProto.AttributeType.
type AttrType int32

const (
	AttrUndefined     AttrType = 0
	AttrFloat         AttrType = 1
	AttrInt           AttrType = 2
	AttrString        AttrType = 3
	AttrTensor        AttrType = 4
	AttrGraph         AttrType = 5
	AttrFloats        AttrType = 6
	AttrInts          AttrType = 7
	AttrStrings       AttrType = 8
	AttrTensors       AttrType = 9
	AttrGraphs        AttrType = 10
	AttrSparseTensor  AttrType = 11
	AttrSparseTensors AttrType = 12
	AttrTypeProto     AttrType = 13
	AttrTypeProtos    AttrType = 14
)

// An Attribute is one constant argument of a node.
type Attribute struct {
	Name    string
	Type    AttrType
	Doc     string
	RefName string // inside a Function: the function's attribute that supplies the value

	Float   float32
	Int     int64
	Str     []byte
	Tensor  *Tensor
	Graph   *Graph
	Sparse  *SparseTensor
	Floats  []float32
	Ints    []int64
	Strs    [][]byte
	Tensors []*Tensor
	Graphs  []*Graph
	Sparses []*SparseTensor

	kept *kept
}
