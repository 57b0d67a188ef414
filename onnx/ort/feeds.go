package ort

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// checkFeeds compares feeds with the model's inputs before anything enters C.
func (s *session) checkFeeds(feeds onnx.Feeds) error {
	known := 0
	for _, p := range s.inputs {
		t, ok := feeds[p.name]
		if !ok {
			if p.optional {
				continue
			}
			return fmt.Errorf("ort: run: input %q is not fed; it wants %s", p.name, p.describe())
		}
		known++
		if err := p.check(t, "input"); err != nil {
			return err
		}
	}
	if known == len(feeds) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		if find(s.inputs, name) == nil {
			return fmt.Errorf("ort: run: the model has no input %q; its inputs are %s", name, list(s.inputs))
		}
	}
	return nil
}

// check compares a tensor with what the port is declared to be: element type, rank, fixed dimensions, amount of data.
func (p *port) check(t *onnx.Tensor, kind string) error {
	switch {
	case t == nil:
		return fmt.Errorf("ort: run: %s %q is nil", kind, p.name)
	case !p.tensor && p.elem == onnx.Undefined && p.shape == nil:
		return p.notATensor(kind)
	case t.Type == onnx.String || p.elem == onnx.String:
		return &onnx.UnsupportedError{Where: onnx.Where{Tensor: p.name}, Problem: "string tensors are not supported; tensors of numbers and bool are"}
	case t.Type != p.elem:
		return fmt.Errorf("ort: run: %s %q has elements of type %v, want %s", kind, p.name, t.Type, p.describe())
	case p.shape != nil && !fits(p.shape, t.Shape):
		return fmt.Errorf("ort: run: %s %q has shape %v, want %s", kind, p.name, t.Shape, p.describe())
	}
	want, err := byteLen(t)
	if err != nil {
		return fmt.Errorf("ort: run: %s %q: %w", kind, p.name, err)
	}
	if int64(len(t.Data)) != want {
		return fmt.Errorf("ort: run: %s %q holds %d bytes, its shape %v of %v takes %d", kind, p.name, len(t.Data), t.Shape, t.Type, want)
	}
	return nil
}

func (p *port) notATensor(kind string) error {
	return &onnx.UnsupportedError{Where: onnx.Where{Tensor: p.name}, Problem: kind + " is a sequence, map or optional; tensors are supported"}
}

// byteLen returns how many bytes a tensor's elements take.
func byteLen(t *onnx.Tensor) (int64, error) {
	n, err := t.Len()
	if err != nil {
		return 0, err
	}
	bits := int64(t.Type.Bits())
	if bits == 0 || n > (1<<62)/bits {
		return 0, fmt.Errorf("shape %v of %v has no size", t.Shape, t.Type)
	}
	return (n*bits + 7) / 8, nil
}

// fits reports whether a shape has the declared rank and fixed dimensions.
func fits(want onnx.Shape, got []int64) bool {
	if len(want) != len(got) {
		return false
	}
	for i, d := range want {
		if d.Known && d.Size != got[i] {
			return false
		}
	}
	return true
}

// describe says what a port is declared to be: "float32 [batch 3 224 224]".
func (p *port) describe() string {
	if p.shape == nil {
		return p.elem.String()
	}
	dims := make([]string, len(p.shape))
	for i, d := range p.shape {
		switch {
		case d.Known:
			dims[i] = fmt.Sprint(d.Size)
		case d.Param != "":
			dims[i] = d.Param
		default:
			dims[i] = "?"
		}
	}
	return fmt.Sprintf("%v [%s]", p.elem, strings.Join(dims, " "))
}

// find returns the port of that name, or nil.
func find(ports []*port, name string) *port {
	for _, p := range ports {
		if p.name == name {
			return p
		}
	}
	return nil
}

// list names ports for an error.
func list(ports []*port) string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = fmt.Sprintf("%q", p.name)
	}
	return strings.Join(names, ", ")
}

// bindings says how large the named dimensions are in these feeds. A name the feeds give two sizes is left out.
func (s *session) bindings(feeds onnx.Feeds) map[string]int64 {
	sizes := map[string]int64{}
	for _, p := range s.inputs {
		t := feeds[p.name]
		if t == nil || len(t.Shape) != len(p.shape) {
			continue
		}
		for i, d := range p.shape {
			if d.Param == "" {
				continue
			}
			if old, ok := sizes[d.Param]; ok && old != t.Shape[i] {
				sizes[d.Param] = -1
			} else {
				sizes[d.Param] = t.Shape[i]
			}
		}
	}
	return sizes
}

// maxGuess bounds the memory given to an output on the word of the model alone.
const maxGuess = 1 << 30

// result allocates an output whose size follows from its declared shape and the feeds; nil where it does not.
func (p *port) result(sizes map[string]int64) *onnx.Tensor {
	if !p.tensor || p.shape == nil || p.elem == onnx.String || p.misled.Load() {
		return nil
	}
	t := &onnx.Tensor{Name: p.name, Type: p.elem, Shape: make([]int64, len(p.shape))}
	for i, d := range p.shape {
		size, ok := d.Size, d.Known
		if d.Param != "" {
			size, ok = sizes[d.Param]
		}
		if !ok || size < 0 {
			return nil
		}
		t.Shape[i] = size
	}
	n, err := byteLen(t)
	if err != nil || n > maxGuess {
		return nil
	}
	t.Data = make([]byte, n)
	return t
}
