package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/onnx-graft/graft/onnx/internal/pb"
)

const (
	maxDepth   = 64      // graphs within graphs
	maxGrowth  = 10      // bytes of memory a file may ask for, for each of its own …
	freeGrowth = 1 << 20 // … beyond these
)

// A decoder turns the wire format into a Model. It keeps count of the memory it asks for, so that a hostile file of very
// many very small messages is refused.
type decoder struct {
	budget   int64
	external resolver // finds data kept outside the file; nil where there is no place to look
	where    Where
	depth    int
	words    map[string]string // operator and attribute names already seen
}

// decodeModel reads a whole file. The model's tensors alias data.
func decodeModel(data []byte, external resolver) (*Model, error) {
	if err := looksLikeModel(data); err != nil {
		return nil, err
	}
	d := &decoder{budget: int64(len(data))*maxGrowth + freeGrowth, external: external, words: map[string]string{}}
	var p pb.ModelProto
	if err := p.Unmarshal(data); err != nil {
		return nil, d.fail("not an ONNX model, or a damaged one", err)
	}
	if p.Graph == nil {
		return nil, malformed(Where{}, "no graph: not an ONNX model, or a truncated one")
	}
	m := &Model{
		IRVersion:    p.IrVersion,
		ModelVersion: p.ModelVersion,
		training:     p.TrainingInfo.Raw(),
		devices:      p.Configuration.Raw(),
		kept:         keep(p.Base),
	}
	d.strings(into{&m.ProducerName, p.ProducerName}, into{&m.ProducerVersion, p.ProducerVersion},
		into{&m.Domain, p.Domain}, into{&m.Doc, p.DocString})
	var err error
	if m.Opsets, err = d.opsets(p.OpsetImport); err != nil {
		return nil, err
	}
	if m.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return nil, err
	}
	if m.Functions, err = list(d, "function", p.Functions, (*decoder).function); err != nil {
		return nil, err
	}
	if m.Graph, err = one(d, "graph", p.Graph, (*decoder).graph); err != nil {
		return nil, err
	}
	if d.budget < 0 {
		return nil, errGrowth()
	}
	return m, nil
}

// looksLikeModel tells a user what the files are that are most often mistaken for models.
func looksLikeModel(data []byte) error {
	switch {
	case len(data) == 0:
		return malformed(Where{}, "the file is empty")
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return malformed(Where{}, "a Git LFS pointer, not the model itself: run git lfs pull")
	case bytes.HasPrefix(bytes.TrimSpace(data[:min(len(data), 64)]), []byte("<")):
		return malformed(Where{}, "a web page, not an ONNX model")
	}
	return nil
}

func errGrowth() error {
	return malformed(Where{}, "the model needs more than %d times the memory of its file: too many tiny parts", maxGrowth)
}

// fail makes a MalformedError of what the wire reader found; errors of this package pass as they are.
func (d *decoder) fail(problem string, err error) error {
	var bad *MalformedError
	var unknown *UnsupportedError
	if errors.As(err, &bad) || errors.As(err, &unknown) {
		return err
	}
	return &MalformedError{Where: d.where, Problem: problem, Err: err}
}

// charge notes that n things of that many bytes are about to be allocated, and fails where the file may not ask for more.
func (d *decoder) charge(n int, bytes uintptr) error {
	d.budget -= int64(n) * int64(bytes)
	if d.budget < 0 {
		return errGrowth()
	}
	return nil
}

// keep returns what a message carries that this package does not model.
func keep(b pb.Base) kept { return kept{unknown: b.Unknown, form: b.Form} }

// into is a string to be copied out of the file.
type into struct {
	dst *string
	src []byte
}

// strings copies strings, so that names outlive the file's memory map. Its cost is charged but checked later: no string
// is longer than what it is read from.
func (d *decoder) strings(list ...into) {
	for _, s := range list {
		if len(s.src) > 0 {
			d.budget -= int64(len(s.src))
			*s.dst = string(s.src)
		}
	}
}

// word returns a string that is likely to recur: an operator's or attribute's name.
func (d *decoder) word(b []byte) string {
	if s, ok := d.words[string(b)]; ok {
		return s
	}
	s := string(b)
	d.budget -= int64(len(b))
	if len(d.words) < 1024 {
		d.words[s] = s
	}
	return s
}

// stringList copies the strings of a repeated field.
func (d *decoder) stringList(in pb.Blobs) ([]string, error) {
	if in.Len() == 0 {
		return nil, nil
	}
	if err := d.charge(in.Len(), unsafe.Sizeof("")); err != nil {
		return nil, err
	}
	out := make([]string, in.Len())
	in.Each(func(i int, b []byte) { d.strings(into{&out[i], b}) })
	return out, nil
}

// list reads a repeated message field.
func list[V, T any, P pb.Unmarshaler[V]](d *decoder, what string, in pb.Messages[V], read func(*decoder, *V, *T) error) ([]*T, error) {
	block, err := values[V, T, P](d, what, in, read)
	if err != nil || block == nil {
		return nil, err
	}
	if err := d.charge(len(block), unsafe.Sizeof(&block[0])); err != nil {
		return nil, err
	}
	out := make([]*T, len(block))
	for i := range block {
		out[i] = &block[i]
	}
	return out, nil
}

// values is list where the model holds structs, not pointers.
func values[V, T any, P pb.Unmarshaler[V]](d *decoder, what string, in pb.Messages[V], read func(*decoder, *V, *T) error) ([]T, error) {
	if in.Len() == 0 {
		return nil, nil
	}
	var t T
	if err := d.charge(in.Len(), unsafe.Sizeof(t)); err != nil {
		return nil, err
	}
	block := make([]T, in.Len())
	done := 0
	err := pb.Each[V, P](in, func(i int, v *V) error {
		err := read(d, v, &block[i])
		done++
		return err
	})
	if err != nil {
		return nil, d.fail(fmt.Sprintf("%s %d", what, done), err)
	}
	return block, nil
}

// one reads a singular message field; nil where it is absent.
func one[V, T any, P pb.Unmarshaler[V]](d *decoder, what string, in pb.Message[V], read func(*decoder, *V, *T) error) (*T, error) {
	if in == nil {
		return nil, nil
	}
	var t T
	if err := d.charge(1, unsafe.Sizeof(t)); err != nil {
		return nil, err
	}
	v, err := pb.Decode[V, P](in)
	if err == nil {
		err = read(d, &v, &t)
	}
	if err != nil {
		return nil, d.fail(what, err)
	}
	return &t, nil
}

func (d *decoder) opsets(in pb.Messages[pb.OperatorSetIdProto]) ([]Opset, error) {
	return values(d, "opset import", in, func(d *decoder, p *pb.OperatorSetIdProto, o *Opset) error {
		*o = Opset{Domain: d.word(p.Domain), Version: p.Version, kept: keep(p.Base)}
		return nil
	})
}

func (d *decoder) properties(in pb.Messages[pb.StringStringEntryProto]) ([]Property, error) {
	return values(d, "property", in, func(d *decoder, p *pb.StringStringEntryProto, q *Property) error {
		q.kept = keep(p.Base)
		d.strings(into{&q.Key, p.Key}, into{&q.Value, p.Value})
		return nil
	})
}

func (d *decoder) graph(p *pb.GraphProto, g *Graph) (err error) {
	if d.depth++; d.depth > maxDepth {
		return malformed(d.where, "graphs are nested more than %d deep", maxDepth)
	}
	defer func() { d.depth-- }()
	g.kept, g.quantization = keep(p.Base), p.QuantizationAnnotation.Raw()
	d.strings(into{&g.Name, p.Name}, into{&g.Doc, p.DocString})
	if g.Initializers, err = list(d, "initializer", p.Initializer, (*decoder).tensor); err != nil {
		return err
	}
	if g.SparseInitializers, err = list(d, "sparse initializer", p.SparseInitializer, (*decoder).sparse); err != nil {
		return err
	}
	if g.Inputs, err = list(d, "graph input", p.Input, (*decoder).value); err != nil {
		return err
	}
	if g.Outputs, err = list(d, "graph output", p.Output, (*decoder).value); err != nil {
		return err
	}
	if g.Values, err = list(d, "value", p.ValueInfo, (*decoder).value); err != nil {
		return err
	}
	if g.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	g.Nodes, err = d.nodes(p.Node)
	return err
}

// nodes reads a graph's or function's nodes.
func (d *decoder) nodes(in pb.Messages[pb.NodeProto]) ([]*Node, error) {
	outer, index := d.where, 0
	defer func() { d.where = outer }()
	return list(d, "node", in, func(d *decoder, p *pb.NodeProto, n *Node) error {
		d.where = outer
		d.where.Op, d.where.Node, d.where.Index = d.word(p.OpType), string(p.Name), index
		index++
		err := d.node(p, n)
		if err == nil {
			d.where = outer
		}
		return err
	})
}

func (d *decoder) node(p *pb.NodeProto, n *Node) (err error) {
	n.kept, n.devices = keep(p.Base), p.DeviceConfigurations.Raw()
	n.Name, n.OpType, n.Domain = d.where.Node, d.where.Op, d.word(p.Domain)
	d.strings(into{&n.Overload, p.Overload}, into{&n.Doc, p.DocString})
	d.budget -= int64(len(n.Name))
	if n.Inputs, err = d.stringList(p.Input); err != nil {
		return err
	}
	if n.Outputs, err = d.stringList(p.Output); err != nil {
		return err
	}
	if n.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	n.Attributes, err = list(d, "attribute", p.Attribute, (*decoder).attribute)
	return err
}

func (d *decoder) function(p *pb.FunctionProto, f *Function) (err error) {
	outer := d.where
	defer func() { d.where = outer }()
	f.kept = keep(p.Base)
	d.strings(into{&f.Name, p.Name}, into{&f.Domain, p.Domain}, into{&f.Overload, p.Overload}, into{&f.Doc, p.DocString})
	d.where.Scope = fmt.Sprintf("function %q", f.Name)
	if f.Inputs, err = d.stringList(p.Input); err != nil {
		return err
	}
	if f.Outputs, err = d.stringList(p.Output); err != nil {
		return err
	}
	if f.Attributes, err = d.stringList(p.Attribute); err != nil {
		return err
	}
	if f.Defaults, err = list(d, "attribute", p.AttributeProto, (*decoder).attribute); err != nil {
		return err
	}
	if f.Opsets, err = d.opsets(p.OpsetImport); err != nil {
		return err
	}
	if f.Values, err = list(d, "value", p.ValueInfo, (*decoder).value); err != nil {
		return err
	}
	if f.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	f.Nodes, err = d.nodes(p.Node)
	return err
}

func (d *decoder) attribute(p *pb.AttributeProto, a *Attribute) (err error) {
	a.Name, a.Type, a.Int, a.Float = d.word(p.Name), AttrType(p.Type), p.I, math.Float32frombits(p.F)
	a.kept, a.Str = keep(p.Base), p.S
	d.strings(into{&a.Doc, p.DocString}, into{&a.RefName, p.RefAttrName})
	if a.Tensor, err = one(d, "tensor", p.T, (*decoder).tensor); err != nil {
		return err
	}
	if a.Sparse, err = one(d, "sparse tensor", p.SparseTensor, (*decoder).sparse); err != nil {
		return err
	}
	if a.Tensors, err = list(d, "tensor", p.Tensors, (*decoder).tensor); err != nil {
		return err
	}
	if a.Sparses, err = list(d, "sparse tensor", p.SparseTensors, (*decoder).sparse); err != nil {
		return err
	}
	if err = d.numbers(p, a); err != nil {
		return err
	}
	a.other = append(rawMessage(pb.AttributeTp, p.Tp), p.TypeProtos.Raw()...)
	if p.G == nil && p.Graphs.Len() == 0 {
		return nil
	}
	outer := d.where
	defer func() {
		if err == nil {
			d.where = outer
		}
	}()
	d.where = Where{Scope: subScope(outer, a.Name)}
	if a.Graph, err = one(d, "graph", p.G, (*decoder).graph); err != nil {
		return err
	}
	a.Graphs, err = list(d, "graph", p.Graphs, (*decoder).graph)
	return err
}

// subScope names the subgraph in a node's attribute.
func subScope(w Where, attribute string) string {
	if w.Scope != "" {
		w.Scope += ", "
	}
	return fmt.Sprintf("%snode %d (%s %q) %s", w.Scope, w.Index, w.Op, w.Node, attribute)
}

// numbers reads the lists of plain values of an attribute.
func (d *decoder) numbers(p *pb.AttributeProto, a *Attribute) error {
	if err := d.charge(p.Ints.Len()+p.Floats.Size()/8+3*p.Strings.Len(), 8); err != nil {
		return err
	}
	a.Ints = ints(p.Ints)
	if b := p.Floats.Bytes(); len(b) > 0 {
		a.Floats = make([]float32, len(b)/4)
		for i := range a.Floats {
			a.Floats[i] = float32From[Float32](b[4*i:])
		}
	}
	if p.Strings.Len() > 0 {
		a.Strs = make([][]byte, p.Strings.Len())
		p.Strings.Each(func(i int, b []byte) { a.Strs[i] = b })
	}
	return nil
}

// ints reads a list of integers.
func ints(in pb.Varints) []int64 {
	if in.Len() == 0 {
		return nil
	}
	out := make([]int64, in.Len())
	in.Each(func(i int, v uint64) { out[i] = int64(v) })
	return out
}
