package onnx

import (
	"errors"
	"fmt"
	"strings"
)

// Where says which part of a model an error is about. Fields that do not apply are zero.
type Where struct {
	File   string // as given to Load
	Scope  string // which function, or which subgraph of which node; empty for the model's own graph
	Op     string // operator of the node concerned; empty where it is not about a node
	Node   string // the node's name
	Index  int    // the node's place in its graph, from 0; meaningful where Op is set
	Tensor string // the tensor, input, output or value concerned
}

// String returns the parts that are set, outermost first, each followed by a colon and a space.
func (w Where) String() string {
	var b strings.Builder
	if w.File != "" {
		b.WriteString(w.File + ": ")
	}
	if w.Scope != "" {
		b.WriteString(w.Scope + ": ")
	}
	if w.Op != "" {
		fmt.Fprintf(&b, "node %d (%s %q): ", w.Index, w.Op, w.Node)
	}
	if w.Tensor != "" {
		fmt.Fprintf(&b, "tensor %q: ", w.Tensor)
	}
	return b.String()
}

// A spot is where in a model its reader or checker is. It is put into words only for an error: names can be long, and
// graphs nest.
type spot struct {
	outer    *spot  // the node around a subgraph; nil at the top
	part     string // which attribute of that node, or which function; empty for the model's own graph
	op, node string // the node being looked at; both empty between nodes
	index    int
	tensor   string
}

// of returns the spot with the tensor that is being looked at.
func (s spot) of(tensor string) spot {
	s.tensor = tensor
	return s
}

// at puts the spot into words.
func (s spot) at() Where {
	return Where{Scope: s.scope(), Op: s.op, Node: s.node, Index: s.index, Tensor: s.tensor}
}

func (s spot) scope() string {
	if s.outer == nil {
		return s.part
	}
	scope := s.outer.scope()
	if scope != "" {
		scope += ", "
	}
	return fmt.Sprintf("%snode %d (%s %q) %s", scope, s.outer.index, s.outer.op, s.outer.node, s.part)
}

// A MalformedError says that a file is not ONNX, is damaged, or breaks a rule of the format.
type MalformedError struct {
	Where
	Problem string // what is wrong, and what would be right
	Err     error  // what lies behind it, or nil
}

func (e *MalformedError) Error() string { return message(e.Where, e.Problem, e.Err) }
func (e *MalformedError) Unwrap() error { return e.Err }

// An UnsupportedError says that a model may well be right, but uses what this package cannot deal with.
type UnsupportedError struct {
	Where
	Problem string // what is not supported, and what is
	Err     error  // what lies behind it, or nil
}

func (e *UnsupportedError) Error() string { return message(e.Where, e.Problem, e.Err) }
func (e *UnsupportedError) Unwrap() error { return e.Err }

func message(w Where, problem string, err error) string {
	if err == nil {
		return "onnx: " + w.String() + problem
	}
	return "onnx: " + w.String() + problem + ": " + err.Error()
}

// malformed returns a MalformedError.
func malformed(w Where, format string, args ...any) error {
	return &MalformedError{Where: w, Problem: fmt.Sprintf(format, args...)}
}

// unsupported returns an UnsupportedError.
func unsupported(w Where, format string, args ...any) error {
	return &UnsupportedError{Where: w, Problem: fmt.Sprintf(format, args...)}
}

// inFile puts the file's name into an error of this package.
func inFile(err error, file string) error {
	var bad *MalformedError
	var unknown *UnsupportedError
	switch {
	case errors.As(err, &bad):
		bad.File = file
	case errors.As(err, &unknown):
		unknown.File = file
	}
	return err
}
