// Package orttest gives tests an ONNX Runtime.
package orttest

import (
	"context"
	"sync"
	"testing"

	"github.com/onnx-graft/graft/onnx/ort"
)

// opened is the runtime of this test process.
var opened = sync.OnceValues(func() (*ort.Runtime, error) {
	return ort.Open(context.Background(), ort.Settings{})
})

// Open returns a CPU runtime, one a process, and fetches the library where this machine has none. A test without it fails;
// it does not skip.
func Open(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return rt
}
