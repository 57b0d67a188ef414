package vision

import (
	"image"

	"github.com/onnx-graft/graft/vision/internal/jpeg"
)

func jpegHeader(data []byte, _ Limits) (header, error) {
	h, err := jpeg.ReadHeader(data)
	return header{width: h.Width, height: h.Height, orientation: exifOrientation(h.Exif)}, err
}

// decodeJPEG decodes the part needed and no more.
func decodeJPEG(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	return need, w.jpeg.Decode(&w.stored, data, need)
}
