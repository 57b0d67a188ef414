package vision

import (
	"fmt"
	"image"

	"github.com/onnx-graft/graft/vision/internal/raster"
	"github.com/onnx-graft/graft/vision/internal/resample"
)

// A header is what a file says of its picture before the pixels.
type header struct {
	width, height int
	orientation   raster.Orientation // 0 and 1: upright
	frames        int                // 0 and 1: a single picture
}

// A worker decodes and transforms one picture at a time, keeping its memory for the next.
type worker struct {
	file    []byte       // the encoded bytes, where read from a file
	stored  raster.Image // decoded rows
	upright raster.Image
	seen    raster.Image // what the model sees
	jpeg    jpegDecoder
	resizer resample.Resizer
}

// A format is one kind of file: how to know it, how to read its header cheaply, and how to decode it.
type format struct {
	name  string
	magic []string // how files begin; '?' is any byte
	head  func(data []byte, l Limits) (header, error)
	// decode makes w.stored a part of the picture that holds need, and returns which.
	decode func(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error)
}

// formats are the kinds of files that are read.
var formats = []format{
	{"JPEG", []string{"\xff\xd8\xff"}, jpegHeader, decodeJPEG},
	{"PNG", []string{"\x89PNG\r\n\x1a\n"}, pngHeader, decodePNG},
	{"GIF", []string{"GIF87a", "GIF89a"}, gifHeader, decodeGIF},
	{"WebP", []string{"RIFF????WEBP"}, webpHeader, decodeWebP},
	{"BMP", []string{"BM"}, bmpHeader, decodeBMP},
	{"TIFF", []string{"II*\x00", "MM\x00*"}, tiffHeader, decodeTIFF},
	{"PPM", []string{"P6", "P5"}, ppmHeader, decodePPM},
	{"ICO", []string{"\x00\x00\x01\x00"}, icoHeader, decodeICO},
}

// formatOf tells a file's format by its first bytes.
func formatOf(data []byte) (*format, error) {
	if len(data) == 0 {
		return nil, &MalformedError{Format: "picture", Reason: "the file is empty"}
	}
	for i := range formats {
		for _, magic := range formats[i].magic {
			if hasMagic(data, magic) {
				return &formats[i], nil
			}
		}
	}
	if known, ok := foreign(data); ok {
		return nil, &UnsupportedError{Format: known, Reason: "graft reads JPEG, PNG, GIF, WebP, BMP, TIFF, PPM and ICO"}
	}
	return nil, &MalformedError{Format: "picture", Reason: "the file is none of JPEG, PNG, GIF, WebP, BMP, TIFF, PPM, ICO"}
}

// foreign names formats that people try and graft does not read.
func foreign(data []byte) (string, bool) {
	for _, f := range []struct{ name, magic string }{
		{"JPEG 2000", "\x00\x00\x00\x0cjP  "},
		{"AVIF", "????ftypavif"},
		{"HEIC", "????ftyphei"}, {"HEIC", "????ftypmif1"},
		{"JPEG XL", "\xff\x0a"}, {"JPEG XL", "\x00\x00\x00\x0cJXL "},
		{"PSD", "8BPS"}, {"PDF", "%PDF"}, {"SVG", "<svg"},
	} {
		if hasMagic(data, f.magic) {
			return f.name, true
		}
	}
	return "", false
}

func hasMagic(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && data[i] != magic[i] {
			return false
		}
	}
	return true
}

// inspect reads the header of an encoded picture and checks it against the limits.
func inspect(data []byte, l Limits) (*format, header, error) {
	f, err := formatOf(data)
	if err != nil {
		return nil, header{}, err
	}
	h, err := f.head(data, l) // a size too large is told before what else is wrong
	switch pixels := int64(h.width) * int64(h.height); {
	case h.width > 0 && h.height > 0 && pixels > l.Pixels:
		return nil, header{}, &LimitError{What: "pixels", Have: pixels, Limit: l.Pixels}
	case err != nil:
		return nil, header{}, err
	case h.width <= 0 || h.height <= 0:
		return nil, header{}, &MalformedError{Format: f.name, Reason: fmt.Sprintf("its size is %dx%d", h.width, h.height)}
	case int64(h.frames) > l.Frames:
		return nil, header{}, &LimitError{What: "frames", Have: int64(h.frames), Limit: l.Frames}
	}
	return f, h, nil
}

// transform decodes data and does to it what t says and lay lays out for the upright picture's size; w.seen is then what
// the model sees, before its values are changed. Only the pixels that the crop needs are computed, where the format lets it.
func (w *worker) transform(data []byte, t *Transform, lay func(w, h int) plan, l Limits) error {
	f, h, err := inspect(data, l)
	if err != nil {
		return err
	}
	turn := h.orientation
	if t.Stored {
		turn = 1
	}
	p := lay(turn.Size(h.width, h.height))
	inside := p.crop.Intersect(image.Rectangle{Max: p.to})
	need := resample.Needs(p.from.Size(), p.to, inside, t.filter()).Add(p.from.Min)
	at, err := f.decode(w, data, turn.Stored(need, h.width, h.height))
	if err != nil {
		return err
	}
	src := resample.Source{Pixels: &w.stored, At: at, Size: p.from.Size()}
	if turn > 1 {
		turn.Apply(&w.upright, &w.stored)
		src.Pixels, src.At = &w.upright, turn.Upright(at, h.width, h.height)
	}
	src.At = src.At.Sub(p.from.Min)
	w.seen.Reset(p.crop.Dx(), p.crop.Dy())
	if inside != p.crop {
		clear(w.seen.Pix)
	}
	w.resizer.Resize(&w.seen, inside.Min.Sub(p.crop.Min), src, p.to, inside, t.filter())
	return nil
}
