// Package gif decodes the first picture of GIF files (GIF89a specification, CompuServe 1990) to the RGB pixels Pillow
// gives: the colours of transparent pixels are kept, and what the first frame leaves of the screen has the transparent
// colour's index, or 0.
package gif

import (
	"bytes"
	"compress/lzw"
	"errors"
	"image"
	"io"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A Header is what a file says of its pictures.
type Header struct {
	Width, Height int
	Frames        int

	palette     [256][3]byte
	transparent int // index, -1: none
	first       image.Rectangle
	interlaced  bool
	litWidth    int
	codes       []byte // the first frame's data, still in sub-blocks
}

// ReadHeader reads the screen's size and finds the frames, of which it counts at most limit+1.
func ReadHeader(data []byte, limit int64) (Header, error) {
	h := Header{transparent: -1}
	if len(data) < 13 {
		return h, malformed("it ends early")
	}
	h.Width, h.Height = u16(data[6:]), u16(data[8:])
	for i := range h.palette {
		h.palette[i] = [3]byte{byte(i), byte(i), byte(i)}
	}
	rest, ok := h.colours(data[13:], data[10])
	for ok && int64(h.Frames) <= limit {
		if len(rest) == 0 {
			break
		}
		kind := rest[0]
		rest = rest[1:]
		switch kind {
		case ';':
			rest = nil
		case '!':
			rest, ok = h.extension(rest)
		case ',':
			rest, ok = h.frame(rest)
		case 0: // some writers leave stray terminators
		default:
			ok = false
		}
	}
	if h.Frames == 0 {
		return h, malformed("it ends before the first picture")
	}
	h.Width, h.Height = max(h.Width, h.first.Max.X), max(h.Height, h.first.Max.Y)
	return h, nil
}

// colours reads a colour table where the flags say there is one.
func (h *Header) colours(b []byte, flags byte) ([]byte, bool) {
	if flags&0x80 == 0 {
		return b, true
	}
	n := 2 << (flags & 7)
	if len(b) < 3*n {
		return nil, false
	}
	for i := range n {
		copy(h.palette[i][:], b[3*i:])
	}
	return b[3*n:], true
}

// extension steps over an extension; the first frame's control gives its transparent colour.
func (h *Header) extension(b []byte) ([]byte, bool) {
	if len(b) < 2 {
		return nil, false
	}
	if b[0] == 0xf9 && b[1] >= 4 && len(b) >= 6 && h.Frames == 0 {
		h.transparent = -1
		if b[2]&1 != 0 {
			h.transparent = int(b[5])
		}
	}
	return blocks(b[1:])
}

// frame reads a frame's header and steps over its data.
func (h *Header) frame(b []byte) ([]byte, bool) {
	if len(b) < 10 {
		return nil, false
	}
	x, y, w, ht, flags := u16(b), u16(b[2:]), u16(b[4:]), u16(b[6:]), b[8]
	b = b[9:]
	if h.Frames > 0 {
		if flags&0x80 != 0 {
			b = b[min(len(b), 3*(2<<(flags&7))):]
		}
	} else {
		h.first, h.interlaced = image.Rect(x, y, x+w, y+ht), flags&0x40 != 0
		var ok bool
		if b, ok = h.colours(b, flags); !ok || len(b) == 0 {
			return nil, false
		}
		h.litWidth, h.codes = int(b[0]), b[1:]
	}
	if len(b) == 0 {
		return nil, false
	}
	h.Frames++
	return blocks(b[1:])
}

// blocks steps over sub-blocks and their terminator.
func blocks(b []byte) ([]byte, bool) {
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 {
			return b[1:], true
		}
		if len(b) < 1+n {
			return nil, false
		}
		b = b[1+n:]
	}
	return nil, false
}

// Decode makes dst the part need of the first picture.
func Decode(dst *raster.Image, data []byte, need image.Rectangle) error {
	h, err := ReadHeader(data, 0)
	if err != nil {
		return err
	}
	if h.litWidth < 2 || h.litWidth > 8 {
		return malformed("the codes' width")
	}
	dst.Reset(need.Dx(), need.Dy())
	if !need.In(h.first) {
		colour := h.palette[max(h.transparent, 0)]
		for i := 0; i < len(dst.Pix); i += 3 {
			copy(dst.Pix[i:], colour[:])
		}
	}
	r := lzw.NewReader(&joiner{rest: h.codes}, lzw.LSB, h.litWidth)
	defer r.Close()
	row := make([]byte, h.first.Dx())
	in := h.first.Intersect(need)
	for _, y := range order(h.first.Dy(), h.interlaced) {
		if _, err := io.ReadFull(r, row); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return malformed("the picture's data end early")
			}
			return &raster.MalformedError{Format: "GIF", Err: err}
		}
		y += h.first.Min.Y
		if y < in.Min.Y || y >= in.Max.Y {
			continue
		}
		out := dst.Row(y - need.Min.Y)[3*(in.Min.X-need.Min.X):]
		for i, v := range row[in.Min.X-h.first.Min.X : in.Max.X-h.first.Min.X] {
			copy(out[3*i:3*i+3], h.palette[v][:])
		}
	}
	return nil
}

// order lists the rows as they are stored (appendix E).
func order(n int, interlaced bool) []int {
	rows := make([]int, 0, n)
	passes := [][2]int{{0, 1}}
	if interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, p := range passes {
		for y := p[0]; y < n; y += p[1] {
			rows = append(rows, y)
		}
	}
	return rows
}

// A joiner reads sub-blocks as one stream.
type joiner struct {
	rest  []byte
	block bytes.Reader
}

// ReadByte implements [io.ByteReader], which keeps lzw from reading ahead.
func (j *joiner) ReadByte() (byte, error) {
	for j.block.Len() == 0 {
		if len(j.rest) == 0 || j.rest[0] == 0 {
			return 0, io.EOF
		}
		n := min(int(j.rest[0]), len(j.rest)-1)
		j.block.Reset(j.rest[1 : 1+n])
		j.rest = j.rest[1+n:]
	}
	return j.block.ReadByte()
}

// Read implements [io.Reader].
func (j *joiner) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := j.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

func u16(b []byte) int { return int(b[0]) | int(b[1])<<8 }

func malformed(reason string) error {
	return &raster.MalformedError{Format: "GIF", Reason: reason}
}
