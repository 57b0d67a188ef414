// Package storage writes files and folders whole or not at all, finds the cache, and locks between processes.
//
// Whatever is being written lies beside its target under a hidden name until Commit: first the bytes reach the disk,
// then a rename puts them in place. An interrupted program leaves the old content or the new, never a mixture, and what
// a dead process left lying is swept up by the next one that writes there.
package storage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// A File is being written beside its target and appears there at Commit. It is not safe for concurrent use.
type File struct {
	path string // where it will be
	temp *os.File
	err  error // first failed Write
	done bool
}

// Create starts a new content for path, whose folder must exist. A symbolic link at path stays; the file it leads to is
// replaced.
func Create(path string) (*File, error) {
	path = target(path)
	for {
		temp, err := os.OpenFile(stage(path, kindFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fail("create", path, err)
		}
		return &File{path: path, temp: temp}, nil
	}
}

// Write appends p. After an error Commit refuses.
func (f *File) Write(p []byte) (int, error) {
	if f.done {
		return 0, fail("write", f.path, os.ErrClosed)
	}
	n, err := f.temp.Write(p)
	if err != nil {
		err = fail("write", f.path, err)
		f.err = errors.Join(f.err, err)
	}
	return n, err
}

// WriteAt writes p over what Write has written at an offset, such as a header that is known at the end. After an error
// Commit refuses.
func (f *File) WriteAt(p []byte, at int64) (int, error) {
	if f.done {
		return 0, fail("write", f.path, os.ErrClosed)
	}
	n, err := f.temp.WriteAt(p, at)
	if err != nil {
		err = fail("write", f.path, err)
		f.err = errors.Join(f.err, err)
	}
	return n, err
}

// Commit brings the content to disk and into place. Where it fails, path is as it was before and nothing is left.
func (f *File) Commit() error {
	if f.done {
		return fail("commit", f.path, os.ErrClosed)
	}
	err := f.err
	if err == nil {
		if err = f.temp.Sync(); err != nil {
			err = fail("sync", f.path, err)
		}
	}
	if err != nil {
		f.Abort()
		return err
	}
	f.done = true
	if err := f.temp.Close(); err != nil {
		os.Remove(f.temp.Name())
		return fail("close", f.path, err)
	}
	if err := os.Rename(f.temp.Name(), f.path); err != nil {
		os.Remove(f.temp.Name())
		return fail("replace", f.path, err)
	}
	return syncDir(filepath.Dir(f.path))
}

// Abort throws the new content away. After Commit it does nothing, so that it can be deferred.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.temp.Close()
	os.Remove(f.temp.Name())
}

// WriteFile makes data the content of path, whole or not at all.
func WriteFile(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

// The kinds of hidden name a target can have beside it.
const (
	kindFile   = ".graft-new-" // a file being written
	kindFolder = ".graft-dir-" // a folder being written
	kindOld    = ".graft-old-" // a folder that is being replaced
	lockSuffix = ".lock"
)

// stage returns a fresh hidden name of that kind beside path.
func stage(path, kind string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+kind+strconv.FormatUint(rand.Uint64(), 36))
}

// target returns what a symbolic link leads to, and any other path unchanged.
func target(path string) string {
	path = filepath.Clean(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// fail says which of the user's paths an operation failed on; the hidden name below it would mean nothing to them.
func fail(op, path string, err error) error {
	return fmt.Errorf("storage: %s %s: %w", op, path, bareError(err))
}

// bareError returns the reason alone of an error that also names a path.
func bareError(err error) error {
	var one *os.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return one.Err
	case errors.As(err, &two):
		return two.Err
	}
	return err
}

// syncDir makes a rename in dir durable, where the system lets a folder be synced.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil // may be written but not read; the rename has happened all the same
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !syncUnsupported(err) {
		return fail("sync", dir, err)
	}
	return nil
}
