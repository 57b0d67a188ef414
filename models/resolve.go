package models

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/onnx-graft/graft/models/embedded"
)

// Names of the embedded backbones.
const (
	MiniText  = "mini-text"
	MiniImage = "mini-image"
)

// A Source is where a backbone is: a folder or file on disk, or a folder
// inside the program.
type Source struct {
	Name string
	Path string // on disk; "" for an embedded backbone
	FS   fs.FS  // of an embedded backbone; nil for one on disk
	Task Task   // "" where only the files can tell
}

// Default returns the embedded backbone for a task.
func Default(t Task) Source {
	if t == Image {
		return Source{Name: MiniImage, FS: embedded.Image(), Task: Image}
	}
	return Source{Name: MiniText, FS: embedded.Text(), Task: Text}
}

// Resolve turns what a user names as a backbone into where it is: a path, an
// embedded backbone's name, or the name of a card that was pulled, in this
// order. A card that was not pulled gives a *NotPulledError, a name that is
// none of these an *UnknownError.
func (h Hub) Resolve(name string) (Source, error) {
	if _, err := os.Stat(name); err == nil {
		return Source{Name: name, Path: name}, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return Source{}, fmt.Errorf("models: %w", err)
	}
	for _, t := range []Task{Text, Image} {
		if s := Default(t); s.Name == name {
			return s, nil
		}
	}
	card, ok := Find(name)
	if !ok {
		return Source{}, &UnknownError{name}
	}
	dir, ok := h.Pulled(card)
	if !ok {
		return Source{}, &NotPulledError{card}
	}
	return Source{Name: card.Name, Path: dir, Task: card.Task}, nil
}

// An UnknownError says that a name is no path and no backbone's.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("models: no file or folder %q, and no backbone of that name%s; graft models list shows those there are", e.Name, suggestion(e.Name))
}

// Unwrap returns fs.ErrNotExist.
func (e *UnknownError) Unwrap() error { return fs.ErrNotExist }

// suggestion names the cards that look like name.
func suggestion(name string) string {
	var near []string
	for _, c := range Catalogue() {
		low := strings.ToLower(name)
		if low != "" && (strings.Contains(strings.ToLower(c.Repo), low) || strings.Contains(low, c.Name) || strings.HasPrefix(c.Name, low)) {
			near = append(near, c.Name)
		}
	}
	if near == nil {
		return ""
	}
	return " (did you mean " + strings.Join(near, ", ") + "?)"
}
