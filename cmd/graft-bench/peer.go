package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// A peer is a process that does work on request: it reads one JSON object a line, {"do": name, "args": {…}}, and answers
// each with one line, {"value": …} or {"error": "…"}. What it loads it keeps, so that runs of several peers can take turns.
type peer struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr *tail
}

// startPeer starts a process; ctx ends it.
func startPeer(ctx context.Context, name string, env []string, command ...string) (*peer, error) {
	p := &peer{name: name, cmd: exec.CommandContext(ctx, command[0], command[1:]...), stderr: &tail{limit: 4096}}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

type request struct {
	Do   string `json:"do"`
	Args any    `json:"args"`
}

type answer struct {
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
}

// call asks for one thing and reads the answer into reply, where that is not nil.
func (p *peer) call(do string, args, reply any) error {
	data, err := json.Marshal(request{do, args})
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(data, '\n')); err != nil {
		return p.died(do, err)
	}
	var a answer
	if err := p.out.Decode(&a); err != nil {
		return p.died(do, err)
	}
	if a.Error != "" {
		return fmt.Errorf("%s: %s: %s", p.name, do, a.Error)
	}
	if reply == nil {
		return nil
	}
	if err := json.Unmarshal(a.Value, reply); err != nil {
		return fmt.Errorf("%s: %s: %w", p.name, do, err)
	}
	return nil
}

// died makes an error of a process that no longer answers, with what it said last.
func (p *peer) died(do string, err error) error {
	p.in.Close()
	if ended := p.cmd.Wait(); ended != nil && errors.Is(err, io.EOF) {
		err = ended
	}
	return fmt.Errorf("%s: %s: it does not answer: %w\n%s", p.name, do, err, p.stderr)
}

// close lets the process end.
func (p *peer) close() {
	if p == nil {
		return
	}
	p.in.Close()
	_ = p.cmd.Wait() // killed or failed while ending, it has nothing more to tell
}

// A tail is a writer that keeps the end of what was written.
type tail struct {
	limit int
	mu    sync.Mutex
	data  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if over := len(t.data) - t.limit; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.data))
}

// threadEnv gives every library a peer may use the same number of threads, and keeps them off the network.
func threadEnv(threads int) []string {
	n := strconv.Itoa(threads)
	var env []string
	for _, name := range []string{"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "GOMAXPROCS"} {
		env = append(env, name+"="+n)
	}
	return append(env, "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1", "TOKENIZERS_PARALLELISM=true")
}
