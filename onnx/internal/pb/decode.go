// Package pb reads and writes ONNX's wire format (protocol buffers) without copying: a message is decoded into a struct
// of views on the bytes it came from, and memory is used only for what the reader then does with them.
//
// onnx.proto states the format, onnx.gen.go is generated from it: for each message a struct of views with an Unmarshal
// method, and for each field a constant that the [Encoder] takes.
package pb

//go:generate go run ./gen onnx.proto onnx.gen.go

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Form says how the file wrote what can be written in two ways. The bit of a field's number is set where a singular
// field was present though zero, or a repeated number was packed though declared unpacked, or the other way round.
type Form uint32

// Has reports whether the bit of field number n is set.
func (f Form) Has(n int32) bool { return f&(1<<uint(n)) != 0 }

// Base is what every message holds beside its fields.
type Base struct {
	Form    Form
	Unknown []byte // fields not in onnx.proto, tags and all, in file order
}

// A Message is a singular sub-message still encoded; nil where the field was absent. [Decode] reads it.
type Message[T any] []byte

// Unmarshaler is a pointer to a generated struct.
type Unmarshaler[T any] interface {
	*T
	Unmarshal(b []byte) error
}

// Decode reads m into t; an absent m is an empty message.
func Decode[T any, P Unmarshaler[T]](m Message[T], t *T) error {
	*t = *new(T)
	return P(t).Unmarshal(m)
}

// Messages are the sub-messages of a repeated field, still encoded. [Each] reads them.
type Messages[T any] struct{ span }

// Each decodes the messages into t, one after the other in file order, and calls f after each one. It stops at the first
// error.
func Each[T any, P Unmarshaler[T]](s Messages[T], t *T, f func(i int, t *T) error) error {
	i := 0
	for r := s.reader(); r.nextOf(s.num); {
		if r.typ != protowire.BytesType {
			continue
		}
		if err := Decode[T, P](r.payload(), t); err != nil {
			return err
		}
		if err := f(i, t); err != nil {
			return err
		}
		i++
	}
	return nil
}

// Blobs are the strings or byte strings of a repeated field.
type Blobs struct{ span }

// Each calls f with each of them; the bytes alias the input.
func (s Blobs) Each(f func(i int, b []byte)) {
	i := 0
	for r := s.reader(); r.nextOf(s.num); {
		if r.typ == protowire.BytesType {
			f(i, r.payload())
			i++
		}
	}
}

// Varints are the integers of a repeated field, packed or not.
type Varints struct {
	span
	values int
}

// Len is the number of integers.
func (s Varints) Len() int { return s.values }

// Each calls f with each integer's 64 bits.
func (s Varints) Each(f func(i int, v uint64)) {
	i := 0
	for r := s.reader(); r.nextOf(s.num); {
		var b []byte
		switch r.typ {
		case protowire.VarintType:
			b = r.b[r.value:r.pos]
		case protowire.BytesType:
			b = r.payload()
		}
		for len(b) > 0 {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return // cannot be: Unmarshal looked at every one
			}
			f(i, v)
			i++
			b = b[n:]
		}
	}
}

// Fixed are the floats or doubles of a repeated field, packed or not.
type Fixed struct {
	span
	size int // total bytes
}

// Size is the length of what Bytes returns.
func (s Fixed) Size() int { return s.size }

// Bytes returns the numbers' little-endian bytes. They alias the input where it holds them in one run.
func (s Fixed) Bytes() []byte {
	var out []byte
	for r := s.reader(); r.nextOf(s.num); {
		var b []byte
		switch r.typ {
		case protowire.Fixed32Type, protowire.Fixed64Type:
			b = r.b[r.value:r.pos]
		case protowire.BytesType:
			b = r.payload()
		}
		if len(b) == s.size {
			return b[:len(b):len(b)]
		}
		if out == nil {
			out = make([]byte, 0, s.size)
		}
		out = append(out, b...)
	}
	return out
}

// A span is the part of a message from a repeated field's first occurrence to its last. Other fields may lie between.
type span struct {
	b    []byte
	from int // where b starts in its message
	num  protowire.Number
	n    int // occurrences
}

// Len is the number of occurrences.
func (s span) Len() int { return s.n }

// Present reports whether the field occurs at all.
func (s span) Present() bool { return s.n > 0 }

// Raw returns the occurrences as the file wrote them, tags included; nil where there are none. They alias the input
// where nothing lies between them.
func (s span) Raw() []byte {
	var first, last, total int
	for r := s.reader(); r.nextOf(s.num); {
		if total == 0 {
			first = r.start
		}
		last = r.pos
		total += r.pos - r.start
	}
	if total == last-first {
		return s.b[first:last:last]
	}
	out := make([]byte, 0, total)
	for r := s.reader(); r.nextOf(s.num); {
		out = append(out, r.b[r.start:r.pos]...)
	}
	return out
}

func (s span) reader() reader { return reader{b: s.b} }

// A reader walks the fields of one message.
type reader struct {
	b    []byte
	name string // the message's, for errors
	base *Base
	err  error

	start, value, pos int // the current field: where its tag starts, its value starts, it ends
	num               protowire.Number
	typ               protowire.Type
	tail              int // where the last unknown field ended
}

// next moves to the next field; false at the end and after an error.
func (r *reader) next() bool {
	if r.err != nil || r.pos >= len(r.b) {
		return false
	}
	r.start = r.pos
	num, typ, n := protowire.ConsumeTag(r.b[r.pos:])
	if n < 0 {
		return r.fail(protowire.ParseError(n))
	}
	r.num, r.typ, r.value = num, typ, r.pos+n
	n = protowire.ConsumeFieldValue(num, typ, r.b[r.value:])
	if n < 0 {
		return r.fail(protowire.ParseError(n))
	}
	r.pos = r.value + n
	return true
}

// nextOf moves to the next field of number num.
func (r *reader) nextOf(num protowire.Number) bool {
	for r.next() {
		if r.num == num {
			return true
		}
	}
	return false
}

func (r *reader) fail(err error) bool {
	r.err = fmt.Errorf("%s, byte %d of %d: %w", r.name, r.start, len(r.b), err)
	return false
}

// payload returns the content of a length-delimited field.
func (r *reader) payload() []byte {
	b, _ := protowire.ConsumeBytes(r.b[r.value:r.pos])
	return b[:len(b):len(b)]
}

// is reports whether the field has wire type t; where it has not, it is kept as an unknown field.
func (r *reader) is(t protowire.Type) bool {
	if r.typ != t {
		r.unknown()
	}
	return r.typ == t
}

// unknown keeps the field as it came, aliasing the input as long as unknown fields are neighbours.
func (r *reader) unknown() {
	u := r.base.Unknown
	switch {
	case len(u) == 0:
		u = r.b[r.start:r.pos:r.pos]
	case r.tail == r.start && cap(u) == len(u) && r.start >= len(u) && &u[0] == &r.b[r.start-len(u)]:
		u = r.b[r.start-len(u) : r.pos : r.pos]
	default:
		u = append(u, r.b[r.start:r.pos]...)
	}
	r.base.Unknown, r.tail = u, r.pos
}

// form notes that the current field was written in its less usual way.
func (r *reader) form(unusual bool) {
	if unusual {
		r.base.Form |= 1 << uint(r.num)
	}
}

// bytes reads a string or bytes field.
func (r *reader) bytes(dst *[]byte) {
	if r.is(protowire.BytesType) {
		*dst = r.payload()
		r.form(len(*dst) == 0)
	}
}

// varint reads an integer field.
func (r *reader) varint(dst *int64) {
	if r.is(protowire.VarintType) {
		v, _ := protowire.ConsumeVarint(r.b[r.value:])
		*dst = int64(v)
		r.form(v == 0)
	}
}

// fixed32 reads a float field's bits.
func (r *reader) fixed32(dst *uint32) {
	if r.is(protowire.Fixed32Type) {
		*dst, _ = protowire.ConsumeFixed32(r.b[r.value:])
		r.form(*dst == 0)
	}
}

// extend notes one more occurrence of a repeated field.
func (r *reader) extend(s *span) {
	if s.n == 0 {
		s.num, s.from = r.num, r.start
	}
	s.b = r.b[s.from:r.pos:r.pos]
	s.n++
}

// list reads an occurrence of a repeated string, bytes or message field.
func (r *reader) list(s *span) {
	if r.is(protowire.BytesType) {
		r.extend(s)
	}
}

// varints reads an occurrence of a repeated integer field.
func (r *reader) varints(s *Varints, packed bool) {
	switch r.typ {
	case protowire.VarintType:
		s.values++
	case protowire.BytesType:
		n, err := countVarints(r.payload())
		if err != nil {
			r.fail(err)
			return
		}
		s.values += n
	default:
		r.unknown()
		return
	}
	r.extend(&s.span)
	r.form(packed != (r.typ == protowire.BytesType))
}

// countVarints returns how many varints b is made of.
func countVarints(b []byte) (int, error) {
	count := 0
	for len(b) > 0 {
		_, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		b = b[n:]
		count++
	}
	return count, nil
}

// fixed reads an occurrence of a repeated float (width 4) or double (width 8) field.
func (r *reader) fixed(s *Fixed, width int, packed bool) {
	single := protowire.Fixed32Type
	if width == 8 {
		single = protowire.Fixed64Type
	}
	n := width
	switch r.typ {
	case single:
	case protowire.BytesType:
		if n = len(r.payload()); n%width != 0 {
			r.fail(fmt.Errorf("%d bytes are no whole number of %d-byte values", n, width))
			return
		}
	default:
		r.unknown()
		return
	}
	s.size += n
	r.extend(&s.span)
	r.form(packed != (r.typ == protowire.BytesType))
}

// sub reads a singular message field. Protocol buffers would merge two occurrences; no writer makes them.
func sub[T any](r *reader, dst *Message[T]) {
	switch {
	case !r.is(protowire.BytesType):
	case *dst != nil:
		r.fail(fmt.Errorf("field %d occurs twice", r.num))
	default:
		*dst = r.payload()
	}
}
