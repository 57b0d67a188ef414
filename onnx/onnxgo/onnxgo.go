// Package onnxgo runs small graphs in pure Go, with github.com/owulveryck/onnx-go and its gorgonnx backend: no C, no
// shared library. It is made for heads, graphs of matrices with one example a row, and serves as the second, independent
// opinion on them. Everything else is refused with an *onnx.UnsupportedError that names the operator.
//
// The backend has traps: it writes into a Gemm's bias, freezes the batch size at the first run, guesses the axis of a
// vector by its length, and panics on what it did not foresee. So a graph is translated into the subset that was seen to
// be right (see translate.go), and compiled anew for each run.
package onnxgo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/onnx-graft/graft/onnx"
)

// Runtime makes sessions that compute in pure Go, in float32. It is safe for concurrent use.
type Runtime struct{}

var _ onnx.Runtime = Runtime{}

// NewSession translates a model and keeps nothing of it. A graph beyond what this package runs is refused here with an
// *onnx.UnsupportedError.
func (Runtime) NewSession(m *onnx.Model) (onnx.Session, error) {
	if m == nil || m.Graph == nil {
		return nil, errors.New("onnxgo: new session: the model has no graph")
	}
	if err := onnx.Check(m); err != nil {
		return nil, fmt.Errorf("onnxgo: new session: %w", err)
	}
	s := &session{signature: onnx.SignatureOf(m.Graph)}
	for i := range s.signature.Inputs {
		p := &s.signature.Inputs[i]
		if p.Optional {
			continue
		}
		if p.Type != onnx.Float32 || p.Shape != nil && len(p.Shape) != 2 {
			return nil, unsupported(nil, "input %q is %v; matrices of float32 are run", p.Name, p)
		}
	}
	for _, p := range s.signature.Outputs {
		plan, err := translate(m, p.Name)
		if err != nil {
			return nil, fmt.Errorf("onnxgo: new session: %w", err)
		}
		s.plans = append(s.plans, plan)
	}
	if len(s.plans) == 0 {
		return nil, errors.New("onnxgo: new session: the graph has no outputs")
	}
	if err := s.try(); err != nil {
		return nil, fmt.Errorf("onnxgo: new session: %w", err)
	}
	return s, nil
}

// A session is a translated model.
type session struct {
	mu        sync.RWMutex // held for reading by Run, for writing by Close
	closed    bool
	signature onnx.Signature
	plans     []*plan // one for each output
}

// try runs two rows of zeros where the inputs' widths are known, so that a graph the backend cannot run is refused now.
func (s *session) try() error {
	feeds := onnx.Feeds{}
	for _, p := range s.signature.Inputs {
		if p.Optional {
			continue
		}
		if len(p.Shape) != 2 || !p.Shape[1].Known || p.Shape[1].Size < 1 || p.Shape[1].Size > maxTrial {
			return nil
		}
		rows := int64(2)
		if p.Shape[0].Known {
			rows = p.Shape[0].Size
		}
		if rows < 1 || rows > maxTrial {
			return nil
		}
		feeds[p.Name] = onnx.NewTensor(p.Name, make([]float32, rows*p.Shape[1].Size), rows, p.Shape[1].Size)
	}
	_, err := s.Run(context.Background(), feeds)
	return err
}

// maxTrial bounds the rows and columns of the trial.
const maxTrial = 1 << 14

// Run computes outputs (see [onnx.Session]). A context that ends is noticed between outputs.
func (s *session) Run(ctx context.Context, feeds onnx.Feeds, outputs ...string) ([]*onnx.Tensor, error) {
	chosen, err := s.signature.Select(outputs...)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errors.New("onnxgo: run: the session is closed")
	}
	if err := s.check(feeds); err != nil {
		return nil, err
	}
	results := make([]*onnx.Tensor, len(chosen))
	for i, place := range chosen {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("onnxgo: run: %w", err)
		}
		if results[i], err = s.plans[place].run(feeds); err != nil {
			return nil, fmt.Errorf("onnxgo: run: output %q: %w", s.signature.Outputs[place].Name, err)
		}
	}
	return results, nil
}

// check holds feeds against the signature, and refuses what only this runtime cannot take.
func (s *session) check(feeds onnx.Feeds) error {
	if err := s.signature.Check(feeds); err != nil {
		return err
	}
	for _, p := range s.signature.Inputs {
		t := feeds[p.Name]
		switch {
		case t == nil:
		case p.Optional:
			return unsupported(nil, "input %q has a default, which cannot be replaced here", p.Name)
		case len(t.Shape) != 2 || t.Shape[0] == 0 || t.Shape[1] == 0:
			return unsupported(nil, "input %q has shape %v; matrices with at least one row and column are run", p.Name, t.Shape)
		}
	}
	return nil
}

// Close waits for running calls and drops the session's memory.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.plans = true, nil
	return nil
}

// unsupported returns an error about a node, or about none.
func unsupported(n *onnx.Node, format string, args ...any) error {
	e := &onnx.UnsupportedError{Problem: fmt.Sprintf(format, args...)}
	if n != nil {
		e.Op, e.Node = n.OpType, n.Name
	}
	return e
}
