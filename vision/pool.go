package vision

import (
	"sync"

	"github.com/onnx-graft/graft/onnx"
)

// tensors keeps the memory of tensors that were given back, to make others of. A batch of pictures takes megabytes, which
// would otherwise be cleared and collected for each.
type tensors struct{ pool sync.Pool }

// take returns a tensor as [Input] wants it; what is in it is not defined.
func (p *tensors) take(in Input, shape []int64) *onnx.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	if in.Type != onnx.Float32 { // as they come: they are small, and seldom
		return &onnx.Tensor{Name: in.Name, Type: in.Type, Shape: shape, Data: make([]byte, n*int64(in.Type.Size()))}
	}
	if kept, ok := p.pool.Get().(*onnx.Tensor); ok {
		if data, err := onnx.View[float32](kept); err == nil && int64(cap(data)) >= n {
			return onnx.NewTensor(in.Name, data[:n], shape...)
		}
	}
	return onnx.NewTensor(in.Name, make([]float32, n), shape...)
}

// give keeps a tensor's memory.
func (p *tensors) give(t *onnx.Tensor) {
	if t != nil && t.Type == onnx.Float32 {
		p.pool.Put(t)
	}
}

// Recycle takes back what Feeds returned, which must not be used afterwards: its memory becomes that of later tensors.
func (p *Preprocessor) Recycle(feeds onnx.Feeds) { p.tensors.give(feeds[p.Input.Name]) }
