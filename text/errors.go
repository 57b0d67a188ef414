package text

import "fmt"

// A MalformedError says that a file of a tokenizer or backbone is not what such a file must be.
type MalformedError struct {
	File string // its name, or "" where there is none
	Path string // where in it: a path such as model.vocab or merges[12], or a line
	Err  error
}

func (e *MalformedError) Error() string { return "text: " + place(e.File, e.Path) + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *MalformedError) Unwrap() error { return e.Err }

// An UnsupportedError says that a file asks for something this package does not do.
type UnsupportedError struct {
	File string
	Path string
	What string // what it asks for, and what is understood
}

func (e *UnsupportedError) Error() string {
	return "text: " + place(e.File, e.Path) + "not supported: " + e.What
}

func place(file, path string) string {
	switch {
	case file == "" && path == "":
		return ""
	case path == "":
		return file + ": "
	case file == "":
		return path + ": "
	}
	return fmt.Sprintf("%s: %s: ", file, path)
}
