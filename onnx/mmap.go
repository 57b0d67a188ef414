package onnx

// A mapping is a read-only view of a file's bytes that lives until Close.
type mapping struct {
	data  []byte
	close func() error
}
