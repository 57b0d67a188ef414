package onnx

import "context"

// Feeds are named tensors: what a caller gives a [Session] for the graph's inputs.
type Feeds map[string]*Tensor

// A Session is a model made ready to run. Run may be called by several goroutines at once.
type Session interface {
	// Run computes the named outputs, or with no name every graph output in the graph's order. Feeds are only read.
	// It stops with ctx's error when ctx is done. An unknown input or output, a missing feed, or a feed of the wrong
	// type or rank is an error that names it.
	Run(ctx context.Context, feeds Feeds, outputs ...string) ([]*Tensor, error)
	// Close frees the session's memory. Close waits for running calls; a Run after it is an error. A second Close
	// does nothing.
	Close() error
}

// A Runtime makes sessions. Implementations are in packages ort and onnxgo; both pass onnxtest.Runtime.
type Runtime interface {
	// NewSession makes a model ready to run and keeps nothing of it: m may be changed or closed afterwards. A model
	// that uses what the runtime lacks is an *UnsupportedError.
	NewSession(m *Model) (Session, error)
}

// A FileRuntime is a Runtime that can read a model's file itself, which spares a copy of the model in memory.
type FileRuntime interface {
	// NewFileSession is NewSession of m, which is what [Load] made of the file at path.
	NewFileSession(path string, m *Model) (Session, error)
}

// NewFileSession is a session of m, which is what [Load] made of the file at path: from the file where rt can.
func NewFileSession(rt Runtime, path string, m *Model) (Session, error) {
	if f, ok := rt.(FileRuntime); ok {
		return f.NewFileSession(path, m)
	}
	return rt.NewSession(m)
}

// An IntoRunner is a Session that can put results straight into the caller's tensors, whose types and shapes must be
// those the graph computes. Where outputs has a name without a tensor (nil), a new one is put there, as Run returns it. Where
// a Session is an IntoRunner, prefer it on hot paths: nothing is copied.
type IntoRunner interface {
	RunInto(ctx context.Context, feeds, outputs Feeds) error
}
