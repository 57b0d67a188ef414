package onnx

import (
	"bytes"
	"errors"
	"fmt"
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
	spot     spot
	words    map[string]string // operator and attribute names already seen
	frames   []*frame          // one for each level of graphs within graphs, kept for the next graph there
	depth    int
	*frame   // frames[depth-1]
}

// A frame holds the message of each kind that is being read at one level of graphs; no kind nests within itself there.
type frame struct {
	function   pb.FunctionProto
	graph      pb.GraphProto
	node       pb.NodeProto
	attribute  pb.AttributeProto
	value      pb.ValueInfoProto
	typ        pb.TypeProto
	tensorType pb.TypeProtoTensor
	shape      pb.TensorShapeProto
	dim        pb.TensorShapeProtoDimension
	sparse     pb.SparseTensorProto
	tensor     pb.TensorProto
	annotation pb.TensorAnnotation
	opset      pb.OperatorSetIdProto
	property   pb.StringStringEntryProto
}

// enter goes one level down, to the frame of a graph.
func (d *decoder) enter() error {
	if d.depth == maxDepth {
		return malformed(d.spot.at(), "graphs are nested more than %d deep", maxDepth)
	}
	if d.depth++; d.depth > len(d.frames) {
		d.frames = append(d.frames, new(frame))
	}
	d.frame = d.frames[d.depth-1]
	return nil
}

// leave goes one level up.
func (d *decoder) leave() {
	d.depth--
	d.frame = d.frames[max(d.depth, 1)-1]
}

// decodeModel reads a whole file. The model's tensors alias data.
func decodeModel(data []byte, external resolver) (*Model, error) {
	if err := looksLikeModel(data); err != nil {
		return nil, err
	}
	d := &decoder{budget: int64(len(data))*maxGrowth + freeGrowth, external: external, words: map[string]string{}}
	if err := d.enter(); err != nil {
		return nil, err
	}
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
		kept:         d.keep(p.Base, nil),
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
	if m.Functions, err = list(d, "function", p.Functions, &d.function, (*decoder).readFunction); err != nil {
		return nil, err
	}
	if m.Graph, err = one(d, "graph", p.Graph, &d.graph, (*decoder).readGraph); err != nil {
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
	return &MalformedError{Where: d.spot.at(), Problem: problem, Err: err}
}

// charge notes that n things of that many bytes are about to be allocated, and fails where the file may not ask for more.
func (d *decoder) charge(n int, bytes uintptr) error {
	d.budget -= int64(n) * int64(bytes)
	if d.budget < 0 {
		return errGrowth()
	}
	return nil
}

// keep returns what a message carries that this package does not model: unknown fields, unusual forms, and other fields
// as they came.
func (d *decoder) keep(b pb.Base, other []byte) *kept {
	if len(b.Unknown) == 0 && b.Form == 0 && len(other) == 0 {
		return nil
	}
	d.budget -= int64(unsafe.Sizeof(kept{}))
	return &kept{unknown: b.Unknown, form: b.Form, other: other}
}

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

// list reads a repeated message field, each message into v first.
func list[V, T any, P pb.Unmarshaler[V]](d *decoder, what string, in pb.Messages[V], v *V,
	read func(*decoder, *V, *T) error) ([]*T, error) {
	block, err := values[V, T, P](d, what, in, v, read)
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
func values[V, T any, P pb.Unmarshaler[V]](d *decoder, what string, in pb.Messages[V], v *V,
	read func(*decoder, *V, *T) error) ([]T, error) {
	if in.Len() == 0 {
		return nil, nil
	}
	var t T
	if err := d.charge(in.Len(), unsafe.Sizeof(t)); err != nil {
		return nil, err
	}
	block := make([]T, in.Len())
	done := 0
	err := pb.Each[V, P](in, v, func(i int, v *V) error {
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
func one[V, T any, P pb.Unmarshaler[V]](d *decoder, what string, in pb.Message[V], v *V,
	read func(*decoder, *V, *T) error) (*T, error) {
	if in == nil {
		return nil, nil
	}
	t := new(T)
	if err := d.charge(1, unsafe.Sizeof(*t)); err != nil {
		return nil, err
	}
	err := pb.Decode[V, P](in, v)
	if err == nil {
		err = read(d, v, t)
	}
	if err != nil {
		return nil, d.fail(what, err)
	}
	return t, nil
}

func (d *decoder) opsets(in pb.Messages[pb.OperatorSetIdProto]) ([]Opset, error) {
	return values(d, "opset import", in, &d.opset, func(d *decoder, p *pb.OperatorSetIdProto, o *Opset) error {
		*o = Opset{Domain: d.word(p.Domain), Version: p.Version, kept: d.keep(p.Base, nil)}
		return nil
	})
}

func (d *decoder) properties(in pb.Messages[pb.StringStringEntryProto]) ([]Property, error) {
	return values(d, "property", in, &d.property, func(d *decoder, p *pb.StringStringEntryProto, q *Property) error {
		q.kept = d.keep(p.Base, nil)
		d.strings(into{&q.Key, p.Key}, into{&q.Value, p.Value})
		return nil
	})
}
