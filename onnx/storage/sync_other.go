//go:build !unix

package storage

import "os"

// syncFile brings one file's bytes to disk; Windows wants it open for writing.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncUnsupported: folders cannot be synced here.
func syncUnsupported(error) bool { return true }
