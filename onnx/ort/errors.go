package ort

import (
	"fmt"
	"strings"
)

// A Problem says what is wrong with an ONNX Runtime library.
type Problem string

const (
	Missing    Problem = "not found"
	TooOld     Problem = "too old"
	WrongArch  Problem = "built for another machine"
	Corrupt    Problem = "damaged, or not a shared library"
	Unloadable Problem = "the system cannot load it"
	Conflict   Problem = "another library is already in use by this process"
)

// A LibraryError says why there is no usable ONNX Runtime library, where it was looked for, and what to do.
type LibraryError struct {
	Problem Problem
	Path    string // the library at fault; "" where none was found
	Found   string // what it turned out to be: a version, an architecture
	Looked  []Look // every place, in order
	Mend    string // one command
	Err     error  // what lies below, may be nil
}

// A Look is one place where a library was looked for and what was there.
type Look struct {
	Where  string
	Result string
}

func (e *LibraryError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ort: ONNX Runtime %s or newer is needed for %s: ", minVersion, platformName())
	if e.Path != "" {
		fmt.Fprintf(&b, "%s: ", e.Path)
	}
	b.WriteString(e.reason())
	if len(e.Looked) > 0 {
		b.WriteString("\nlooked here:")
	}
	for _, l := range e.Looked {
		fmt.Fprintf(&b, "\n  %s: %s", l.Where, l.Result)
	}
	if e.Mend != "" {
		fmt.Fprintf(&b, "\nto mend it: %s", e.Mend)
	}
	return b.String()
}

// reason says what is wrong, without where.
func (e *LibraryError) reason() string {
	s := string(e.Problem)
	if e.Found != "" {
		s += " (" + e.Found + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *LibraryError) Unwrap() error { return e.Err }

// A ProviderError says that an execution provider was asked for and cannot be had. There is no quiet fallback to the CPU.
type ProviderError struct {
	Provider  Provider
	Library   string   // path of the library in use
	Available []string // what it was built with
	Mend      string
	Err       error // may be nil
}

func (e *ProviderError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ort: provider %s cannot be used with %s", e.Provider, e.Library)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	fmt.Fprintf(&b, "\nthe library offers: %s", strings.Join(e.Available, ", "))
	if e.Mend != "" {
		fmt.Fprintf(&b, "\nto mend it: %s", e.Mend)
	}
	return b.String()
}

func (e *ProviderError) Unwrap() error { return e.Err }

// A RunError is a failure inside ONNX Runtime while it computed a graph.
type RunError struct {
	Op, Node string // the operator and node that failed, where ONNX Runtime says so
	Err      error  // its message
}

func (e *RunError) Error() string {
	if e.Op == "" {
		return fmt.Sprintf("ort: run: %v", e.Err)
	}
	return fmt.Sprintf("ort: run node %q (%s): %v", e.Node, e.Op, e.Err)
}

func (e *RunError) Unwrap() error { return e.Err }
