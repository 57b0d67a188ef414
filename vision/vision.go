// Package vision turns pictures into the tensors that image backbones take, to the same bytes as Pillow and Hugging Face's
// image processors do: decode, turn upright, resize, crop, rescale, normalise, lay out.
//
// [Open] reads a model folder or a bare .onnx file and makes a [Backbone]: an ONNX model with one N×D output, and the
// [Preprocessor] that feeds it. What the preprocessing does is a [Transform]; it comes from preprocessor_config.json where
// there is one, else from ImageNet's conventions, and [Settings] override both. Everything here is deterministic and, once
// opened, safe for concurrent use.
package vision

import (
	"fmt"
	"io"
	"os"
)

// A Picture is an encoded image: a file's path, or its bytes.
type Picture struct {
	Path string // read where Data is nil; names the picture in errors
	Data []byte
	View int // 0: the picture as it is; else the number of a random view of it, see [Preprocessor.Augmented]
}

// String names the picture for people.
func (p Picture) String() string {
	if p.Path != "" {
		return p.Path
	}
	return fmt.Sprintf("picture of %d bytes", len(p.Data))
}

// At returns view n of the picture.
func (p Picture) At(n int) Picture {
	p.View = n
	return p
}

// read returns the picture's encoded bytes, at most limit of them. A file is read into buf where that is large enough.
func (p Picture) read(buf []byte, limit int64) ([]byte, error) {
	if p.Data != nil {
		if int64(len(p.Data)) > limit {
			return nil, &LimitError{What: "bytes", Have: int64(len(p.Data)), Limit: limit}
		}
		return p.Data, nil
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("not a file but a %s", kindOf(info.Mode()))
	case info.Size() > limit:
		return nil, &LimitError{What: "bytes", Have: info.Size(), Limit: limit}
	}
	if n := info.Size(); int64(cap(buf)) < n {
		buf = make([]byte, n)
	} else {
		buf = buf[:n]
	}
	_, err = io.ReadFull(f, buf)
	return buf, err
}

func kindOf(mode os.FileMode) string {
	if mode.IsDir() {
		return "folder"
	}
	return "special file"
}
