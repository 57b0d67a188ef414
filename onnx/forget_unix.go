//go:build unix

package onnx

import "golang.org/x/sys/unix"

// forget gives back the pages of a mapping that were read in.
func forget(mapped []byte) {
	if len(mapped) > 0 {
		unix.Madvise(mapped, unix.MADV_DONTNEED) // a hint: nothing depends on it
	}
}
