package tiff

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"golang.org/x/image/tiff/lzw"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// jpegCoding is the compression whose strips are JPEG pictures.
const jpegCoding = 7

// codings are the compressions read. Open gives the plain bytes of a strip; nil for JPEG, which is decoded as a picture.
var codings = []struct {
	number uint32
	open   func(in []byte) (io.Reader, error)
}{
	{1, func(in []byte) (io.Reader, error) { return bytes.NewReader(in), nil }},
	{5, func(in []byte) (io.Reader, error) { return lzw.NewReader(bytes.NewReader(in), lzw.MSB, 8), nil }},
	{jpegCoding, nil},
	{8, inflate},
	{32773, func(in []byte) (io.Reader, error) { return &packBits{in: in}, nil }},
	{32946, inflate},
}

func inflate(in []byte) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(in)) }

// unpack fills out with the plain bytes of strip or tile i. A last strip may hold fewer rows than the others.
func (h *Header) unpack(out []byte, i int) error {
	in := h.data[h.offsets[i]:][:h.counts[i]]
	for _, c := range codings {
		if c.number != h.compression {
			continue
		}
		r, err := c.open(in)
		if err == nil {
			_, err = io.ReadFull(r, out)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return malformed(fmt.Sprintf("strip or tile %d ends early", i))
		}
		if err != nil {
			return &raster.MalformedError{Format: "TIFF", Reason: fmt.Sprintf("strip or tile %d", i), Err: err}
		}
	}
	return nil
}

// packBits undoes Apple's run-length coding (TIFF 6.0, section 9).
type packBits struct {
	in   []byte
	left int  // bytes of the current packet
	run  bool // which are all the same
	same byte
}

// Read implements [io.Reader].
func (p *packBits) Read(out []byte) (int, error) {
	n := 0
	for n < len(out) {
		if p.left == 0 {
			if len(p.in) < 2 {
				return n, io.EOF
			}
			c := int8(p.in[0])
			p.in = p.in[1:]
			switch {
			case c == -128:
				continue
			case c < 0:
				p.left, p.run, p.same = 1-int(c), true, p.in[0]
				p.in = p.in[1:]
			default:
				p.left, p.run = 1+int(c), false
			}
		}
		k := min(p.left, len(out)-n)
		if p.run {
			for i := range k {
				out[n+i] = p.same
			}
		} else {
			if k = min(k, len(p.in)); k == 0 {
				return n, io.EOF
			}
			copy(out[n:n+k], p.in)
			p.in = p.in[k:]
		}
		n, p.left = n+k, p.left-k
	}
	return n, nil
}

// unpredict undoes horizontal differencing (section 14) in a row of samples.
func (h *Header) unpredict(row []byte, samples int) {
	if h.predictor != 2 {
		return
	}
	if h.bits == 8 {
		for i := samples; i < len(row); i++ {
			row[i] += row[i-samples]
		}
		return
	}
	for i := 2 * samples; i+1 < len(row); i += 2 {
		h.order.PutUint16(row[i:], h.order.Uint16(row[i:])+h.order.Uint16(row[i-2*samples:]))
	}
}
