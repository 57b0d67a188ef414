package ort

// #include "shim.h"
import "C"

import (
	"errors"
	"strings"
	"unsafe"
)

// entryPoint is the one function an ONNX Runtime library exports for us.
const entryPoint = "OrtGetApiBase"

// apiVersion is the version of the C API that package onnxruntime_go is written against.
const apiVersion = 24

// libraryVersion returns the version a loaded library gives itself.
func libraryVersion(entry unsafe.Pointer) string { return C.GoString(C.graft_version(entry)) }

// bind readies the calls below; once a process.
func bind(entry unsafe.Pointer) error {
	if C.graft_bind(entry, apiVersion) != 0 {
		return errors.New("the library does not serve the C API version needed")
	}
	return nil
}

// statusError turns a status into an error and frees it.
func statusError(status unsafe.Pointer) error {
	if status == nil {
		return nil
	}
	defer C.graft_free_status(status)
	return errors.New(strings.TrimSpace(C.GoString(C.graft_message(status))))
}

// newValue makes a tensor over data, which must be pinned and stay so until freeValue.
func newValue(data []byte, shape []int64, elem int32) (unsafe.Pointer, error) {
	var value unsafe.Pointer
	status := C.graft_new_value(unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)),
		(*C.int64_t)(unsafe.SliceData(shape)), C.size_t(len(shape)), C.int(elem), &value)
	return value, statusError(status)
}

func freeValue(value unsafe.Pointer) {
	if value != nil {
		C.graft_free_value(value)
	}
}

// describeValue returns a tensor's element type, shape and where its elements are; elem is -1 for other values.
func describeValue(value unsafe.Pointer) (elem int32, shape []int64, data unsafe.Pointer, err error) {
	var kind C.int
	var rank C.size_t
	if err := statusError(C.graft_describe(value, &kind, &rank, &data)); err != nil || kind < 0 {
		return -1, nil, nil, err
	}
	shape = make([]int64, rank)
	if rank > 0 {
		err = statusError(C.graft_dims(value, (*C.int64_t)(&shape[0]), rank))
	}
	return int32(kind), shape, data, err
}

// A call is one Run as C sees it: names and values, all of them C's own pointers.
type call struct {
	session, options        unsafe.Pointer
	inputNames, outputNames []*C.char
	inputs, outputs         []unsafe.Pointer
}

func (c *call) run() error {
	return statusError(C.graft_run(c.session, c.options,
		unsafe.SliceData(c.inputNames), unsafe.SliceData(c.inputs), C.size_t(len(c.inputs)),
		unsafe.SliceData(c.outputNames), C.size_t(len(c.outputs)), unsafe.SliceData(c.outputs)))
}

// availableProviders lists the execution providers compiled into the loaded library.
func availableProviders() ([]string, error) {
	var names **C.char
	var count C.int
	if err := statusError(C.graft_providers(&names, &count)); err != nil {
		return nil, err
	}
	defer C.graft_free_providers(names, count)
	var list []string
	for _, name := range unsafe.Slice(names, int(count)) {
		list = append(list, C.GoString(name))
	}
	return list, nil
}

// setDeterministic asks for deterministic kernels; options is an OrtSessionOptions.
func setDeterministic(options unsafe.Pointer) error {
	return statusError(C.graft_deterministic(options))
}
