package ort

// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"

	"github.com/onnx-graft/graft/onnx"
)

// A session is a model loaded into ONNX Runtime.
type session struct {
	mu        sync.RWMutex // held for reading by Run, for writing by Close
	closed    bool
	session   *ortgo.DynamicAdvancedSession
	handle    unsafe.Pointer // its OrtSession
	files     string         // the folder it was loaded from, where the system did not let it go; "" mostly
	signature onnx.Signature
	inputs    []*port
	outputs   []*port
}

var (
	_ onnx.IntoRunner  = (*session)(nil)
	_ onnx.FileRuntime = (*Runtime)(nil)
)

// A port is one input or output of a session.
type port struct {
	onnx.Port
	cname  *C.char
	misled atomic.Bool // an output whose declared shape turned out to be wrong
}

// newPorts makes ports of a signature's.
func newPorts(list []onnx.Port) []*port {
	made := make([]*port, len(list))
	for i, p := range list {
		made[i] = &port{Port: p, cname: C.CString(p.Name)}
	}
	return made
}

// NewSession loads a model. The session keeps nothing of m, which may be changed or closed afterwards. A model that uses
// what ONNX Runtime lacks is a *onnx.UnsupportedError.
func (r *Runtime) NewSession(m *onnx.Model) (onnx.Session, error) {
	s, err := r.load(m)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// NewFileSession implements [onnx.FileRuntime].
func (r *Runtime) NewFileSession(path string, m *onnx.Model) (onnx.Session, error) {
	options, err := r.optionsFor(m)
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	s, err := loadFile(path, m, options)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// loadFile lets ONNX Runtime read m from its file.
func loadFile(path string, m *onnx.Model, options *ortgo.SessionOptions) (*session, error) {
	loaded, err := ortgo.NewDynamicAdvancedSession(path, nil, nil, options)
	if err != nil {
		return nil, loadError(m, err)
	}
	return newSession(m, loaded)
}

// load gives the model to ONNX Runtime, as bytes where that can be.
func (r *Runtime) load(m *onnx.Model) (*session, error) {
	options, err := r.optionsFor(m)
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	data, err := m.Bytes()
	var tooLarge *onnx.UnsupportedError
	if errors.As(err, &tooLarge) {
		return loadThroughFiles(m, options)
	}
	if err != nil {
		return nil, fmt.Errorf("ort: new session: %w", err)
	}
	loaded, err := ortgo.NewDynamicAdvancedSessionWithONNXData(data, nil, nil, options)
	if err != nil {
		return nil, loadError(m, err)
	}
	return newSession(m, loaded)
}

// optionsFor returns the options of a session of m.
func (r *Runtime) optionsFor(m *onnx.Model) (*ortgo.SessionOptions, error) {
	if m == nil || m.Graph == nil {
		return nil, errors.New("ort: new session: the model has no graph")
	}
	options, err := r.sessionOptions()
	if err != nil {
		return nil, fmt.Errorf("ort: session options: %w", err)
	}
	return options, nil
}

// newSession makes a session of a loaded model.
func newSession(m *onnx.Model, loaded *ortgo.DynamicAdvancedSession) (*session, error) {
	handle, err := pointerIn(loaded, "s", "ortSession")
	if err != nil {
		return nil, errors.Join(err, loaded.Destroy())
	}
	signature := onnx.SignatureOf(m.Graph)
	return &session{
		session: loaded, handle: handle, signature: signature, inputs: newPorts(signature.Inputs), outputs: newPorts(signature.Outputs),
	}, nil
}

// loadThroughFiles loads a model beyond 2 GiB, too large to be one message: it saves it, its weights beside it, in a
// folder for temporary files, and loads that. The files go once it is loaded, or where they cannot, at Close.
func loadThroughFiles(m *onnx.Model, options *ortgo.SessionOptions) (*session, error) {
	dir, err := os.MkdirTemp("", "graft-session-")
	if err != nil {
		return nil, fmt.Errorf("ort: new session: a folder for a model beyond 2 GiB: %w", err)
	}
	path := filepath.Join(dir, "model.onnx")
	if err := m.Save(path, onnx.ExternalData()); err != nil {
		return nil, fmt.Errorf("ort: new session: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	s, err := loadFile(path, m, options)
	removed := os.RemoveAll(dir)
	if err != nil {
		return nil, errors.Join(err, removed)
	}
	if removed != nil {
		s.files = dir
	}
	return s, nil
}

// notSupported matches what ONNX Runtime says of operators, opsets and types it lacks; the groups are the operator.
var notSupported = regexp.MustCompile(`Fatal error: (?:\S+:)?(\S+?)\(-?\d+\) is not a registered function/op|` +
	`No Op registered for (\S+)|` +
	`Could not find an implementation for (\S+?)\(|` +
	`Unsupported model IR version|` +
	`is under development and support for this is limited`)

// loadError tells a model that uses what ONNX Runtime lacks from other failures.
func loadError(m *onnx.Model, err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // without "Error creating C session"
	}
	match := notSupported.FindStringSubmatch(err.Error())
	if match == nil {
		return fmt.Errorf("ort: new session: %w", err)
	}
	refused := &onnx.UnsupportedError{Problem: "ONNX Runtime cannot run the model", Err: err}
	op := strings.Join(match[1:], "")
	for i, n := range m.Graph.Nodes {
		if op != "" && n.OpType == op {
			refused.Op, refused.Node, refused.Index = op, n.Name, i
			break
		}
	}
	return refused
}

// Close waits for running calls and frees the session.
func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for _, ports := range [][]*port{s.inputs, s.outputs} {
		for _, p := range ports {
			C.free(unsafe.Pointer(p.cname))
		}
	}
	err := s.session.Destroy()
	if s.files != "" {
		err = errors.Join(err, os.RemoveAll(s.files))
	}
	if err != nil {
		return fmt.Errorf("ort: close session: %w", err)
	}
	return nil
}
