//go:build !libjpeg

package vision

import "github.com/onnx-graft/graft/vision/internal/jpeg"

type jpegDecoder = jpeg.Decoder

// JPEGDecoder names what decodes JPEG files: graft's own decoder, or libjpeg-turbo in builds with the tag libjpeg. Both
// give the same pixels.
func JPEGDecoder() string { return "graft (pure Go)" }
