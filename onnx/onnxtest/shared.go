// Package onnxtest helps to test what stands on package onnx: it holds the contract every onnx.Runtime must keep, and
// finds the real models and reference answers that lie beside the project.
package onnxtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Shared returns the path of a file or folder among the project's shared test material: below $GRAFT_SHARED, or below
// ../shared seen from the folder that holds go.mod. Where it is absent the test is skipped and says so.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("GRAFT_SHARED")
	if root == "" {
		module, err := moduleRoot()
		if err != nil {
			t.Skipf("shared test material not found: %v", err)
		}
		root = filepath.Join(module, "..", "shared")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("shared test material not found (set GRAFT_SHARED): %v", err)
	}
	return path
}

// moduleRoot returns the nearest folder above the working one that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}
