// Package tiff decodes the first picture of TIFF files (TIFF 6.0) to the RGB pixels Pillow gives: bilevel, grey, palette,
// RGB, CMYK, with or without transparency (dropped), 1 to 16 bits a sample, in strips or tiles; plain, PackBits, LZW,
// Deflate or JPEG coded.
package tiff

import (
	"encoding/binary"
	"fmt"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// Tags of a directory that matter here (TIFF 6.0, part 1, and its supplements).
const (
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagOrientation  = 274
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripCounts  = 279
	tagPlanar       = 284
	tagPredictor    = 317
	tagColorMap     = 320
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
	tagExtraSamples = 338
	tagSampleFormat = 339
	tagJPEGTables   = 347
)

// A Header is what a file says of its first picture.
type Header struct {
	Width, Height int
	Orientation   raster.Orientation

	order       binary.ByteOrder
	data        []byte
	bits        int
	samples     int
	compression uint32
	photometric uint32
	predictor   uint32
	planar      bool // each sample in a plane of its own
	extra       []uint32
	colours     []uint32
	tables      []byte // what JPEG strips share
	tileW       int
	tileH       int // rows of a strip, or a tile
	offsets     []uint32
	counts      []uint32
}

// ReadHeader reads the first directory.
func ReadHeader(data []byte) (Header, error) {
	h := Header{data: data, order: binary.LittleEndian}
	if len(data) < 8 {
		return h, malformed("it ends early")
	}
	if data[0] == 'M' {
		h.order = binary.BigEndian
	}
	tags, err := h.directory(int64(h.order.Uint32(data[4:])))
	if err != nil {
		return h, err
	}
	one := func(tag uint16, otherwise uint32) uint32 {
		if v := tags[tag]; len(v) > 0 {
			return v[0]
		}
		return otherwise
	}
	h.Width, h.Height = int(one(tagWidth, 0)), int(one(tagHeight, 0))
	if h.Width <= 0 || h.Height <= 0 || h.Width > 1<<30 || h.Height > 1<<30 {
		return h, malformed(fmt.Sprintf("its size is %dx%d", h.Width, h.Height))
	}
	h.Orientation = raster.Orientation(min(one(tagOrientation, 1), 9))
	h.bits, h.samples = int(one(tagBits, 1)), int(one(tagSamples, 1))
	for _, b := range tags[tagBits] {
		if int(b) != h.bits {
			return h, unsupported("samples of different sizes")
		}
	}
	h.compression, h.photometric = one(tagCompression, 1), one(tagPhotometric, 0)
	h.predictor, h.planar = one(tagPredictor, 1), one(tagPlanar, 1) == 2
	h.extra, h.colours = tags[tagExtraSamples], tags[tagColorMap]
	for _, b := range tags[tagJPEGTables] {
		h.tables = append(h.tables, byte(b))
	}
	h.tileW, h.tileH = h.Width, min(int(one(tagRowsPerStrip, 1<<31-1)), h.Height)
	h.offsets, h.counts = tags[tagStripOffsets], tags[tagStripCounts]
	if tags[tagTileOffsets] != nil {
		h.tileW, h.tileH = int(one(tagTileWidth, 0)), int(one(tagTileHeight, 0))
		h.offsets, h.counts = tags[tagTileOffsets], tags[tagTileCounts]
	}
	if one(tagFillOrder, 1) != 1 {
		return h, unsupported("bits stored last first")
	}
	if one(tagSampleFormat, 1) != 1 {
		return h, unsupported("samples that are not whole positive numbers")
	}
	return h, h.check()
}

// directory reads the entries at a place as numbers; text and fractions are left out.
func (h *Header) directory(at int64) (map[uint16][]uint32, error) {
	const entry = 12
	size := int64(len(h.data))
	if at < 8 || at+2 > size {
		return nil, malformed("its directory lies past the end")
	}
	n := int64(h.order.Uint16(h.data[at:]))
	if at+2+n*entry > size {
		return nil, malformed("its directory reaches past the end")
	}
	widths := map[uint16]int64{1: 1, 3: 2, 4: 4, 7: 1}
	tags := map[uint16][]uint32{}
	for i := range n {
		e := h.data[at+2+i*entry:][:entry]
		tag, width, count := h.order.Uint16(e), widths[h.order.Uint16(e[2:])], int64(h.order.Uint32(e[4:]))
		if _, twice := tags[tag]; twice || width == 0 || !wanted[tag] {
			continue
		}
		b := e[8:]
		if width*count > 4 {
			from := int64(h.order.Uint32(b))
			if from+width*count > size {
				return nil, malformed(fmt.Sprintf("tag %d lies past the end", tag))
			}
			b = h.data[from:]
		}
		values := make([]uint32, count)
		for j := range values {
			switch width {
			case 1:
				values[j] = uint32(b[j])
			case 2:
				values[j] = uint32(h.order.Uint16(b[2*j:]))
			default:
				values[j] = h.order.Uint32(b[4*j:])
			}
		}
		tags[tag] = values
	}
	return tags, nil
}

// wanted are the tags that are read; what else a file says may be as long as it likes.
var wanted = map[uint16]bool{
	tagWidth: true, tagHeight: true, tagBits: true, tagCompression: true, tagPhotometric: true, tagFillOrder: true,
	tagStripOffsets: true, tagOrientation: true, tagSamples: true, tagRowsPerStrip: true, tagStripCounts: true,
	tagPlanar: true, tagPredictor: true, tagColorMap: true, tagTileWidth: true, tagTileHeight: true,
	tagTileOffsets: true, tagTileCounts: true, tagExtraSamples: true, tagSampleFormat: true, tagJPEGTables: true,
}

// check refuses what cannot be read.
func (h *Header) check() error {
	ok := false
	for _, c := range codings {
		ok = ok || c.number == h.compression
	}
	colours := h.inks()
	switch {
	case !ok:
		return unsupported(fmt.Sprintf("compression %d", h.compression))
	case h.bits != 1 && h.bits != 2 && h.bits != 4 && h.bits != 8 && h.bits != 16:
		return unsupported(fmt.Sprintf("%d bits a sample", h.bits))
	case colours == 0:
		return unsupported(fmt.Sprintf("colour space %d", h.photometric))
	case h.samples < colours || h.samples > 16:
		return malformed(fmt.Sprintf("%d samples a pixel", h.samples))
	case h.bits < 8 && h.samples > 1, h.compression == jpegCoding && h.bits != 8, h.bits > 8 && h.photometric == palette:
		return unsupported(fmt.Sprintf("%d samples of %d bits", h.samples, h.bits))
	case h.photometric == palette && len(h.colours) < 3<<h.bits:
		return malformed("its colour map is too short")
	case h.predictor > 2 || h.predictor == 2 && h.bits < 8:
		return unsupported(fmt.Sprintf("predictor %d", h.predictor))
	case h.tileW <= 0 || h.tileH <= 0 || h.tileW > 1<<24 || h.tileH > 1<<24:
		return malformed(fmt.Sprintf("strips or tiles of %dx%d", h.tileW, h.tileH))
	case len(h.offsets) != len(h.counts) || len(h.offsets) < h.tiles():
		return malformed(fmt.Sprintf("%d strips or tiles where %d are needed", len(h.offsets), h.tiles()))
	case h.planar && h.compression == jpegCoding:
		return unsupported("JPEG in planes")
	}
	for i, at := range h.offsets {
		if int64(at)+int64(h.counts[i]) > int64(len(h.data)) {
			return malformed("a strip or tile lies past the end")
		}
	}
	return nil
}

// tiles is how many strips or tiles there are.
func (h *Header) tiles() int {
	n := up(h.Width, h.tileW) * up(h.Height, h.tileH)
	if h.planar {
		n *= h.samples
	}
	return n
}

// Colour spaces.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	palette     = 3
	cmyk        = 5
	ycc         = 6 // in JPEG coding only
)

// inks is how many samples make a colour, 0 for a colour space that is not read.
func (h *Header) inks() int {
	switch h.photometric {
	case whiteIsZero, blackIsZero, palette:
		return 1
	case rgb:
		return 3
	case cmyk:
		return 4
	case ycc:
		if h.compression == jpegCoding {
			return 3
		}
	}
	return 0
}

func up(a, b int) int { return (a + b - 1) / b }

func malformed(reason string) error { return &raster.MalformedError{Format: "TIFF", Reason: reason} }
func unsupported(reason string) error {
	return &raster.UnsupportedError{Format: "TIFF", Reason: reason}
}
