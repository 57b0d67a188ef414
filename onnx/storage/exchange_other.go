//go:build !linux

package storage

import "errors"

// exchange is a Linux call; elsewhere two renames do.
func exchange(a, b string) error { return errors.ErrUnsupported }
