package onnx_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onnx-graft/graft/onnx"
)

// modelMessage returns the description of ModelProto, as another reader of .proto files understands our schema.
func modelMessage(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{filepath.Join("internal", "pb")}}}
	files, err := compiler.Compile(context.Background(), "onnx.proto")
	if err != nil {
		t.Fatal(err)
	}
	return files[0].Messages().ByName("ModelProto")
}

// A filler makes random messages in which every field of the schema comes up.
type filler struct{ *rand.Rand }

// fill sets random fields of m. Graphs nest as deep as depth.
func (r filler) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if r.IntN(3) == 0 || f.Message() != nil && depth == 0 || f.ContainingOneof() != nil && r.IntN(4) > 0 {
			continue
		}
		if !f.IsList() {
			m.Set(f, r.value(m.NewField(f), f, depth))
			continue
		}
		list := m.Mutable(f).List()
		for range r.IntN(4) {
			list.Append(r.value(list.NewElement(), f, depth))
		}
	}
	if m.Descriptor().Name() == "TensorProto" {
		r.oneKindOfData(m)
	}
	if r.IntN(4) == 0 { // fields of a later version of the format
		unknown := protowire.AppendTag(nil, 200+protowire.Number(r.IntN(3)), protowire.VarintType)
		unknown = protowire.AppendVarint(unknown, r.Uint64())
		unknown = protowire.AppendTag(unknown, 210, protowire.StartGroupType)
		unknown = protowire.AppendTag(unknown, 1, protowire.Fixed64Type)
		unknown = protowire.AppendFixed64(unknown, r.Uint64())
		unknown = protowire.AppendTag(unknown, 210, protowire.EndGroupType)
		m.SetUnknown(unknown)
	}
}

// value returns a random value for a field; an empty one often.
func (r filler) value(empty protoreflect.Value, f protoreflect.FieldDescriptor, depth int) protoreflect.Value {
	zero := r.IntN(3) == 0
	switch f.Kind() {
	case protoreflect.MessageKind:
		r.fill(empty.Message(), depth-1)
		return empty
	case protoreflect.StringKind:
		return protoreflect.ValueOfString([]string{"", "x", "añ/b.1"}[r.IntN(3)])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{1, 2, 3}[:r.IntN(4)])
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(r.IntN(15)))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32([]float32{0, 1.5, -2}[r.IntN(3)])
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64([]float64{0, 1.5, -2}[r.IntN(3)])
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(r.Uint64() >> r.IntN(64))
	case protoreflect.Int32Kind:
		if zero {
			return protoreflect.ValueOfInt32(0)
		}
		return protoreflect.ValueOfInt32(int32(r.IntN(27)))
	default:
		if zero {
			return protoreflect.ValueOfInt64(0)
		}
		return protoreflect.ValueOfInt64(int64(r.Uint64()) >> r.IntN(64))
	}
}

// dataOf gives the field of TensorProto for some types and the largest number that its elements can be.
var dataOf = []struct {
	dtype onnx.DType
	field protoreflect.Name
	width int // bits of an element; 0 where any value of the field is one
	sign  bool
}{
	{onnx.Float32, "float_data", 0, false}, {onnx.Float64, "double_data", 0, false}, {onnx.String, "string_data", 0, false},
	{onnx.Int64, "int64_data", 0, true}, {onnx.Uint64, "uint64_data", 0, false}, {onnx.Uint32, "uint64_data", 32, false},
	{onnx.Int32, "int32_data", 32, true}, {onnx.Int8, "int32_data", 8, true}, {onnx.Int16, "int32_data", 16, true},
	{onnx.Uint8, "int32_data", 8, false}, {onnx.Float16, "int32_data", 16, false}, {onnx.Bool, "int32_data", 1, false},
	{onnx.BFloat16, "int32_data", 16, false}, {onnx.Int4, "int32_data", 8, false}, {onnx.Float8E5M2, "int32_data", 8, false},
	{onnx.Int64, "raw_data", 0, false}, {onnx.Float4E2M1, "raw_data", 0, false}, {onnx.DType(99), "raw_data", 0, false},
}

// oneKindOfData leaves a tensor one field of elements, which belongs to its type: others have no meaning, and none in
// another file.
func (r filler) oneKindOfData(m protoreflect.Message) {
	c := dataOf[r.IntN(len(dataOf))]
	fields := m.Descriptor().Fields()
	for _, name := range []protoreflect.Name{"float_data", "int32_data", "int64_data", "double_data", "uint64_data",
		"string_data", "raw_data", "external_data", "data_location"} {
		if name != c.field {
			m.Clear(fields.ByName(name))
		}
	}
	m.Set(fields.ByName("data_type"), protoreflect.ValueOfInt32(int32(c.dtype)))
	if c.width == 0 || c.width > 32 {
		return
	}
	list := m.Mutable(fields.ByName(c.field)).List()
	for i := range list.Len() {
		v := r.Int64N(1 << c.width)
		if c.sign {
			v -= 1 << (c.width - 1)
		}
		if c.field == "uint64_data" {
			list.Set(i, protoreflect.ValueOfUint64(uint64(v)))
		} else {
			list.Set(i, protoreflect.ValueOfInt32(int32(v)))
		}
	}
}

// Random models written by Google's protobuf library, every field of the schema among theirs, come back the same.
func TestEveryFieldIsKept(t *testing.T) {
	message := modelMessage(t)
	fields := map[protoreflect.FullName]bool{}
	for seed := range uint64(150) {
		r := filler{rand.New(rand.NewPCG(seed, 1))}
		m := dynamicpb.NewMessage(message)
		r.fill(m, 7)
		m.Mutable(message.Fields().ByName("graph"))
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		note(m, fields)
		model, err := onnx.Parse(want)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		have, err := model.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again := dynamicpb.NewMessage(message)
		if err := proto.Unmarshal(have, again); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		// The library puts the fields of a oneof last, we put them in their place, so only the lengths agree always.
		if !proto.Equal(m, again) || len(have) != len(want) {
			t.Fatalf("seed %d: %d bytes became %d; equal as messages: %v", seed, len(want), len(have), proto.Equal(m, again))
		}
		second, err := onnx.Parse(have)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := second.Bytes(); err != nil || !bytes.Equal(have, twice) || !onnx.Same(model, second) {
			t.Fatalf("seed %d: the model read again differs (%v)", seed, err)
		}
	}
	file := message.ParentFile()
	for i := range file.Messages().Len() {
		all := file.Messages().Get(i).Fields()
		for k := range all.Len() {
			name := all.Get(k).FullName()
			outside := name == "onnx.TensorProto.external_data" || name == "onnx.TensorProto.data_location"
			if !fields[name] && !outside {
				t.Errorf("no model had %s", name)
			}
		}
	}
}

// note collects the names of the fields that are set anywhere in m.
func note(m protoreflect.Message, names map[protoreflect.FullName]bool) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		names[f.FullName()] = true
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				note(v.List().Get(i).Message(), names)
			}
		default:
			note(v.Message(), names)
		}
		return true
	})
}

// Elements written as numbers of their type, by Google's library, are the same as raw ones.
func TestElementsWrittenAsNumbers(t *testing.T) {
	message := modelMessage(t)
	for _, c := range []struct {
		dtype onnx.DType
		field protoreflect.Name
		list  []any
		want  []byte
	}{
		{onnx.Float32, "float_data", []any{float32(1), float32(-2)}, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}},
		{onnx.Complex64, "float_data", []any{float32(1), float32(-2)}, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}},
		{onnx.Float64, "double_data", []any{float64(1)}, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}},
		{onnx.Int32, "int32_data", []any{int32(-2), int32(3)}, []byte{0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0}},
		{onnx.Int16, "int32_data", []any{int32(-2), int32(259)}, []byte{0xfe, 0xff, 3, 1}},
		{onnx.Int8, "int32_data", []any{int32(-128), int32(127)}, []byte{0x80, 0x7f}},
		{onnx.Uint8, "int32_data", []any{int32(255)}, []byte{0xff}},
		{onnx.Bool, "int32_data", []any{int32(1), int32(0)}, []byte{1, 0}},
		{onnx.Float16, "int32_data", []any{int32(0x3c00)}, []byte{0, 0x3c}},
		{onnx.BFloat16, "int32_data", []any{int32(0xff80)}, []byte{0x80, 0xff}},
		{onnx.Int4, "int32_data", []any{int32(0xf1)}, []byte{0xf1}},
		{onnx.Int64, "int64_data", []any{int64(-2)}, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{onnx.Uint64, "uint64_data", []any{uint64(1 << 63)}, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}},
		{onnx.Uint32, "uint64_data", []any{uint64(1 << 31)}, []byte{0, 0, 0, 0x80}},
	} {
		tensor, file := modelOfOneTensor(message, c.dtype)
		list := tensor.Mutable(tensor.Descriptor().Fields().ByName(c.field)).List()
		for _, v := range c.list {
			list.Append(protoreflect.ValueOf(v))
		}
		m, err := onnx.Parse(file())
		if err != nil {
			t.Errorf("%v: %v", c.dtype, err)
			continue
		}
		if got := m.Graph.Initializers[0].Data; !bytes.Equal(got, c.want) {
			t.Errorf("%v: got % x, want % x", c.dtype, got, c.want)
		}
		tensor.Set(tensor.Descriptor().Fields().ByName("raw_data"), protoreflect.ValueOfBytes([]byte{1}))
		var malformed *onnx.MalformedError
		if _, err := onnx.Parse(file()); !errors.As(err, &malformed) || malformed.Tensor != "w" {
			t.Errorf("%v given twice: got %v", c.dtype, err)
		}
	}
	tensor, file := modelOfOneTensor(message, onnx.Int8)
	tensor.Mutable(tensor.Descriptor().Fields().ByName("int32_data")).List().Append(protoreflect.ValueOfInt32(256))
	if _, err := onnx.Parse(file()); err == nil || !strings.Contains(err.Error(), "256") {
		t.Errorf("256 as int8: got %v", err)
	}
}

// modelOfOneTensor returns the initializer "w" of a model, and what writes that model.
func modelOfOneTensor(message protoreflect.MessageDescriptor, dtype onnx.DType) (protoreflect.Message, func() []byte) {
	m := dynamicpb.NewMessage(message)
	graph := m.Mutable(message.Fields().ByName("graph")).Message()
	list := graph.Mutable(graph.Descriptor().Fields().ByName("initializer")).List()
	tensor := list.AppendMutable().Message()
	fields := tensor.Descriptor().Fields()
	tensor.Set(fields.ByName("name"), protoreflect.ValueOfString("w"))
	tensor.Set(fields.ByName("data_type"), protoreflect.ValueOfInt32(int32(dtype)))
	return tensor, func() []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			return nil // Parse will say so
		}
		return b
	}
}

// Fields may come in any order: a graph whose fields are shuffled into each other is the same graph.
func TestFieldsInAnyOrder(t *testing.T) {
	for _, path := range everyModel(t)[:4] {
		data := read(t, path)
		var others, graph []byte
		for b := data; len(b) > 0; {
			num, typ, n := protowire.ConsumeField(b)
			if num == 7 && typ == protowire.BytesType {
				_, _, tag := protowire.ConsumeTag(b)
				graph, _ = protowire.ConsumeBytes(b[tag:])
			} else {
				others = append(others, b[:n]...)
			}
			b = b[n:]
		}
		kinds := map[protowire.Number][][]byte{} // the graph's fields by number, in order
		for b := graph; len(b) > 0; {
			num, _, n := protowire.ConsumeField(b)
			kinds[num] = append(kinds[num], b[:n])
			b = b[n:]
		}
		var shuffled []byte
		for len(kinds) > 0 {
			for num := protowire.Number(31); num > 0; num-- { // backwards, one of each kind in turn
				if list := kinds[num]; len(list) > 1 {
					shuffled, kinds[num] = append(shuffled, list[0]...), list[1:]
				} else if len(list) == 1 {
					shuffled = append(shuffled, list[0]...)
					delete(kinds, num)
				}
			}
		}
		want, err := onnx.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := onnx.Parse(append(field(7, shuffled), others...))
		if err != nil {
			t.Fatal(err)
		}
		if !onnx.Same(got, want) {
			t.Errorf("%s: shuffled, the model is another", path)
		}
		if b, err := got.Bytes(); err != nil || !bytes.Equal(b, data) {
			t.Errorf("%s: saved, the fields are not in order (%v)", path, err)
		}
	}
}
