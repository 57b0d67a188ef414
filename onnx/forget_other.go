//go:build !unix

package onnx

// forget gives back the pages of a mapping that were read in; here there is no way to ask for it.
func forget([]byte) {}
