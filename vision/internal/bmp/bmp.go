// Package bmp decodes Windows bitmaps to the RGB pixels Pillow gives: 1, 4 and 8 bits with a palette, plain or run-length
// coded, 16, 24 and 32 bits, plain or with masks. Transparency is dropped.
package bmp

import (
	"encoding/binary"
	"fmt"
	"image"
	"math/bits"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// Compression methods (Windows GDI, BITMAPINFOHEADER).
const (
	plain     = 0
	rle8      = 1
	rle4      = 2
	bitFields = 3
	alphaBits = 6
)

// A Header is what stands before a bitmap's pixels.
type Header struct {
	Width, Height int

	topDown bool
	bits    int
	method  uint32
	masks   [3]uint32
	palette [256][3]byte
	pixels  []byte
}

// ReadHeader reads a bitmap's header and palette. A file too short for the pixels it declares is malformed.
func ReadHeader(data []byte) (Header, error) {
	var h Header
	if len(data) < 26 {
		return h, malformed("it ends early")
	}
	le := binary.LittleEndian
	start, size := int64(le.Uint32(data[10:])), int64(le.Uint32(data[14:]))
	entry := int64(4)
	switch {
	case size == 12:
		entry = 3
		h.Width, h.Height = int(le.Uint16(data[18:])), int(le.Uint16(data[20:]))
		h.bits = int(le.Uint16(data[24:]))
	case size >= 40 && size <= 256 && int64(len(data)) >= 14+size:
		h.Width, h.Height = int(int32(le.Uint32(data[18:]))), int(int32(le.Uint32(data[22:])))
		h.bits, h.method = int(le.Uint16(data[28:])), le.Uint32(data[30:])
		h.topDown = h.Height < 0
		if h.topDown {
			h.Height = -h.Height
		}
	default:
		return h, unsupported(fmt.Sprintf("a header of %d bytes", size))
	}
	if h.Width <= 0 || h.Height <= 0 {
		return h, malformed(fmt.Sprintf("its size is %dx%d", h.Width, h.Height))
	}
	at := 14 + size
	if h.method == bitFields || h.method == alphaBits {
		if int64(len(data)) < 14+52 {
			return h, malformed("it ends early")
		}
		for i := range h.masks {
			h.masks[i] = le.Uint32(data[54+4*i:])
		}
		if size == 40 {
			at += 12
		}
	}
	if h.bits <= 8 && at < int64(len(data)) {
		table := data[at:min(max(start, at), int64(len(data)))]
		for i := 0; i < 1<<h.bits && int64(len(table)) >= entry; i++ {
			h.palette[i] = [3]byte{table[2], table[1], table[0]}
			table = table[entry:]
		}
	}
	if start > int64(len(data)) {
		return h, malformed("its pixels lie past the end")
	}
	h.pixels = data[start:]
	return h, h.check()
}

// check refuses what is not read, and files that are too short.
func (h *Header) check() error {
	if h.method == rle8 && h.bits == 8 || h.method == rle4 && h.bits == 4 {
		return nil
	}
	switch {
	case h.method == plain:
		switch h.bits {
		case 1, 4, 8, 24:
		case 16:
			h.masks = [3]uint32{31 << 10, 31 << 5, 31}
		case 32:
			h.masks = [3]uint32{255 << 16, 255 << 8, 255}
		default:
			return unsupported(fmt.Sprintf("%d bits a pixel", h.bits))
		}
	case (h.method == bitFields || h.method == alphaBits) && (h.bits == 16 || h.bits == 32):
		for _, m := range h.masks {
			if n := bits.OnesCount32(m); n == 0 || n > 8 || bits.Len32(m)-bits.TrailingZeros32(m) != n {
				return unsupported(fmt.Sprintf("colour masks %#x", h.masks))
			}
		}
	default:
		return unsupported(fmt.Sprintf("compression %d of %d bits a pixel", h.method, h.bits))
	}
	if need := h.stride() * int64(h.Height); int64(len(h.pixels)) < need {
		return malformed(fmt.Sprintf("%d bytes of pixels where %dx%d take %d", len(h.pixels), h.Width, h.Height, need))
	}
	return nil
}

// stride is the length of a plain row: whole words of 4 bytes.
func (h *Header) stride() int64 { return (int64(h.Width)*int64(h.bits) + 31) / 32 * 4 }

// Decode makes dst the part need of the bitmap.
func Decode(dst *raster.Image, data []byte, need image.Rectangle) error {
	h, err := ReadHeader(data)
	if err != nil {
		return err
	}
	dst.Reset(need.Dx(), need.Dy())
	if h.method == rle8 || h.method == rle4 {
		return h.runs(dst, need)
	}
	for y := need.Min.Y; y < need.Max.Y; y++ {
		row := h.pixels[h.stride()*int64(h.stored(y)):][:h.stride()]
		h.row(dst.Row(y-need.Min.Y), row, need.Min.X)
	}
	return nil
}

// stored is where row y stands in the file: bitmaps start at the bottom.
func (h *Header) stored(y int) int {
	if h.topDown {
		return y
	}
	return h.Height - 1 - y
}

// row converts a plain row from pixel x0 on.
func (h *Header) row(out, in []byte, x0 int) {
	for i := 0; 3*i < len(out); i++ {
		x, o := x0+i, out[3*i:3*i+3]
		switch h.bits {
		case 1:
			copy(o, h.palette[in[x/8]>>(7-x%8)&1][:])
		case 4:
			copy(o, h.palette[in[x/2]>>(4-4*(x%2))&15][:])
		case 8:
			copy(o, h.palette[in[x]][:])
		case 16:
			h.masked(o, uint32(in[2*x])|uint32(in[2*x+1])<<8)
		case 24:
			o[0], o[1], o[2] = in[3*x+2], in[3*x+1], in[3*x]
		case 32:
			h.masked(o, binary.LittleEndian.Uint32(in[4*x:]))
		}
	}
}

// masked takes the channels out of a pixel, stretched to 0…255.
func (h *Header) masked(o []byte, v uint32) {
	for i, m := range h.masks {
		shift := bits.TrailingZeros32(m)
		o[i] = byte(v & m >> shift * 255 / (m >> shift))
	}
}

// runs decodes run-length coding. Pixels that no run covers have colour 0.
func (h *Header) runs(dst *raster.Image, need image.Rectangle) error {
	for i := range dst.W * dst.H {
		copy(dst.Pix[3*i:], h.palette[0][:])
	}
	x, y := 0, 0 // y counts rows as stored
	put := func(v byte) {
		p := image.Pt(x, h.stored(y))
		if x < h.Width && y < h.Height && p.In(need) {
			copy(dst.Row(p.Y - need.Min.Y)[3*(p.X-need.Min.X):][:3], h.palette[v][:])
		}
		x++
	}
	pixel := func(b []byte, i int) byte {
		if h.method == rle8 {
			return b[i]
		}
		return b[i/2] >> (4 - 4*(i%2)) & 15
	}
	for in := h.pixels; ; {
		if len(in) < 2 {
			return malformed("its runs end early")
		}
		n, v := int(in[0]), in[1]
		in = in[2:]
		switch {
		case n > 0:
			for i := range n {
				put(pixel([]byte{v, v, v}, i%2))
			}
		case v == 0:
			x, y = 0, y+1
		case v == 1:
			return nil
		case v == 2:
			if len(in) < 2 {
				return malformed("its runs end early")
			}
			x, y = x+int(in[0]), y+int(in[1])
			in = in[2:]
		default:
			size := int(v)
			if h.method == rle4 {
				size = (size + 1) / 2
			}
			if len(in) < size {
				return malformed("its runs end early")
			}
			for i := range int(v) {
				put(pixel(in, i))
			}
			in = in[min(size+size&1, len(in)):]
		}
		if y >= h.Height {
			return nil
		}
	}
}

func malformed(reason string) error { return &raster.MalformedError{Format: "BMP", Reason: reason} }
func unsupported(reason string) error {
	return &raster.UnsupportedError{Format: "BMP", Reason: reason}
}
