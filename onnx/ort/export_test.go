package ort

import (
	"github.com/onnx-graft/graft/onnx"
)

// NewSessionThroughFiles loads a small model in the way of one beyond 2 GiB.
func NewSessionThroughFiles(r *Runtime, m *onnx.Model) (onnx.Session, error) {
	options, err := r.sessionOptions()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	return loadThroughFiles(m, options)
}
