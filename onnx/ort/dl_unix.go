//go:build unix

package ort

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"unsafe"
)

// openLibrary loads a shared library for the rest of the process and returns the address of its OrtGetApiBase.
func openLibrary(path string) (unsafe.Pointer, error) {
	name, symbol := C.CString(path), C.CString(entryPoint)
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(symbol))
	handle := C.dlopen(name, C.RTLD_LAZY)
	if handle == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	entry := C.dlsym(handle, symbol)
	if entry == nil {
		return nil, errors.New(C.GoString(C.dlerror()))
	}
	return entry, nil
}
