package rewrite_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
	"github.com/onnx-graft/graft/onnx/rewrite"
)

// TestSpeed measures, where GRAFT_BENCH is set, MiniLM as it is against each prefix of the list of passes: batches of about
// 1,000 tokens, sessions of one thread, interleaved, by the thread's own CPU time so that a busy machine disturbs little.
func TestSpeed(t *testing.T) {
	if os.Getenv("GRAFT_BENCH") == "" {
		t.Skip("set GRAFT_BENCH=1 to measure the rewrites")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	rt := orttest.Open(t).With(1)
	m := load(t, textModels[1])
	type variant struct {
		name    string
		session onnx.Session
		cpu     []time.Duration
	}
	var variants []*variant
	add := func(name string, passes ...rewrite.Pass) {
		faster, err := rewrite.Apply(m, passes...)
		if err != nil {
			t.Fatal(err)
		}
		s, err := rt.NewSession(faster)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		variants = append(variants, &variant{name: name, session: s})
	}
	add("as it is")
	all := rewrite.Passes()
	for i := range all {
		add("with "+all[i].Name, all[:i+1]...)
	}
	for _, shape := range [][2]int{{64, 16}, {40, 25}, {16, 64}} {
		feeds := tokens(m, shape[0], shape[1], 30522, false)
		for _, v := range variants {
			v.cpu = nil
		}
		for range 25 {
			for _, v := range variants {
				before := threadTime(t)
				if _, err := v.session.Run(context.Background(), feeds); err != nil {
					t.Fatal(err)
				}
				v.cpu = append(v.cpu, threadTime(t)-before)
			}
		}
		for _, v := range variants {
			slices.Sort(v.cpu)
			base := variants[0].cpu
			t.Logf("%d×%d  %-16s median %v  least %v  %.3fx (least %.3fx)", shape[0], shape[1], v.name, v.cpu[12], v.cpu[0],
				float64(base[12])/float64(v.cpu[12]), float64(base[0])/float64(v.cpu[0]))
		}
	}
}

// threadTime is the CPU time the calling thread has used.
func threadTime(t *testing.T) time.Duration {
	var used syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	if err := syscall.Getrusage(thread, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
