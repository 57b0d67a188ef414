//go:build libjpeg

package vision

import (
	"image"

	"github.com/onnx-graft/graft/vision/internal/jpeg"
	"github.com/onnx-graft/graft/vision/internal/raster"
	"github.com/onnx-graft/graft/vision/internal/turbo"
)

// A jpegDecoder lets libjpeg-turbo decode, and graft's own decoder what that is not content with, so that both builds
// refuse the same faults in the same words. Arithmetic coding is read in this build only.
type jpegDecoder struct {
	turbo turbo.Decoder
	own   jpeg.Decoder
}

func (d *jpegDecoder) Decode(dst *raster.Image, data []byte, need image.Rectangle) error {
	if d.turbo.Decode(dst, data, need) {
		return nil
	}
	return d.own.Decode(dst, data, need)
}

// JPEGDecoder names what decodes JPEG files: graft's own decoder, or libjpeg-turbo in builds with the tag libjpeg. Both
// give the same pixels.
func JPEGDecoder() string { return turbo.Version() }
