package vision

import (
	"encoding/binary"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// exifOrientation returns the orientation that an EXIF block gives, 1 where it gives none or is broken: like every
// reader of EXIF, graft treats it as a hint. The block is a TIFF file of tags (EXIF 2.32, §4.6); "Exif\0\0" may come before.
func exifOrientation(b []byte) raster.Orientation {
	if len(b) >= 6 && string(b[:6]) == "Exif\x00\x00" {
		b = b[6:]
	}
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	const entry, tag, short = 12, 0x112, 3
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	n := int(order.Uint16(b[at:]))
	b = b[at+2:]
	for ; n > 0 && len(b) >= entry; n, b = n-1, b[entry:] {
		if order.Uint16(b) == tag && order.Uint16(b[2:]) == short {
			if v := order.Uint16(b[8:]); v >= 1 && v <= 8 {
				return raster.Orientation(v)
			}
		}
	}
	return 1
}
