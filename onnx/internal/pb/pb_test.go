package pb

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// wire joins fields into a message.
func wire(fields ...[]byte) []byte { return slices.Concat(fields...) }

func varintField(num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
}

func bytesField(num protowire.Number, content string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), content)
}

func floatField(num protowire.Number, bits uint32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(nil, num, protowire.Fixed32Type), bits)
}

func ints(v Varints) []uint64 {
	out := make([]uint64, 0, v.Len())
	v.Each(func(i int, x uint64) {
		if i == len(out) {
			out = append(out, x)
		}
	})
	return out
}

// Repeated numbers are read packed, loose and mixed, wherever in the message they lie.
func TestRepeatedNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		message []byte
		want    []uint64
		unusual bool
	}{
		"absent":       {wire(bytesField(8, "w")), nil, false},
		"loose":        {wire(varintField(1, 5), varintField(1, 300)), []uint64{5, 300}, false},
		"packed":       {wire(bytesField(1, "\x05\xac\x02")), []uint64{5, 300}, true},
		"packed none":  {wire(bytesField(1, "")), nil, true},
		"mixed":        {wire(varintField(1, 5), bytesField(1, "\x01\x02"), varintField(1, 6)), []uint64{5, 1, 2, 6}, true},
		"apart":        {wire(varintField(1, 5), bytesField(8, "w"), varintField(2, 1), varintField(1, 6)), []uint64{5, 6}, false},
		"another type": {wire(varintField(1, 5), floatField(1, 9), varintField(1, 6)), []uint64{5, 6}, false},
	} {
		var m TensorProto
		if err := m.Unmarshal(c.message); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := ints(m.Dims); !slices.Equal(got, c.want) || m.Dims.Len() != len(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if m.Form.Has(1) != c.unusual {
			t.Errorf("%s: form %b", name, m.Form)
		}
	}
	var m TensorProto
	if err := m.Unmarshal(wire(floatField(4, 1), bytesField(9, "raw"), bytesField(4, "\x02\x00\x00\x00\x03\x00\x00\x00"))); err != nil {
		t.Fatal(err)
	}
	if got := m.FloatData.Bytes(); string(got) != "\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00" {
		t.Errorf("floats: % x", got)
	}
}

// Views alias what they were read from; only what lies apart is put together.
func TestViewsAlias(t *testing.T) {
	message := wire(bytesField(4, "\x01\x00\x00\x00"), bytesField(9, "raw"), bytesField(6, "a"), bytesField(6, "b"), varintField(99, 1),
		varintField(98, 2))
	var m TensorProto
	if err := m.Unmarshal(message); err != nil {
		t.Fatal(err)
	}
	for name, view := range map[string][]byte{
		"bytes": m.RawData, "floats": m.FloatData.Bytes(), "raw fields": m.StringData.Raw(), "unknown": m.Unknown,
	} {
		if i := bytes.Index(message, view); len(view) == 0 || i < 0 || &message[i] != &view[0] || cap(view) != len(view) {
			t.Errorf("%s: not a view of the message that cannot grow over it", name)
		}
	}
	apart := wire(bytesField(6, "a"), varintField(99, 1), bytesField(6, "b"), varintField(2, 1), varintField(98, 2))
	m = TensorProto{}
	if err := m.Unmarshal(apart); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.StringData.Raw(), wire(bytesField(6, "a"), bytesField(6, "b"))) ||
		!bytes.Equal(m.Unknown, wire(varintField(99, 1), varintField(98, 2))) {
		t.Errorf("fields apart: %q, unknown %q", m.StringData.Raw(), m.Unknown)
	}
}

func TestUnmarshalErrors(t *testing.T) {
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"truncated tag":      {[]byte{0x80}, "byte 0 of 1"},
		"truncated varint":   {[]byte{0x10, 0x80}, "unexpected EOF"},
		"truncated bytes":    {wire(varintField(2, 1), []byte{0x4a, 5, 'r'}), "byte 2 of 5"},
		"field zero":         {[]byte{0}, "invalid field number"},
		"end without group":  {[]byte{0x0c}, "mismatching end group"},
		"bad packed varint":  {bytesField(1, "\x80"), "unexpected EOF"},
		"varint overflows":   {bytesField(1, strings.Repeat("\xff", 10)+"\x01"), "overflow"},
		"half a float":       {bytesField(4, "12345"), "5 bytes are no whole number of 4-byte values"},
		"half a double":      {bytesField(10, "1234"), "8-byte"},
		"length of a galaxy": {append([]byte{0x4a}, protowire.AppendVarint(nil, 1<<63)...), "unexpected EOF"},
	} {
		var m TensorProto
		if err := m.Unmarshal(c.message); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.HasPrefix(err.Error(), "TensorProto, byte ") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	var m ModelProto
	if err := m.Unmarshal(wire(bytesField(7, ""), bytesField(7, ""))); err == nil || !strings.Contains(err.Error(), "field 7 occurs twice") {
		t.Errorf("two graphs: %v", err)
	}
}

// The encoder writes lengths before it has written what they measure; nested ones must agree.
func TestEncoderMeasuresFirst(t *testing.T) {
	write := func(e *Encoder) {
		e.Message(ModelGraph, func(e *Encoder) {
			for range 3 {
				e.Message(GraphInitializer, func(e *Encoder) {
					e.Ints(TensorDims, []int64{-1, 200}, 0)
					e.Ints(TensorDims, []int64{-1, 200}, 1<<TensorDims)
					e.Bytes(TensorRawData, make([]byte, 200), 0)
					e.Message(TensorExternalData, func(e *Encoder) { e.String(StringStringEntryKey, strings.Repeat("k", 130), 0) })
				})
			}
			e.String(GraphName, "", 0)
			e.String(GraphDocString, "", 1<<GraphDocString)
		})
	}
	var b bytes.Buffer
	if err := Write(&b, write); err != nil {
		t.Fatal(err)
	}
	if n := Size(write); n != int64(b.Len()) {
		t.Errorf("measured %d bytes, wrote %d", n, b.Len())
	}
	var m ModelProto
	var g GraphProto
	if err := m.Unmarshal(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := Decode(m.Graph, &g); err != nil {
		t.Fatal(err)
	}
	var tensor TensorProto
	seen := 0
	err := Each(g.Initializer, &tensor, func(i int, p *TensorProto) error {
		if got := ints(p.Dims); i != seen || !slices.Equal(got, []uint64{1<<64 - 1, 200, 1<<64 - 1, 200}) || len(p.RawData) != 200 {
			t.Errorf("tensor %d: %v, %d bytes", i, got, len(p.RawData))
		}
		seen++
		return nil
	})
	if err != nil || seen != 3 || g.Form.Has(2) || !g.Form.Has(10) {
		t.Errorf("%d tensors, form %b, %v", seen, g.Form, err)
	}
}
