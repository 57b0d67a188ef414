package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own program play a peer.
func TestMain(m *testing.M) {
	switch os.Getenv("GRAFT_BENCH_TEST_PEER") {
	case "echo":
		playEcho()
	case "die":
		os.Stderr.WriteString("no memory left\n")
		os.Exit(3)
	default:
		os.Exit(m.Run())
	}
}

// playEcho answers every request with its arguments, and "fail" with an error.
func playEcho() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r struct {
			Do   string          `json:"do"`
			Args json.RawMessage `json:"args"`
		}
		if in.Decode(&r) != nil {
			return
		}
		if r.Do == "fail" {
			out.Encode(map[string]string{"error": "ValueError: no"})
			continue
		}
		out.Encode(map[string]any{"value": r.Args})
	}
}

func startTestPeer(t *testing.T, role string) *peer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := startPeer(t.Context(), "test peer", []string{"GRAFT_BENCH_TEST_PEER=" + role}, self)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPeerAnswers(t *testing.T) {
	p := startTestPeer(t, "echo")
	defer p.close()
	for i := range 3 { // the process stays
		var got struct{ N int }
		if err := p.call("echo", map[string]int{"n": i}, &got); err != nil || got.N != i {
			t.Fatalf("call %d: %+v, %v", i, got, err)
		}
	}
	if err := p.call("fail", nil, nil); err == nil || err.Error() != "test peer: fail: ValueError: no" {
		t.Errorf("the error is %v, want the peer's", err)
	}
	if err := p.call("echo", nil, nil); err != nil {
		t.Errorf("after an error the peer does not answer: %v", err)
	}
}

func TestPeerThatDiesTellsWhy(t *testing.T) {
	p := startTestPeer(t, "die")
	err := p.call("load", strings.Repeat("x", 1<<20), nil)
	if err == nil || !strings.Contains(err.Error(), "no memory left") {
		t.Errorf("the error is %v, want the last words of the process", err)
	}
}

func TestPeerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := startPeer(ctx, "test peer", []string{"GRAFT_BENCH_TEST_PEER=echo"}, self)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.call("echo", nil, nil); p.close() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the peer outlives its context")
	}
}

// The Python side of the protocol, with a peer that needs no packages.
func TestPythonProtocol(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	dir := t.TempDir()
	script, err := scripts.ReadFile("peers/peer.py")
	if err != nil {
		t.Fatal(err)
	}
	fake := "class Peer:\n    def add(self, a, b):\n        print('noise on stdout')\n        return a + b\n    def fail(self):\n        raise KeyError('k')\n"
	for name, data := range map[string][]byte{"peer.py": script, "peer_fake.py": []byte(fake)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p, err := startPeer(t.Context(), "fake", nil, python, filepath.Join(dir, "peer.py"), "fake")
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	var sum int
	if err := p.call("add", map[string]int{"a": 2, "b": 3}, &sum); err != nil || sum != 5 {
		t.Errorf("add: %d, %v; want 5", sum, err)
	}
	for do, want := range map[string]string{"fail": "KeyError", "absent": "AttributeError", "_private": "no such request"} {
		if err := p.call(do, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", do, err, want)
		}
	}
	if err := p.call("add", map[string]int{"a": 1, "b": 1}, &sum); err != nil || sum != 2 {
		t.Errorf("after errors: %d, %v", sum, err)
	}
}

func TestServeRefusesWhatItDoesNotKnow(t *testing.T) {
	var out, log bytes.Buffer
	if code := serve(t.Context(), strings.NewReader(`{"do":"dance"}`+"\n"), &out, &log); code != 0 {
		t.Errorf("exit %d: %s", code, log.String())
	}
	if !strings.Contains(out.String(), "no such request: dance") {
		t.Errorf("the answer is %s", out.String())
	}
}
