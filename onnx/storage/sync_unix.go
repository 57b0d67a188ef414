//go:build unix

package storage

import (
	"errors"
	"os"
	"syscall"
)

// syncFile brings one file's bytes to disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncUnsupported reports whether a file system refused to sync a folder because it never does.
func syncUnsupported(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}
