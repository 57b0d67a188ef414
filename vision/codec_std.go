package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// pngHeader reads a PNG's size, and its orientation where an eXIf chunk stands before the pixels.
func pngHeader(data []byte, _ Limits) (header, error) {
	const ihdr = 8 + 8 + 13
	if len(data) < ihdr+4 || string(data[12:16]) != "IHDR" {
		return header{}, &MalformedError{Format: "PNG", Reason: "no header"}
	}
	w, h := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if w > 1<<31-1 || h > 1<<31-1 {
		return header{}, &MalformedError{Format: "PNG", Reason: "a side of more than 2³¹-1 pixels"}
	}
	out := header{width: int(w), height: int(h)}
	deflated := int64(0)
	for b := data[8:]; len(b) >= 12; {
		n := int64(binary.BigEndian.Uint32(b))
		body := b[8:min(int64(len(b)), 8+n)]
		switch string(b[4:8]) {
		case "eXIf":
			out.orientation = exifOrientation(body)
		case "IDAT":
			deflated += int64(len(body))
		}
		if 12+n > int64(len(b)) {
			break
		}
		b = b[12+n:]
	}
	// Deflate makes at most 1032 bytes of one; a row has a byte more than its pixels, each a bit at least.
	if raw := (int64(w)/8 + 1) * int64(h); raw > 1032*deflated+1032 {
		return out, tooShort("PNG", data, out)
	}
	return out, nil
}

// decodePNG decodes by the standard library, which keeps colours apart from transparency as Pillow does.
func decodePNG(w *worker, data []byte, need image.Rectangle) (image.Rectangle, error) {
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return image.Rectangle{}, decodeError("PNG", err)
	}
	toRGB(&w.stored, m, need)
	return need, nil
}

// decodeError makes a standard library decoder's error one of ours.
func decodeError(format string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &MalformedError{Format: format, Reason: "it ends early", Err: err}
	}
	var unsupported png.UnsupportedError
	if errors.As(err, &unsupported) {
		return &UnsupportedError{Format: format, Err: err}
	}
	return &MalformedError{Format: format, Err: err}
}

// toRGB makes dst the part r of m, in the way of Pillow's convert("RGB"): transparency is dropped, not mixed, 16-bit
// colours lose their low byte, and 16-bit greys are clipped at 255.
func toRGB(dst *raster.Image, m image.Image, r image.Rectangle) {
	dst.Reset(r.Dx(), r.Dy())
	r = r.Add(m.Bounds().Min)
	for y := range dst.H {
		row := dst.Row(y)
		switch m := m.(type) {
		case *image.NRGBA:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 4, 1)
		case *image.RGBA:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 4, 1)
		case *image.NRGBA64:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 8, 2)
		case *image.RGBA64:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 8, 2)
		case *image.Gray:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 1, 0)
		case *image.Gray16:
			p := m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):]
			for x := range dst.W {
				v := clipped(p[2*x], p[2*x+1])
				row[3*x], row[3*x+1], row[3*x+2] = v, v, v
			}
		case *image.Paletted:
			p := m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):]
			for x := range dst.W {
				c := color.NRGBA{}
				if i := int(p[x]); i < len(m.Palette) {
					c = color.NRGBAModel.Convert(m.Palette[i]).(color.NRGBA)
				}
				row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
			}
		default:
			for x := range dst.W {
				c := color.NRGBAModel.Convert(m.At(r.Min.X+x, r.Min.Y+y)).(color.NRGBA)
				row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
			}
		}
	}
}

// pick fills row with pixels of which each starts size bytes after the one before and has its channels step bytes apart.
func pick(row, from []byte, size, step int) {
	for x := 0; 3*x < len(row); x++ {
		p := from[size*x:]
		row[3*x], row[3*x+1], row[3*x+2] = p[0], p[step], p[2*step]
	}
}

// clipped is a 16-bit value, at most 255.
func clipped(high, low byte) byte {
	if high > 0 {
		return 255
	}
	return low
}
