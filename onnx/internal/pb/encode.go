package pb

import (
	"bufio"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers by what the field holds; onnx.gen.go has one constant for each field of the format.
type (
	StringField   int32 // a string
	BytesField    int32
	IntField      int32 // any integer or enum
	FloatField    int32
	MessageField  int32 // a message, singular or repeated
	StringsField  int32
	BytessField   int32 // repeated bytes
	IntsField     int32 // repeated integers, unpacked unless the Form says otherwise
	FloatsField   int32 // repeated floats, likewise
	PackedField   int32 // repeated integers, packed unless the Form says otherwise
	PackedFixed32 int32 // repeated floats, likewise
	PackedFixed64 int32 // repeated doubles, likewise
)

// An Encoder writes one message. It is made by [Size] and [Write], which call the writing function once or twice: the
// first time lengths are measured, the second time bytes are written, so nothing is ever held or moved in memory.
type Encoder struct {
	w       *bufio.Writer // nil while lengths are measured
	n       int64         // bytes so far
	sizes   []int64       // lengths of the nested messages, in the order they begin
	next    int           // the next of sizes to write
	err     error
	scratch []byte
}

// Size returns the length of the message that f writes.
func Size(f func(*Encoder)) int64 {
	var e Encoder
	f(&e)
	return e.n
}

// Write writes to w the message that f makes. f is called twice and must do the same both times.
func Write(w io.Writer, f func(*Encoder)) error {
	var measure Encoder
	f(&measure)
	e := Encoder{w: bufio.NewWriterSize(w, 64<<10), sizes: measure.sizes}
	f(&e)
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}

// String writes s unless it is empty and the form does not ask for it.
func (e *Encoder) String(f StringField, s string, form Form) {
	if s != "" || form.Has(int32(f)) {
		e.str(int32(f), s)
	}
}

// Bytes writes b, empty or not, unless it is nil and the form does not ask for it.
func (e *Encoder) Bytes(f BytesField, b []byte, form Form) {
	if b != nil || form.Has(int32(f)) {
		e.bytes(int32(f), b)
	}
}

// Int writes v unless it is zero and the form does not ask for it.
func (e *Encoder) Int(f IntField, v int64, form Form) {
	if v != 0 || form.Has(int32(f)) {
		e.tag(int32(f), protowire.VarintType)
		e.varint(uint64(v))
	}
}

// Float writes v unless it is positive zero and the form does not ask for it.
func (e *Encoder) Float(f FloatField, v float32, form Form) {
	bits := math.Float32bits(v)
	if bits != 0 || form.Has(int32(f)) {
		e.tag(int32(f), protowire.Fixed32Type)
		e.fixed32(bits)
	}
}

// Strings writes each of v.
func (e *Encoder) Strings(f StringsField, v []string) {
	for _, s := range v {
		e.str(int32(f), s)
	}
}

// Bytess writes each of v.
func (e *Encoder) Bytess(f BytessField, v [][]byte) {
	for _, b := range v {
		e.bytes(int32(f), b)
	}
}

// Ints writes v.
func (e *Encoder) Ints(f IntsField, v []int64, form Form) {
	e.varints(int32(f), len(v), func(i int) uint64 { return uint64(v[i]) }, form.Has(int32(f)))
}

// Floats writes v.
func (e *Encoder) Floats(f FloatsField, v []float32, form Form) {
	if len(v) == 0 {
		return
	}
	packed := form.Has(int32(f))
	if packed {
		e.tag(int32(f), protowire.BytesType)
		e.varint(uint64(len(v)) * 4)
	}
	for _, x := range v {
		if !packed {
			e.tag(int32(f), protowire.Fixed32Type)
		}
		e.fixed32(math.Float32bits(x))
	}
}

// Packed writes n integers, each given by its 64 bits.
func (e *Encoder) Packed(f PackedField, n int, at func(i int) uint64, form Form) {
	e.varints(int32(f), n, at, !form.Has(int32(f)))
}

// Fixed32 writes floats given by their little-endian bytes, a multiple of 4.
func (e *Encoder) Fixed32(f PackedFixed32, b []byte, form Form) {
	e.fixed(int32(f), b, 4, protowire.Fixed32Type, !form.Has(int32(f)))
}

// Fixed64 writes doubles given by their little-endian bytes, a multiple of 8.
func (e *Encoder) Fixed64(f PackedFixed64, b []byte, form Form) {
	e.fixed(int32(f), b, 8, protowire.Fixed64Type, !form.Has(int32(f)))
}

// Message writes the nested message that write makes.
func (e *Encoder) Message(f MessageField, write func(*Encoder)) {
	e.tag(int32(f), protowire.BytesType)
	if e.w != nil {
		size := e.sizes[e.next]
		e.next++
		e.varint(uint64(size))
		write(e)
		return
	}
	at := len(e.sizes)
	e.sizes = append(e.sizes, 0)
	start := e.n
	write(e)
	e.sizes[at] = e.n - start
	e.varint(uint64(e.sizes[at]))
}

// AppendMessage appends to b a message field whose content is encoded already.
func AppendMessage(b []byte, f MessageField, content []byte) []byte {
	b = protowire.AppendTag(b, protowire.Number(f), protowire.BytesType)
	return protowire.AppendBytes(b, content)
}

// Encoded writes a nested message that is encoded already.
func (e *Encoder) Encoded(f MessageField, b []byte) { e.bytes(int32(f), b) }

// Raw writes fields that are encoded already, tags included.
func (e *Encoder) Raw(b []byte) {
	e.n += int64(len(b))
	if e.w != nil && e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *Encoder) str(num int32, s string) {
	e.tag(num, protowire.BytesType)
	e.varint(uint64(len(s)))
	e.n += int64(len(s))
	if e.w != nil && e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

func (e *Encoder) bytes(num int32, b []byte) {
	e.tag(num, protowire.BytesType)
	e.varint(uint64(len(b)))
	e.Raw(b)
}

func (e *Encoder) varints(num int32, n int, at func(i int) uint64, packed bool) {
	if n == 0 {
		return
	}
	if packed {
		size := 0
		for i := range n {
			size += protowire.SizeVarint(at(i))
		}
		e.tag(num, protowire.BytesType)
		e.varint(uint64(size))
	}
	for i := range n {
		if !packed {
			e.tag(num, protowire.VarintType)
		}
		e.varint(at(i))
	}
}

func (e *Encoder) fixed(num int32, b []byte, width int, typ protowire.Type, packed bool) {
	switch {
	case len(b) == 0:
	case packed:
		e.bytes(num, b)
	default:
		for ; len(b) >= width; b = b[width:] {
			e.tag(num, typ)
			e.Raw(b[:width])
		}
	}
}

func (e *Encoder) tag(num int32, typ protowire.Type) {
	e.varint(protowire.EncodeTag(protowire.Number(num), typ))
}

func (e *Encoder) varint(v uint64) {
	if e.w == nil {
		e.n += int64(protowire.SizeVarint(v))
		return
	}
	e.scratch = protowire.AppendVarint(e.scratch[:0], v)
	e.Raw(e.scratch)
}

func (e *Encoder) fixed32(v uint32) {
	if e.w == nil {
		e.n += 4
		return
	}
	e.scratch = protowire.AppendFixed32(e.scratch[:0], v)
	e.Raw(e.scratch)
}
