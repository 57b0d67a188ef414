// Package embedded carries the two small backbones that ship inside graft, so
// that a fresh machine can fine-tune without downloading a model.
//
// Both were trained for this project. They are meant for first steps, demos,
// tests and few-shot work on small machines; for real accuracy bring a larger
// backbone. Each is a Hugging Face style folder that text.OpenFS and
// vision.OpenFS read as they would one on disk.
package embedded

import (
	"embed"
	"io/fs"
	"path"
)

//go:embed all:text all:image
var files embed.FS

// Text returns the folder of the text backbone: a BERT of 4 layers, hidden
// size 192, with an uncased English WordPiece vocabulary of 10,000, at most
// 256 tokens, mean pooling (D = 192).
func Text() fs.FS { return folder{"text"} }

// Image returns the folder of the image backbone: a ResNet for 64×64 RGB
// pictures (D = 256).
func Image() fs.FS { return folder{"image"} }

// folder is the part of files below one directory. It stands in for fs.Sub,
// whose error cannot happen here.
type folder struct{ dir string }

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return files.Open(path.Join(f.dir, name))
}

// ReadFile implements fs.ReadFileFS.
func (f folder) ReadFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	return files.ReadFile(path.Join(f.dir, name))
}
