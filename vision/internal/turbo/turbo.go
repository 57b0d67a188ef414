//go:build libjpeg

// Package turbo decodes JPEG pictures by the system's libjpeg-turbo (Debian: libjpeg62-turbo-dev). It exists only in builds
// with the tag libjpeg. Where libjpeg so much as warns, or for inks, it leaves the picture to package jpeg.
package turbo

/*
#cgo LDFLAGS: -ljpeg
#include <stdlib.h>
#include "turbo.h"
*/
import "C"

import (
	"fmt"
	"image"
	"runtime"
	"unsafe"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// A Decoder holds one libjpeg decompressor for picture after picture. The zero value is ready; it is not safe for
// concurrent use.
type Decoder struct {
	state *C.turbo_state
}

// Decode makes dst the part need of the picture in data, as [raster.Image]. It reports whether libjpeg was content; where it
// was not, dst's pixels mean nothing.
func (d *Decoder) Decode(dst *raster.Image, data []byte, need image.Rectangle) bool {
	if d.state == nil {
		d.state = C.turbo_new()
		if d.state == nil {
			return false
		}
		runtime.AddCleanup(d, func(s *C.turbo_state) { C.turbo_free(s) }, d.state)
	}
	if len(data) == 0 || need.Empty() {
		return false
	}
	dst.Reset(need.Dx(), need.Dy())
	ok := C.turbo_decode(d.state, (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data)),
		C.int(need.Min.X), C.int(need.Min.Y), C.int(need.Max.X), C.int(need.Max.Y), (*C.uchar)(unsafe.Pointer(&dst.Pix[0])))
	runtime.KeepAlive(d)
	return ok != 0
}

// Version is the version of the library's interface and of libjpeg-turbo it was compiled for.
func Version() string {
	v := int(C.turbo_version())
	return fmt.Sprintf("libjpeg-turbo %d.%d.%d", v/1000000, v/1000%1000, v%1000)
}
