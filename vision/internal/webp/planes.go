package webp

import (
	"image"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// lossy converts the part from of the planes m to RGB, to dst at to.
//
// Chroma planes are half as wide and high. libwebp weighs the four chroma samples around a pixel 9:3:3:1, in two rounded
// steps (src/dsp/upsampling.c of libwebp, its C version); beyond the edges, samples repeat.
func lossy(dst *raster.Image, to image.Point, m *image.YCbCr, from image.Rectangle) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	for y := from.Min.Y; y < from.Max.Y; y++ {
		near := y / 2
		far := min(max(near-1+2*(y&1), 0), ch-1)
		luma := m.Y[y*m.YStride:][:w]
		un, uf := m.Cb[near*m.CStride:][:cw], m.Cb[far*m.CStride:][:cw]
		vn, vf := m.Cr[near*m.CStride:][:cw], m.Cr[far*m.CStride:][:cw]
		row := dst.Row(to.Y + y - from.Min.Y)[3*to.X:]
		for x := from.Min.X; x < from.Max.X; x++ {
			i := x / 2
			j := i - 1 + 2*(x&1)
			// The first column, and the last of an even width, only mix two rows.
			edge := x == 0 || x == w-1 && w&1 == 0
			u, v := mix(un, uf, i, j, edge), mix(vn, vf, i, j, edge)
			convert(row[3*(x-from.Min.X):], int32(luma[x]), u, v)
		}
	}
}

// mix interpolates between the samples i (near) and j (far) of the rows n (near) and f (far).
func mix(n, f []byte, i, j int, edge bool) int32 {
	a, c := int32(n[i]), int32(f[i])
	if edge {
		return (3*a + c + 2) >> 2
	}
	b, d := int32(n[j]), int32(f[j])
	// The pixel lies nearest a; b and c are its neighbours, d is opposite.
	diagonal := (a + b + c + d + 8 + 2*(b+c)) >> 3
	return (diagonal + a) >> 1
}

// convert is libwebp's VP8YuvToRgb: BT.601 with studio range, 6 fractional bits.
func convert(out []byte, y, u, v int32) {
	y = y * 19077 >> 8
	out[0] = clip(y + v*26149>>8 - 14234)
	out[1] = clip(y - u*6419>>8 - v*13320>>8 + 8708)
	out[2] = clip(y + u*33050>>8 - 17685)
}

func clip(v int32) byte {
	v >>= 6
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 below, 255 above
	}
	return byte(v)
}
