// Package webp decodes the first picture of WebP files to the RGB pixels that libwebp gives, and so Pillow: lossy pictures
// by libwebp's "fancy" upsampling and its fixed-point colour conversion, lossless ones exactly. Transparency is dropped.
//
// The bit streams are read by golang.org/x/image (RFC 6386 and the WebP lossless specification); the container, and what
// becomes of the planes, are this package's.
package webp

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A Header is what a file says of its pictures.
type Header struct {
	Width, Height int
	Frames        int
	Exif          []byte // nil where there is none

	first    image.Rectangle // where the first picture lies on the canvas
	lossless bool
	codes    []byte
}

// ReadHeader reads the canvas' size and finds the frames.
func ReadHeader(data []byte) (Header, error) {
	var h Header
	if len(data) < 12 {
		return h, malformed("it ends early")
	}
	extended := false
	err := chunks(data[12:], func(kind string, body []byte) error {
		switch kind {
		case "VP8X":
			if len(body) < 10 {
				return malformed("VP8X chunk too short")
			}
			extended = true
			h.Width, h.Height = u24(body[4:])+1, u24(body[7:])+1
		case "VP8 ", "VP8L":
			if h.Frames == 0 {
				h.Frames++
				return h.still(kind, body, image.Point{})
			}
		case "ANMF":
			h.Frames++
			if h.Frames == 1 {
				return h.frame(body)
			}
		case "EXIF":
			h.Exif = body
		}
		return nil
	})
	switch {
	case err != nil && h.codes == nil:
		return h, err
	case h.codes == nil:
		return h, malformed("it holds no picture")
	case !extended:
		h.Width, h.Height = h.first.Max.X, h.first.Max.Y
	case !h.first.In(image.Rect(0, 0, h.Width, h.Height)):
		return h, malformed("the picture is larger than its canvas")
	}
	return h, nil
}

// frame reads the first frame of an animation.
func (h *Header) frame(body []byte) error {
	const head = 16
	if len(body) < head {
		return malformed("ANMF chunk too short")
	}
	at := image.Pt(2*u24(body), 2*u24(body[3:]))
	return chunks(body[head:], func(kind string, body []byte) error {
		if kind == "VP8 " || kind == "VP8L" {
			return h.still(kind, body, at)
		}
		return nil
	})
}

// still reads the size of a bit stream.
func (h *Header) still(kind string, body []byte, at image.Point) error {
	h.codes, h.lossless = body, kind == "VP8L"
	var size image.Point
	if h.lossless {
		c, err := vp8l.DecodeConfig(bytes.NewReader(body))
		if err != nil {
			return &raster.MalformedError{Format: "WebP", Err: err}
		}
		size = image.Pt(c.Width, c.Height)
	} else {
		if len(body) < 10 || body[0]&1 != 0 || body[3] != 0x9d || body[4] != 1 || body[5] != 0x2a {
			return malformed("no key frame")
		}
		size = image.Pt(int(binary.LittleEndian.Uint16(body[6:]))&0x3fff, int(binary.LittleEndian.Uint16(body[8:]))&0x3fff)
	}
	h.first = image.Rectangle{Min: at, Max: at.Add(size)}
	return nil
}

// chunks calls f with each RIFF chunk of b. A last chunk that is cut off is given as far as it goes.
func chunks(b []byte, f func(kind string, body []byte) error) error {
	for len(b) >= 8 {
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		end := min(8+n, int64(len(b)))
		if err := f(string(b[:4]), b[8:end]); err != nil {
			return err
		}
		b = b[min(8+n+n&1, int64(len(b))):]
	}
	return nil
}

// Decode makes dst the part need of the first picture.
func Decode(dst *raster.Image, data []byte, need image.Rectangle) error {
	h, err := ReadHeader(data)
	if err != nil {
		return err
	}
	dst.Reset(need.Dx(), need.Dy())
	if !need.In(h.first) {
		clear(dst.Pix)
	}
	in := need.Intersect(h.first)
	to := in.Min.Sub(need.Min)
	from := in.Sub(h.first.Min)
	if h.lossless {
		m, err := vp8l.Decode(bytes.NewReader(h.codes))
		if err != nil {
			return &raster.MalformedError{Format: "WebP", Err: err}
		}
		return lossless(dst, to, m, from)
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(h.codes), len(h.codes))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return &raster.MalformedError{Format: "WebP", Err: err}
	}
	m, err := d.DecodeFrame()
	if err != nil {
		return &raster.MalformedError{Format: "WebP", Err: err}
	}
	lossy(dst, to, m, from)
	return nil
}

// lossless copies the part from of m to dst at to.
func lossless(dst *raster.Image, to image.Point, m image.Image, from image.Rectangle) error {
	p, ok := m.(*image.NRGBA)
	for y := range from.Dy() {
		row := dst.Row(to.Y + y)[3*to.X:]
		for x := range from.Dx() {
			if ok {
				copy(row[3*x:3*x+3], p.Pix[p.PixOffset(from.Min.X+x, from.Min.Y+y):])
				continue
			}
			c := color.NRGBAModel.Convert(m.At(from.Min.X+x, from.Min.Y+y)).(color.NRGBA)
			row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
		}
	}
	return nil
}

func u24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func malformed(reason string) error {
	return &raster.MalformedError{Format: "WebP", Reason: reason}
}
