package main

import (
	"context"
	"errors"
	"sync"

	"github.com/onnx-graft/graft/onnx"
)

// A warm runtime keeps the sessions it makes, so that a model that has been loaded once is loaded: peers are measured with
// theirs loaded too.
type warm struct {
	onnx.Runtime
	mu       sync.Mutex
	sessions map[*onnx.Model]kept
}

// A kept session is closed with the runtime it came from.
type kept struct {
	onnx.Session
	onnx.IntoRunner
}

func (kept) Close() error { return nil }

// NewSession implements [onnx.Runtime].
func (w *warm) NewSession(m *onnx.Model) (onnx.Session, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.sessions[m]; ok {
		return s, nil
	}
	s, err := w.Runtime.NewSession(m)
	if err != nil {
		return nil, err
	}
	into, ok := s.(onnx.IntoRunner)
	if !ok {
		return nil, errors.Join(errors.New("the runtime cannot write into given memory"), s.Close())
	}
	if w.sessions == nil {
		w.sessions = map[*onnx.Model]kept{}
	}
	k := kept{s, into}
	w.sessions[m] = k
	return k, nil
}

func (w *warm) close() error {
	var failed error
	for _, k := range w.sessions {
		failed = errors.Join(failed, k.Session.Close())
	}
	return failed
}

var _ onnx.IntoRunner = kept{}

// runInto runs a session into one given output.
func runInto(ctx context.Context, s onnx.Session, feeds onnx.Feeds, output *onnx.Tensor) error {
	into, ok := s.(onnx.IntoRunner)
	if !ok {
		return errors.New("the runtime cannot write into given memory")
	}
	return into.RunInto(ctx, feeds, onnx.Feeds{output.Name: output})
}
