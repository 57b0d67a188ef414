package onnx

import (
	"math"
	"unsafe"

	"github.com/onnx-graft/graft/onnx/internal/pb"
)

func (d *decoder) readGraph(p *pb.GraphProto, g *Graph) (err error) {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.leave()
	g.kept = d.keep(p.Base, nil)
	d.strings(into{&g.Name, p.Name}, into{&g.Doc, p.DocString})
	if g.Initializers, err = list(d, "initializer", p.Initializer, &d.tensor, (*decoder).readTensor); err != nil {
		return err
	}
	if g.SparseInitializers, err = list(d, "sparse initializer", p.SparseInitializer, &d.sparse, (*decoder).readSparse); err != nil {
		return err
	}
	if g.Inputs, err = list(d, "graph input", p.Input, &d.value, (*decoder).readValue); err != nil {
		return err
	}
	if g.Outputs, err = list(d, "graph output", p.Output, &d.value, (*decoder).readValue); err != nil {
		return err
	}
	if g.Values, err = list(d, "value", p.ValueInfo, &d.value, (*decoder).readValue); err != nil {
		return err
	}
	if g.Annotations, err = values(d, "annotation", p.QuantizationAnnotation, &d.annotation, (*decoder).readAnnotation); err != nil {
		return err
	}
	if g.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	g.Nodes, err = d.nodes(p.Node)
	return err
}

func (d *decoder) readAnnotation(p *pb.TensorAnnotation, a *Annotation) (err error) {
	a.kept = d.keep(p.Base, nil)
	d.strings(into{&a.Tensor, p.TensorName})
	a.Parameters, err = d.properties(p.QuantParameterTensorNames)
	return err
}

// nodes reads a graph's or function's nodes.
func (d *decoder) nodes(in pb.Messages[pb.NodeProto]) ([]*Node, error) {
	outer, index := d.spot, 0
	defer func() { d.spot = outer }()
	return list(d, "node", in, &d.node, func(d *decoder, p *pb.NodeProto, n *Node) error {
		d.spot = outer
		d.spot.op, d.spot.node, d.spot.index = d.word(p.OpType), string(p.Name), index
		index++
		err := d.readNode(p, n)
		if err == nil {
			d.spot = outer
		}
		return err
	})
}

func (d *decoder) readNode(p *pb.NodeProto, n *Node) (err error) {
	n.kept = d.keep(p.Base, p.DeviceConfigurations.Raw())
	n.Name, n.OpType, n.Domain = d.spot.node, d.spot.op, d.word(p.Domain)
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
	n.Attributes, err = list(d, "attribute", p.Attribute, &d.attribute, (*decoder).readAttribute)
	return err
}

func (d *decoder) readFunction(p *pb.FunctionProto, f *Function) (err error) {
	outer := d.spot
	defer func() { d.spot = outer }()
	f.kept = d.keep(p.Base, nil)
	d.strings(into{&f.Name, p.Name}, into{&f.Domain, p.Domain}, into{&f.Overload, p.Overload}, into{&f.Doc, p.DocString})
	d.spot.part = f.part()
	if f.Inputs, err = d.stringList(p.Input); err != nil {
		return err
	}
	if f.Outputs, err = d.stringList(p.Output); err != nil {
		return err
	}
	if f.Attributes, err = d.stringList(p.Attribute); err != nil {
		return err
	}
	if f.Defaults, err = list(d, "attribute", p.AttributeProto, &d.attribute, (*decoder).readAttribute); err != nil {
		return err
	}
	if f.Opsets, err = d.opsets(p.OpsetImport); err != nil {
		return err
	}
	if f.Values, err = list(d, "value", p.ValueInfo, &d.value, (*decoder).readValue); err != nil {
		return err
	}
	if f.Metadata, err = d.properties(p.MetadataProps); err != nil {
		return err
	}
	f.Nodes, err = d.nodes(p.Node)
	return err
}

func (d *decoder) readAttribute(p *pb.AttributeProto, a *Attribute) (err error) {
	a.Name, a.Type, a.Int, a.Float = d.word(p.Name), AttrType(p.Type), p.I, math.Float32frombits(p.F)
	a.Str = p.S
	d.strings(into{&a.Doc, p.DocString}, into{&a.RefName, p.RefAttrName})
	if usual := usualForm(a); (usual.Has(int32(pb.AttributeI)) && p.I == 0) ||
		(usual.Has(int32(pb.AttributeF)) && p.F == 0) || (usual.Has(int32(pb.AttributeS)) && len(p.S) == 0) {
		p.Form ^= usual
	}
	a.kept = d.keep(p.Base, append(rawMessage(pb.AttributeTp, p.Tp), p.TypeProtos.Raw()...))
	if a.Tensor, err = one(d, "tensor", p.T, &d.tensor, (*decoder).readTensor); err != nil {
		return err
	}
	if a.Sparse, err = one(d, "sparse tensor", p.SparseTensor, &d.sparse, (*decoder).readSparse); err != nil {
		return err
	}
	if a.Tensors, err = list(d, "tensor", p.Tensors, &d.tensor, (*decoder).readTensor); err != nil {
		return err
	}
	if a.Sparses, err = list(d, "sparse tensor", p.SparseTensors, &d.sparse, (*decoder).readSparse); err != nil {
		return err
	}
	if err = d.numbers(p, a); err != nil {
		return err
	}
	if p.G == nil && p.Graphs.Len() == 0 {
		return nil
	}
	outer := d.spot
	if err := d.charge(1, unsafe.Sizeof(outer)); err != nil {
		return err
	}
	d.spot = spot{outer: &outer, part: a.Name}
	if a.Graph, err = one(d, "graph", p.G, &d.graph, (*decoder).readGraph); err != nil {
		return err
	}
	if a.Graphs, err = list(d, "graph", p.Graphs, &d.graph, (*decoder).readGraph); err != nil {
		return err
	}
	d.spot = outer
	return nil
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
