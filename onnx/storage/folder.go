package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Folder is being filled beside its target and appears there, whole, at Commit. It is not safe for concurrent use.
type Folder struct {
	dir    string // where it will be
	temp   string
	unlock func() // tells the living from the dead
	done   bool
}

// NewFolder starts a new content for the folder dir, which need not exist; the folders above it are made. It also puts
// right what an interrupted program left: the old content goes back where it was being replaced, staging folders of dead
// processes go.
func NewFolder(dir string) (*Folder, error) {
	dir, err := filepath.Abs(target(dir))
	if err != nil {
		return nil, fail("create", dir, err)
	}
	if err := replaceable(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return nil, fail("create", dir, err)
	}
	if err := recoverFolder(dir); err != nil {
		return nil, err
	}
	for {
		temp := stage(dir, kindFolder)
		unlock, err := Lock(context.Background(), temp)
		if err != nil {
			return nil, err
		}
		err = os.Mkdir(temp, 0o777)
		if err == nil {
			return &Folder{dir: dir, temp: temp, unlock: unlock}, nil
		}
		unlock()
		if !errors.Is(err, os.ErrExist) {
			return nil, fail("create", dir, err)
		}
	}
}

// Path returns the staging folder; put the files there.
func (f *Folder) Path() string { return f.temp }

// Commit brings every file to disk and the folder into place. An existing folder at the target is replaced whole:
// nothing of it remains. Where Commit fails, the target is as it was before and the staging folder is gone.
func (f *Folder) Commit() error {
	if f.done {
		return fail("commit", f.dir, os.ErrClosed)
	}
	defer f.Abort()
	if err := syncTree(f.temp); err != nil {
		return fail("sync", f.dir, err)
	}
	unlock, err := Lock(context.Background(), stageLock(f.dir))
	if err != nil {
		return err
	}
	defer unlock()
	if err := f.swap(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.dir))
}

// swap puts the staging folder in place of the target and removes the old one. The target's lock is held.
func (f *Folder) swap() error {
	if err := replaceable(f.dir); err != nil {
		return err
	}
	if exchange(f.temp, f.dir) == nil {
		return nil // the old content lies in the staging folder now, which goes with Abort
	}
	old := stage(f.dir, kindOld)
	err := os.Rename(f.dir, old)
	hadOld := err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fail("replace", f.dir, err)
	}
	if err := os.Rename(f.temp, f.dir); err != nil {
		if hadOld {
			err = errors.Join(err, os.Rename(old, f.dir))
		}
		return fail("replace", f.dir, err)
	}
	os.RemoveAll(old) // what stays is swept by the next NewFolder
	return nil
}

// Abort throws the new content away. After Commit it does nothing, so that it can be deferred.
func (f *Folder) Abort() {
	if f.done {
		return
	}
	f.done = true
	os.RemoveAll(f.temp)
	f.unlock()
}

// replaceable refuses targets that a folder cannot or must not be renamed over.
func replaceable(dir string) error {
	if filepath.Dir(dir) == dir {
		return fmt.Errorf("storage: %s is the root of a file system and cannot be replaced", dir)
	}
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fail("create", dir, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("storage: %s is a file; a folder cannot take its place", dir)
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(dir, wd); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return fmt.Errorf("storage: %s holds the working folder and cannot be replaced", dir)
		}
	}
	return nil
}

// stageLock names the lock under which dir is replaced and recovered.
func stageLock(dir string) string {
	parent, base := filepath.Split(dir)
	return filepath.Join(parent, "."+base+".graft-swap")
}

// recoverFolder brings back the old content of dir if a program died between moving it aside and moving the new one in,
// and removes what dead processes left of earlier attempts.
func recoverFolder(dir string) error {
	unlock, err := Lock(context.Background(), stageLock(dir))
	if err != nil {
		return err
	}
	defer unlock()
	parent, base := filepath.Split(dir)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil // a folder that may be written but not listed
	}
	for _, e := range entries {
		name := filepath.Join(parent, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."+base+kindOld):
			if _, err := os.Lstat(dir); err == nil { // the replacement was complete
				os.RemoveAll(name)
			} else if err := os.Rename(name, dir); err != nil {
				return fail("bring back the old content of", dir, err)
			}
		case strings.HasPrefix(e.Name(), "."+base+kindFolder):
			sweepFolder(strings.TrimSuffix(name, lockSuffix))
		}
	}
	return nil
}

// sweepFolder removes a staging folder whose process is dead: one whose lock can be had.
func sweepFolder(name string) {
	if unlock, ok := tryLock(name); ok {
		os.RemoveAll(name)
		unlock()
	}
}

// syncTree brings every file below dir, and the folders, to disk.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return syncDir(path)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return syncFile(path)
	})
}
