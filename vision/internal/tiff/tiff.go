package tiff

import (
	"image"

	"github.com/onnx-graft/graft/vision/internal/jpeg"
	"github.com/onnx-graft/graft/vision/internal/raster"
)

// Decode makes dst the part need of the first picture. Only strips and tiles that reach into it are decoded.
func Decode(dst *raster.Image, data []byte, need image.Rectangle) error {
	h, err := ReadHeader(data)
	if err != nil {
		return err
	}
	if err := h.plausible(); err != nil {
		return err
	}
	dst.Reset(need.Dx(), need.Dy())
	across := up(h.Width, h.tileW)
	var t tile
	for y := need.Min.Y / h.tileH; y < up(need.Max.Y, h.tileH); y++ {
		for x := need.Min.X / h.tileW; x < up(need.Max.X, h.tileW); x++ {
			if err := t.decode(&h, y*across+x, min(h.tileH, h.Height-y*h.tileH)); err != nil {
				return err
			}
			at := image.Pt(x*h.tileW, y*h.tileH)
			part := image.Rectangle{Min: at, Max: at.Add(image.Pt(t.rgb.W, t.rgb.H))}.Intersect(need)
			for row := part.Min.Y; row < part.Max.Y; row++ {
				copy(dst.Row(row - need.Min.Y)[3*(part.Min.X-need.Min.X):],
					t.rgb.Row(row - at.Y)[3*(part.Min.X-at.X):3*(part.Max.X-at.X)])
			}
		}
	}
	return nil
}

// plausible refuses a file whose strips cannot hold what they should: no coding makes more than 3000 bytes of one, and
// JPEG's strips are checked as they are decoded.
func (h *Header) plausible() error {
	total := int64(0)
	for _, n := range h.counts {
		total += int64(n)
	}
	if raw := int64(h.Width) * int64(h.Height) * int64(h.bits*h.samples) / 8; h.compression != jpegCoding && raw > 3000*total+3000 {
		return malformed("its strips are too short for the picture's size")
	}
	if total > 16*int64(len(h.data))+1<<20 {
		return malformed("its strips share the same bytes many times over")
	}
	if int64(h.tileW)*int64(h.tileH) > 4*int64(h.Width)*int64(h.Height)+1<<16 {
		return malformed("its tiles are much larger than the picture")
	}
	return nil
}

// A tile is a strip or tile being decoded.
type tile struct {
	jpeg  jpeg.Decoder
	plain []byte
	rgb   raster.Image
}

// decode makes t.rgb the pixels of strip or tile i, of which rows rows lie within the picture.
func (t *tile) decode(h *Header, i, rows int) error {
	if h.compression == jpegCoding {
		return t.decodeJPEG(h, i, rows)
	}
	samples, planes := h.samples, 1
	if h.planar {
		samples, planes = 1, h.samples
	}
	stride := up(h.tileW*samples*h.bits, 8)
	t.plain = raster.Grow(t.plain, stride*rows*planes)
	step := len(h.offsets) / planes
	for p := range planes {
		part := t.plain[p*stride*rows:][:stride*rows]
		if err := h.unpack(part, i+p*step); err != nil {
			return err
		}
		for y := range rows {
			h.unpredict(part[y*stride:][:stride], samples)
		}
	}
	t.rgb.Reset(h.tileW, rows)
	get := h.sampler(stride*rows, stride, samples)
	for y := range rows {
		h.convert(t.rgb.Row(y), func(x, s int) uint32 { return get(t.plain, x, y, s) })
	}
	return nil
}

// decodeJPEG decodes a strip that is a JPEG picture, after the tables all strips share.
func (t *tile) decodeJPEG(h *Header, i, rows int) error {
	in := h.data[h.offsets[i]:][:h.counts[i]]
	if n := len(h.tables); n > 4 && len(in) > 2 {
		in = append(append([]byte{}, h.tables[:n-2]...), in[2:]...) // without its end marker, and the strip's start
	}
	head, err := jpeg.ReadHeader(in)
	if err != nil {
		return err
	}
	if head.Width < min(h.tileW, h.Width) || head.Height < rows || head.Width > h.tileW+16 || head.Height > h.tileH+16 {
		return malformed("a JPEG strip of another size than the file says")
	}
	t.jpeg.Plain = h.photometric == rgb
	return t.jpeg.Decode(&t.rgb, in, image.Rect(0, 0, min(head.Width, h.tileW), rows))
}

// sampler returns what reads sample s of pixel x, y: planes lie plane bytes apart, rows stride.
func (h *Header) sampler(plane, stride, samples int) func(b []byte, x, y, s int) uint32 {
	place := func(x, y, s int) (int, int) {
		if h.planar {
			return s*plane + y*stride, x
		}
		return y * stride, x*samples + s
	}
	return func(b []byte, x, y, s int) uint32 {
		row, i := place(x, y, s)
		switch h.bits {
		case 8:
			return uint32(b[row+i])
		case 16:
			return uint32(h.order.Uint16(b[row+2*i:]))
		}
		per := 8 / h.bits
		return uint32(b[row+i/per]) >> (8 - h.bits - i%per*h.bits) & (1<<h.bits - 1)
	}
}

// convert makes a row of RGB as Pillow's convert("RGB") does. 16-bit greys are clipped at 255, 16-bit colours lose their
// low byte.
func (h *Header) convert(out []byte, get func(x, s int) uint32) {
	high := func(x, s int) byte { return byte(get(x, s) >> max(h.bits-8, 0)) }
	most := uint32(1)<<min(h.bits, 8) - 1
	premultiplied := h.photometric == rgb && h.samples > 3 && len(h.extra) > 0 && h.extra[0] == 1
	for x := 0; 3*x < len(out); x++ {
		o := out[3*x : 3*x+3]
		switch h.photometric {
		case whiteIsZero, blackIsZero:
			v := byte(min(get(x, 0), 255) * 255 / most)
			if h.photometric == whiteIsZero {
				v = 255 - v
			}
			o[0], o[1], o[2] = v, v, v
		case palette:
			for c := range o {
				o[c] = byte(h.colours[c<<h.bits+int(get(x, 0))] >> 8)
			}
		case cmyk:
			for c := range o {
				o[c] = jpeg.Ink(high(x, c), high(x, 3))
			}
		default:
			for c := range o {
				o[c] = high(x, c)
			}
			if premultiplied {
				divide(o, high(x, 3))
			}
		}
	}
}

// divide undoes the multiplication of colours by alpha.
func divide(o []byte, alpha byte) {
	if alpha == 0 || alpha == 255 {
		return
	}
	for c, v := range o {
		o[c] = byte(min(255, 255*int(v)/int(alpha)))
	}
}
