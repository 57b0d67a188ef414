// Package models knows the backbones people start from: a card for each common
// one (where it is, under which licence, how its input is prepared), the
// download of a card's files into graft's cache, and how the name a user gives
// for a backbone becomes a folder to open. The two small backbones that need
// no download are in models/embedded.
package models

import "fmt"

// A Task is the kind of input a backbone reads.
type Task string

// The tasks. Their values are the words used in JSON output.
const (
	Text  Task = "text"
	Image Task = "image"
)

// Plural names what a backbone of the task reads, to people.
func (t Task) Plural() string {
	if t == Image {
		return "pictures"
	}
	return "texts"
}

// A Card describes one backbone on a model hub. Sizes are rounded; they are
// there to choose by, the hub decides what is downloaded.
type Card struct {
	Name     string // what --backbone and models pull take
	Repo     string // the hub's id, owner/name
	Revision string // branch, tag or commit; "" is main
	Task     Task
	License  string // SPDX identifier, or "other" where the hub says so
	Dim      int    // D, the features' width
	MB       int    // download, in 10⁶ bytes
	Input    string // what the model is fed, in words
	Note     string // what a user should know before choosing it; may be empty
	Files    []File
	// Written are files that graft writes beside the downloaded ones because
	// the hub's folder lacks them, by name: a preprocessor_config.json for a
	// bare .onnx.
	Written map[string]string
}

// A File is one file of a card.
type File struct {
	Path     string // in the hub's repository
	As       string // where it goes in the local folder; "" is Path
	Optional bool   // the hub may not have it
	SHA256   string // hexadecimal; "" leaves the digest to what the hub states
}

// local returns where the file goes, relative to the card's folder and with
// forward slashes.
func (f File) local() string {
	if f.As != "" {
		return f.As
	}
	return f.Path
}

// Find returns the card called name.
func Find(name string) (Card, bool) {
	for _, c := range Catalogue() {
		if c.Name == name {
			return c, true
		}
	}
	return Card{}, false
}

// A NotPulledError says that a catalogued backbone is not on this machine yet.
type NotPulledError struct{ Card Card }

func (e *NotPulledError) Error() string {
	return fmt.Sprintf("models: %s is in the catalogue (%d MB) but not on this machine; run: graft models pull %s", e.Card.Name, e.Card.MB, e.Card.Name)
}
