// Package jpeg decodes JPEG pictures (ITU-T T.81: baseline, extended and progressive Huffman coding, 8 bits) to the very
// RGB pixels that libjpeg gives with its default settings, and so Pillow: its accurate integer inverse transform, its
// triangle-filter ("fancy") upsampling of chroma, its integer colour conversion.
//
// Unlike the standard library's decoder it gives only the part of the picture that is asked for, keeps its memory from
// picture to picture, and upsamples as libjpeg does.
package jpeg

import (
	"fmt"
	"image"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A Decoder decodes one picture after another, keeping its memory. The zero value is ready; it is not safe for concurrent
// use.
type Decoder struct {
	// Plain takes three components for red, green and blue, whatever the file says of them, as TIFF files need it.
	Plain bool

	in            bits
	width, height int
	progressive   bool
	n             int // components
	comps         [4]component
	maxH, maxV    int
	mcusX, mcusY  int
	tables        [2][4]huffman // DC, AC
	quant         [4][64]int32  // natural order
	hasQuant      [4]bool
	interval      int // MCUs between restarts, 0: none
	need          image.Rectangle
	begun         bool // the first scan was reached
	scans         int
	scan          scan

	jfif      bool
	adobe     bool
	transform byte

	block [64]int32
	up    upsampler
}

// A Header is what stands before the pixels.
type Header struct {
	Width, Height int
	Exif          []byte // the EXIF block, "Exif\0\0" first; nil where there is none. It aliases the file's bytes.
}

// ReadHeader reads data up to its frame header.
func ReadHeader(data []byte) (Header, error) {
	var h Header
	err := segments(data, func(marker byte, seg []byte, _ int) (int, error) {
		switch {
		case marker == 0xe1 && h.Exif == nil && len(seg) > 6 && string(seg[:6]) == "Exif\x00\x00":
			h.Exif = seg
		case isFrame(marker):
			if len(seg) < 6 {
				return 0, malformed("frame header too short")
			}
			h.Height, h.Width = int(seg[1])<<8|int(seg[2]), int(seg[3])<<8|int(seg[4])
			return stop, nil
		case marker == 0xd9 || marker == 0xda:
			return 0, malformed("no frame header")
		}
		return 0, nil
	})
	return h, err
}

// Decode makes dst the part need of the picture in data. Its size must have been checked before.
func (d *Decoder) Decode(dst *raster.Image, data []byte, need image.Rectangle) error {
	d.reset(data, need)
	ended := false
	err := segments(data, func(marker byte, seg []byte, end int) (int, error) {
		switch {
		case isFrame(marker):
			return 0, d.sof(marker, seg)
		case marker == 0xda:
			return d.sos(seg, end)
		case marker == 0xd9:
			ended = true
			return stop, nil
		}
		return 0, d.table(marker, seg)
	})
	d.in.data = nil
	switch {
	case err != nil:
		return err
	case !ended || !d.begun:
		return malformed("it ends without a picture")
	}
	for i := range d.n {
		if c := &d.comps[i]; !c.seen {
			return malformed(fmt.Sprintf("component %d has no data", c.id))
		}
	}
	if d.progressive {
		d.reconstruct()
	}
	d.colours(dst)
	return nil
}

func (d *Decoder) reset(data []byte, need image.Rectangle) {
	d.in = bits{data: data}
	d.n, d.need, d.begun, d.scans, d.interval = 0, need, false, 0, 0
	d.jfif, d.adobe, d.transform = false, false, 0
	d.hasQuant = [4]bool{}
	for i := range d.tables {
		for j := range d.tables[i] {
			d.tables[i][j].known = false
		}
	}
}

// stop as a segment's answer ends the walk.
const stop = -1

// segments walks over data's markers. For each it calls f with the segment's content and where that ends; f returns where
// to go on, 0 for there.
func segments(data []byte, f func(marker byte, seg []byte, end int) (int, error)) error {
	if len(data) < 2 || data[0] != 0xff || data[1] != 0xd8 {
		return malformed("it does not start with a start-of-image marker")
	}
	pos := 2
	for {
		// Like libjpeg, step over whatever stands before the next marker.
		for pos+1 < len(data) && (data[pos] != 0xff || data[pos+1] == 0xff || data[pos+1] == 0) {
			pos++
		}
		if pos+1 >= len(data) {
			return malformed("it ends early")
		}
		marker := data[pos+1]
		pos += 2
		var seg []byte
		switch {
		case marker >= 0xd0 && marker <= 0xd8 || marker == 0x01:
			continue
		case marker == 0xd9:
		default:
			if pos+2 > len(data) {
				return malformed("it ends early")
			}
			n := int(data[pos])<<8 | int(data[pos+1])
			if n < 2 || pos+n > len(data) {
				return malformed("a segment reaches past the end")
			}
			seg = data[pos+2 : pos+n]
			pos += n
		}
		next, err := f(marker, seg, pos)
		switch {
		case err != nil:
			return err
		case next == stop:
			return nil
		case next > 0:
			pos = next
		}
	}
}

func isFrame(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

// table reads a segment that is neither frame nor scan.
func (d *Decoder) table(marker byte, seg []byte) error {
	switch marker {
	case 0xc4:
		return d.dht(seg)
	case 0xdb:
		return d.dqt(seg)
	case 0xdd:
		if len(seg) < 2 {
			return malformed("restart interval too short")
		}
		d.interval = int(seg[0])<<8 | int(seg[1])
	case 0xe0:
		d.jfif = d.jfif || len(seg) >= 5 && string(seg[:5]) == "JFIF\x00"
	case 0xee:
		if len(seg) >= 12 && string(seg[:5]) == "Adobe" {
			d.adobe, d.transform = true, seg[11]
		}
	case 0xcc:
		return unsupported("arithmetic coding")
	}
	return nil
}

// dqt reads quantisation tables (T.81, B.2.4.1).
func (d *Decoder) dqt(seg []byte) error {
	for len(seg) > 0 {
		wide, id := int(seg[0]>>4), seg[0]&15
		if id > 3 || wide > 1 || len(seg) < 1+64*(1+wide) {
			return malformed("quantisation table")
		}
		seg = seg[1:]
		for _, at := range zigzag[:64] {
			v := int32(seg[0])
			if wide == 1 {
				v = v<<8 | int32(seg[1])
			}
			d.quant[id][at] = v
			seg = seg[1+wide:]
		}
		d.hasQuant[id] = true
	}
	return nil
}

// dht reads Huffman tables (T.81, B.2.4.2).
func (d *Decoder) dht(seg []byte) error {
	for len(seg) > 0 {
		class, id := seg[0]>>4, seg[0]&15
		if class > 1 || id > 3 || len(seg) < 17 {
			return malformed("Huffman table")
		}
		var counts [17]int
		total := 0
		for i := 1; i <= 16; i++ {
			counts[i] = int(seg[i])
			total += counts[i]
		}
		if total > 256 || len(seg) < 17+total {
			return malformed("Huffman table")
		}
		if !d.tables[class][id].build(&counts, seg[17:17+total]) {
			return malformed("Huffman table with more codes than fit")
		}
		seg = seg[17+total:]
	}
	return nil
}

// zigzag gives a coefficient's place in row-major order; 16 more entries catch runs that pass the end.
var zigzag = [80]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
}
