package storage

import (
	"context"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// lockPoll is how often a held lock is asked for again.
const lockPoll = 50 * time.Millisecond

// Lock waits until no other process, and no other caller in this one, holds the lock called path, or until ctx is done.
// The lock is a file at path+".lock", which exists only while the lock is held or wanted; path itself need not exist, its
// folder must. The system frees the lock of a process that dies. Calling unlock a second time does nothing.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	name := path + lockSuffix
	for {
		lock := flock.New(name)
		if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
			return nil, fail("lock", path, err)
		}
		if held(lock) {
			return func() { release(lock) }, nil
		}
		lock.Close()
	}
}

// tryLock is Lock without waiting; ok is false where somebody else holds it.
func tryLock(path string) (unlock func(), ok bool) {
	lock := flock.New(path + lockSuffix)
	if locked, err := lock.TryLock(); err != nil || !locked {
		return nil, false
	}
	if !held(lock) {
		lock.Close()
		return nil, false
	}
	return func() { release(lock) }, true
}

// held reports whether the locked file is still the one others will find: its last holder may have removed it after
// this process opened it.
func held(lock *flock.Flock) bool {
	mine, err := lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(lock.Path())
	return err == nil && os.SameFile(mine, there)
}

// release removes the lock's file while it is still locked, so that nobody can remove the next holder's.
func release(lock *flock.Flock) {
	if lock.Locked() {
		os.Remove(lock.Path())
		lock.Close()
	}
}
