package vision

import (
	"fmt"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A PictureError says which picture of a batch could not be made into a tensor. Err is why: a [MalformedError], an
// [UnsupportedError], a [LimitError], or what the file system said.
type PictureError struct {
	Picture string // its path, or what else is known of it
	Err     error
}

func (e *PictureError) Error() string { return fmt.Sprintf("vision: %s: %v", e.Picture, e.Err) }

// Unwrap returns Err.
func (e *PictureError) Unwrap() error { return e.Err }

// A MalformedError says that a file is no picture, breaks its format's rules, or ends early.
type MalformedError = raster.MalformedError

// An UnsupportedError says that a picture uses a format, or a part of one, that is not read here.
type UnsupportedError = raster.UnsupportedError

// A LimitError says that a picture is larger than [Limits] allow. Nothing of it has been decoded.
type LimitError struct {
	What  string // "pixels", "bytes" or "frames"
	Have  int64
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("too large: %d %s, the limit is %d", e.Have, e.What, e.Limit)
}

// tooShort is the error for a file that cannot hold the pixels its header declares.
func tooShort(format string, data []byte, h header) error {
	return &MalformedError{Format: format, Reason: fmt.Sprintf("a file of %d bytes cannot hold the %dx%d pixels it declares",
		len(data), h.width, h.height)}
}

// A ConfigError says what is wrong in a preprocessor_config.json.
type ConfigError struct {
	Key    string // the JSON key, "" for the file as a whole
	Reason string
	Err    error
}

func (e *ConfigError) Error() string {
	s := "vision: " + preprocessorFile
	if e.Key != "" {
		s += ": " + e.Key
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }
