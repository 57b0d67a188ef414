package ort

import (
	"syscall"
	"unsafe"
)

// openLibrary loads a shared library for the rest of the process and returns the address of its OrtGetApiBase.
func openLibrary(path string) (unsafe.Pointer, error) {
	handle, err := syscall.LoadLibrary(path)
	if err != nil {
		return nil, err
	}
	entry, err := syscall.GetProcAddress(handle, entryPoint)
	if err != nil {
		return nil, err
	}
	return *(*unsafe.Pointer)(unsafe.Pointer(&entry)), nil
}
