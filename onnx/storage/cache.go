package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// CacheEnv names the environment variable that says where the cache is.
const CacheEnv = "GRAFT_CACHE"

// staleAfter is the age at which a half-written file counts as left behind.
const staleAfter = 24 * time.Hour

// CacheRoot returns the folder of everything graft can fetch or compute again: $GRAFT_CACHE, or graft below the user's
// cache folder. It need not exist.
func CacheRoot() (string, error) {
	if root := os.Getenv(CacheEnv); root != "" {
		return filepath.Abs(root)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("storage: no cache folder; set %s: %w", CacheEnv, err)
	}
	return filepath.Join(base, "graft"), nil
}

// CacheDir returns a folder of the cache, made where it is missing. Files that a dead process left half-written in it
// are removed.
func CacheDir(sub ...string) (string, error) {
	root, err := CacheRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(append([]string{root}, sub...)...)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("storage: create the cache folder %s (%s moves it): %w", dir, CacheEnv, bareError(err))
	}
	sweepFiles(dir)
	return dir, nil
}

// sweepFiles removes half-written files of dir that nobody has touched for long.
func sweepFiles(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.Contains(e.Name(), kindFile) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > staleAfter {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
