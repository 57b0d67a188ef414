package ort

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// byteLen returns how many bytes a tensor's elements take by its type and shape.
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

// bindings says how large the named dimensions are in these feeds. A name the feeds give two sizes is left out.
func (s *session) bindings(feeds onnx.Feeds) map[string]int64 {
	sizes := map[string]int64{}
	for _, p := range s.inputs {
		t := feeds[p.Name]
		if t == nil || len(t.Shape) != len(p.Shape) {
			continue
		}
		for i, d := range p.Shape {
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
	if p.Type == onnx.Undefined || p.Shape == nil || p.misled.Load() {
		return nil
	}
	t := &onnx.Tensor{Name: p.Name, Type: p.Type, Shape: make([]int64, len(p.Shape))}
	for i, d := range p.Shape {
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
