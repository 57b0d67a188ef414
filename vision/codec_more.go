package vision

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"

	"github.com/onnx-graft/graft/vision/internal/bmp"
	"github.com/onnx-graft/graft/vision/internal/gif"
	"github.com/onnx-graft/graft/vision/internal/tiff"
	"github.com/onnx-graft/graft/vision/internal/webp"
)

func gifHeader(data []byte, l Limits) (header, error) {
	h, err := gif.ReadHeader(data, l.Frames)
	return header{width: h.Width, height: h.Height, frames: h.Frames}, err
}

func decodeGIF(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	return need, gif.Decode(&w.stored, data, need)
}

func webpHeader(data []byte, _ Limits) (header, error) {
	h, err := webp.ReadHeader(data)
	return header{width: h.Width, height: h.Height, frames: h.Frames, orientation: exifOrientation(h.Exif)}, err
}

func decodeWebP(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	return need, webp.Decode(&w.stored, data, need)
}

func bmpHeader(data []byte, _ Limits) (header, error) {
	h, err := bmp.ReadHeader(data)
	return header{width: h.Width, height: h.Height}, err
}

func decodeBMP(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	return need, bmp.Decode(&w.stored, data, need)
}

func tiffHeader(data []byte, _ Limits) (header, error) {
	h, err := tiff.ReadHeader(data)
	return header{width: h.Width, height: h.Height, orientation: h.Orientation}, err
}

func decodeTIFF(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	return need, tiff.Decode(&w.stored, data, need)
}

// netpbm reads the header of a binary PPM or PGM (netpbm's ppm(5)): the numbers after the magic, and where pixels start.
func netpbm(data []byte) (w, h, start int, err error) {
	var numbers [3]int
	pos := 2
	for i := range numbers {
		for pos < len(data) && (isSpace(data[pos]) || data[pos] == '#') {
			if data[pos] == '#' {
				for pos < len(data) && data[pos] != '\n' {
					pos++
				}
				continue
			}
			pos++
		}
		from := pos
		for pos < len(data) && data[pos] >= '0' && data[pos] <= '9' && pos-from < 9 {
			numbers[i] = 10*numbers[i] + int(data[pos]-'0')
			pos++
		}
		if pos == from || pos >= len(data) || !isSpace(data[pos]) {
			return 0, 0, 0, &MalformedError{Format: "PPM", Reason: "its header is not three numbers"}
		}
	}
	if numbers[2] != 255 {
		return 0, 0, 0, &UnsupportedError{Format: "PPM", Reason: fmt.Sprintf("values up to %d, not 255", numbers[2])}
	}
	return numbers[0], numbers[1], pos + 1, nil
}

func isSpace(b byte) bool { return bytes.IndexByte([]byte(" \t\r\n\v\f"), b) >= 0 }

// samplesOf is how many bytes a pixel takes.
func samplesOf(data []byte) int {
	if data[1] == '5' {
		return 1
	}
	return 3
}

func ppmHeader(data []byte, _ Limits) (header, error) {
	w, h, start, err := netpbm(data)
	out := header{width: w, height: h}
	if err == nil && int64(w)*int64(h)*int64(samplesOf(data)) > int64(len(data)-start) {
		err = tooShort("PPM", data, out)
	}
	return out, err
}

func decodePPM(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	width, _, start, err := netpbm(data)
	if err != nil {
		return need, err
	}
	n := samplesOf(data)
	w.stored.Reset(need.Dx(), need.Dy())
	for y := range w.stored.H {
		pick(w.stored.Row(y), data[start+n*(width*(need.Min.Y+y)+need.Min.X):], n, n/3)
	}
	return need, nil
}

// icon finds the largest picture of an icon file; only those stored as PNG are read.
func icon(data []byte) ([]byte, error) {
	const head, entry = 6, 16
	side := func(b byte) int { return (int(b)+255)%256 + 1 } // 0 stands for 256
	var best []byte
	area := 0
	for i := range int(binary.LittleEndian.Uint16(data[4:])) {
		if len(data) < head+entry*(i+1) {
			return nil, &MalformedError{Format: "ICO", Reason: "its directory ends early"}
		}
		e := data[head+entry*i:][:entry]
		n, at := int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))
		if at+n > int64(len(data)) {
			return nil, &MalformedError{Format: "ICO", Reason: "a picture lies past the end"}
		}
		if a := side(e[0]) * side(e[1]); a > area {
			area, best = a, data[at:at+n]
		}
	}
	if !hasMagic(best, "\x89PNG\r\n\x1a\n") {
		return nil, &UnsupportedError{Format: "ICO", Reason: "only icons that hold PNG are read"}
	}
	return best, nil
}

func icoHeader(data []byte, l Limits) (header, error) {
	if len(data) < 6 {
		return header{}, &MalformedError{Format: "ICO", Reason: "it ends early"}
	}
	b, err := icon(data)
	if err != nil {
		return header{}, err
	}
	return pngHeader(b, l)
}

func decodeICO(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	b, err := icon(data)
	if err != nil {
		return need, err
	}
	return decodePNG(w, b, need)
}
