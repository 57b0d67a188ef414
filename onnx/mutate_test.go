package onnx_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// growth is how many bytes a file may make Load and Check allocate, for each of its own.
const growth = 10

// worst is the largest growth seen in files of some size.
var worst float64

// try reads and checks a damaged model. It must come to an end soon, with a MalformedError or an UnsupportedError if with
// any, without much memory; and a model that can be read must be written and read again.
func try(t testing.TB, name string, data []byte) (loaded bool) {
	t.Helper()
	var before, after runtime.MemStats
	start := time.Now()
	runtime.ReadMemStats(&before)
	m, err := onnx.Parse(data)
	loaded = err == nil
	if loaded {
		err = onnx.Check(m)
	}
	runtime.ReadMemStats(&after)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%s: took %v", name, took)
	}
	used := after.TotalAlloc - before.TotalAlloc
	if len(data) > 100_000 {
		worst = max(worst, float64(used)/float64(len(data)))
	}
	if used > uint64(growth*len(data)+1<<20) {
		t.Errorf("%s: a file of %d bytes made us allocate %d", name, len(data), used)
	}
	var malformed *onnx.MalformedError
	var unsupported *onnx.UnsupportedError
	if err != nil && !errors.As(err, &malformed) && !errors.As(err, &unsupported) {
		t.Errorf("%s: untyped error %v", name, err)
	}
	if loaded {
		again(t, name, m)
	}
	return loaded
}

// again writes a model, reads it and writes it again, which must give the same bytes.
func again(t testing.TB, name string, m *onnx.Model) {
	t.Helper()
	first, err := m.Bytes()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	second, err := onnx.Parse(first)
	if err != nil {
		t.Errorf("%s: read again: %v", name, err)
		return
	}
	if b, err := second.Bytes(); err != nil || !bytes.Equal(b, first) {
		t.Errorf("%s: read and written again, the bytes differ (%v)", name, err)
	}
}

func TestDamagedModels(t *testing.T) {
	const mutations = 1000
	var files [][]byte
	for _, path := range [][]string{
		{"assets", "vision-models", "mobilenetv1_0.25_128", "model_qdq.onnx"},
		{"assets", "vision-models", "resnet20_cifar10", "model.onnx"},
		{"assets", "text-models", "stories260k_llama", "model.onnx"},
		{"minis", "image", "model.onnx"},
	} {
		files = append(files, read(t, onnxtest.Shared(t, path...)))
	}
	loaded := 0
	for seed := range uint64(mutations) {
		r := rand.New(rand.NewPCG(seed, 2))
		original := files[int(seed)%len(files)]
		data := slices.Clone(original)
		structure := structureOf(t, original)
		at := func() int { // half of the damage goes where the graph is, which may be a hundredth of the file
			if r.IntN(2) == 0 {
				return structure[r.IntN(len(structure))]
			}
			return r.IntN(len(data))
		}
		name := "flipped"
		switch r.IntN(5) {
		case 0:
			name, data = "truncated", data[:at()]
		case 1:
			name = "overwritten"
			for i := at(); i < len(data) && r.IntN(8) > 0; i++ {
				data[i] = byte(r.UintN(256))
			}
		case 2:
			name = "cut out"
			if i := at(); i < len(data) {
				data = slices.Delete(data, i, min(len(data), i+1+r.IntN(64)))
			}
		default:
			for range 1 + r.IntN(8) {
				data[at()] ^= 1 << r.UintN(8)
			}
		}
		if try(t, name, data) {
			loaded++
		}
		if seed%20 == 0 { // and as a file
			path := filepath.Join(t.TempDir(), "model.onnx")
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			if m, err := onnx.Load(path); err == nil {
				again(t, name, m)
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	t.Logf("%d of %d damaged models could be read; at most %.2f bytes allocated for each of a file's", loaded, mutations, worst)
	if loaded < mutations/20 || loaded > mutations*19/20 {
		t.Error("nearly all or nearly none: the damage is not of both kinds")
	}
}

var structures = map[*byte][]int{}

// structureOf returns the places in a file that no initializer's data covers.
func structureOf(t testing.TB, data []byte) []int {
	t.Helper()
	if places := structures[&data[0]]; places != nil {
		return places
	}
	m, err := onnx.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	at := 0
	for _, w := range m.Graph.Initializers {
		if len(w.Data) == 0 {
			continue
		}
		start := int(uintptr(unsafe.Pointer(&w.Data[0])) - uintptr(unsafe.Pointer(&data[0])))
		for ; at < start; at++ {
			places = append(places, at)
		}
		at = start + len(w.Data)
	}
	for ; at < len(data); at++ {
		places = append(places, at)
	}
	structures[&data[0]] = places
	return places
}

// Files made to be small themselves and large in memory, or slow.
func TestHostileModels(t *testing.T) {
	const size = 1 << 20
	for name, data := range map[string][]byte{
		"empty nodes":        hostileGraph(many(size, field(1))),
		"empty initializers": hostileGraph(many(size, field(5))),
		"empty values":       hostileGraph(many(size, field(13))),
		"empty sparse":       hostileGraph(many(size, field(15))),
		"empty attributes":   hostileGraph(field(1, field(4, []byte("Op")), many(size, field(5)))),
		"empty inputs":       hostileGraph(field(1, field(4, []byte("Op")), many(size, field(1)))),
		"small nodes":        hostileGraph(many(size, field(1, field(4, []byte("A"))))),
		"empty subgraphs": hostileGraph(field(1, field(3, bytes.Repeat([]byte("name"), size/8)), field(7, []byte("x")),
			many(size/2, field(5, field(1, []byte("a")), field(6))))),
		"empty dimensions":   hostileGraph(field(11, field(2, field(1, field(2, many(size, field(1))))))),
		"empty properties":   hostileGraph(many(size, field(16))),
		"empty annotations":  hostileGraph(many(size, field(14))),
		"empty strings":      hostileGraph(field(5, varint(2, 8), many(size, field(6)))),
		"small integers":     hostileGraph(field(5, varint(2, 7), field(7, make([]byte, size)))),
		"small numbers":      hostileGraph(field(1, field(5, field(8, make([]byte, size))))),
		"dimensions":         hostileGraph(field(5, field(1, make([]byte, size)))),
		"dimensions, loose":  hostileGraph(field(5, many(size, varint(1, 1)))),
		"unknown fields":     hostileGraph(many(size, varint(300, 1), field(1, field(4, []byte("Abs"))))),
		"one name often":     hostileGraph(many(size, field(1, field(2, []byte("y")), field(4, []byte("Relu"))))),
		"two fields in turn": hostileGraph(many(size, field(1, field(4, []byte("A"))), field(5), field(11))),
		"nested graphs":      nested(1000),
		"nested groups":      append(bytes.Repeat([]byte{0x9b, 0x1f}, size), bytes.Repeat([]byte{0x9c, 0x1f}, size)...),
		"huge length":        protowire.AppendVarint([]byte{0x3a}, 1<<62),
		"endless varint":     bytes.Repeat([]byte{0xff}, size),
		"graph twice":        append(hostileGraph(), hostileGraph()...),
		"functions":          append(many(size, field(25)), hostileGraph()...),
		"imports":            append(many(size, field(8)), hostileGraph()...),
		"attributes one op":  hostileGraph(field(1, field(4, []byte("Op")), field(7, []byte("x")), distinct(size/4))),
	} {
		t.Run(name, func(t *testing.T) { try(t, name, data) })
	}
}

// field returns a length-delimited field of the wire format.
func field(num protowire.Number, content ...[]byte) []byte {
	b := protowire.AppendTag(nil, num, protowire.BytesType)
	return protowire.AppendBytes(b, bytes.Join(content, nil))
}

func varint(num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
}

// many repeats fields until they have about size bytes.
func many(size int, fields ...[]byte) []byte {
	one := bytes.Join(fields, nil)
	return bytes.Repeat(one, max(1, size/len(one)))
}

// hostileGraph returns a model whose graph has these fields.
func hostileGraph(fields ...[]byte) []byte {
	return slices.Concat(varint(1, 8), field(8, varint(2, 17)), field(7, fields...))
}

// nested returns a model of graphs in attributes of nodes of graphs.
func nested(depth int) []byte {
	var graph []byte
	for range depth {
		graph = field(1, field(4, []byte("If")), field(5, field(1, []byte("body")), field(6, graph), varint(20, 5)))
	}
	return hostileGraph(graph)
}

// distinct returns integer attributes of different names.
func distinct(size int) (b []byte) {
	for i := uint64(0); len(b) < size; i++ {
		b = append(b, field(5, field(1, protowire.AppendVarint(nil, i)), varint(20, 2))...)
	}
	return b
}

// FuzzParse looks for models that make the reader panic or that it cannot write again as it read them.
func FuzzParse(f *testing.F) {
	f.Add(hostileGraph())
	f.Add(nested(3))
	message := modelMessage(f)
	for seed := range uint64(10) { // models with every field of the format
		m := dynamicpb.NewMessage(message)
		filler{rand.New(rand.NewPCG(seed, 3))}.fill(m, 4)
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Parse(data)
		if err != nil {
			return
		}
		again(t, "fuzzed", m)
		if err := onnx.Check(m); err == nil {
			if _, err := m.Clone().Bytes(); err != nil {
				t.Error(err)
			}
		}
	})
}
