// Package orttest gives tests an ONNX Runtime.
package orttest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/onnx-graft/graft/onnx/ort"
)

// opened is the runtime of this test process.
var opened = sync.OnceValues(func() (*ort.Runtime, error) {
	return ort.Open(context.Background(), ort.Settings{})
})

// Open returns a CPU runtime, one a process, and fetches the library where this machine has none. A test without it
// fails; only where fetching is forbidden (GRAFT_OFFLINE) it is skipped, and says so.
func Open(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := opened()
	var fault *ort.LibraryError
	if errors.As(err, &fault) && fault.Problem == ort.Missing && os.Getenv(ort.OfflineEnv) != "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rt
}
