// Package raster holds what the picture decoders, the resampler and the transforms hand to each other: 8-bit RGB pixels
// in rows, and the errors a bad picture gives.
package raster

import (
	"fmt"
	"image"
	"image/color"
)

// An Image is a W×H picture of 8-bit RGB: row y starts at Pix[3*W*y]. It is an [image.Image]. The zero value is an empty
// picture; [Image.Reset] makes it another size, keeping its memory where that is enough.
type Image struct {
	W, H int
	Pix  []byte
}

// Reset makes m a w×h picture with unspecified pixels. Sizes must have been checked against a limit before.
func (m *Image) Reset(w, h int) {
	m.W, m.H = w, h
	m.Pix = Grow(m.Pix, 3*w*h)
}

// Row returns the 3*W bytes of row y.
func (m *Image) Row(y int) []byte {
	return m.Pix[3*m.W*y : 3*m.W*(y+1) : 3*m.W*(y+1)]
}

// ColorModel implements [image.Image].
func (m *Image) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements [image.Image].
func (m *Image) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// At implements [image.Image].
func (m *Image) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= m.W || y >= m.H {
		return color.RGBA{}
	}
	p := m.Pix[3*(y*m.W+x):]
	return color.RGBA{R: p[0], G: p[1], B: p[2], A: 255}
}

// Opaque tells encoders that no pixel is transparent.
func (m *Image) Opaque() bool { return true }

// Crop makes dst the part of m inside r, which may reach outside m: black there.
func (m *Image) Crop(dst *Image, r image.Rectangle) {
	dst.Reset(r.Dx(), r.Dy())
	in := r.Intersect(m.Bounds())
	if in != r {
		clear(dst.Pix)
	}
	for y := in.Min.Y; y < in.Max.Y; y++ {
		copy(dst.Row(y - r.Min.Y)[3*(in.Min.X-r.Min.X):], m.Row(y)[3*in.Min.X:3*in.Max.X])
	}
}

// Grow returns a slice of n elements, b's own memory where it has room. What it holds is unspecified.
func Grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

// A MalformedError says that a file breaks its own format's rules, or ends early.
type MalformedError struct {
	Format string // "JPEG", "PNG", …
	Reason string
	Err    error // what a decoder said, or nil
}

func (e *MalformedError) Error() string { return describe("malformed", e.Format, e.Reason, e.Err) }

// Unwrap returns the decoder's own error.
func (e *MalformedError) Unwrap() error { return e.Err }

// An UnsupportedError says that a file may well be in order, but uses something that is not read here.
type UnsupportedError struct {
	Format string
	Reason string
	Err    error
}

func (e *UnsupportedError) Error() string {
	return describe("unsupported", e.Format, e.Reason, e.Err)
}

// Unwrap returns the decoder's own error.
func (e *UnsupportedError) Unwrap() error { return e.Err }

func describe(kind, format, reason string, err error) string {
	s := kind + " " + format
	if reason != "" {
		s += ": " + reason
	}
	if err != nil {
		s += fmt.Sprintf(": %v", err)
	}
	return s
}
