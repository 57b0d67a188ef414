package raster

import "image"

// An Orientation is the EXIF orientation tag's value, 1 to 8: how the stored rows and columns are to be turned before a
// person sees the picture upright. Any other value means the same as 1: leave it.
type Orientation uint8

// transposes reports whether rows become columns: the picture's width and height change places.
func (o Orientation) transposes() bool { return o >= 5 && o <= 8 }

// Size returns the upright size of a picture stored as w×h.
func (o Orientation) Size(w, h int) (int, int) {
	if o.transposes() {
		return h, w
	}
	return w, h
}

// Stored returns where the part r of an upright picture lies in the rows as stored, which are w×h.
func (o Orientation) Stored(r image.Rectangle, w, h int) image.Rectangle {
	if o.transposes() {
		r = image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
	}
	if o.mirrorsX() {
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	if o.mirrorsY() {
		r.Min.Y, r.Max.Y = h-r.Max.Y, h-r.Min.Y
	}
	return r
}

// Upright returns where the part r of a picture stored as w×h lies once it is upright. It undoes Stored.
func (o Orientation) Upright(r image.Rectangle, w, h int) image.Rectangle {
	if o.mirrorsX() {
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	if o.mirrorsY() {
		r.Min.Y, r.Max.Y = h-r.Max.Y, h-r.Min.Y
	}
	if o.transposes() {
		r = image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X)
	}
	return r
}

// mirrorsX and mirrorsY say whether reading upright left to right (top to bottom, for a transposed picture) runs against
// the stored columns, and rows.
func (o Orientation) mirrorsX() bool { return o == 2 || o == 3 || o == 7 || o == 8 }
func (o Orientation) mirrorsY() bool { return o == 3 || o == 4 || o == 6 || o == 7 }

// Apply makes dst the upright version of src. They must not be the same.
func (o Orientation) Apply(dst, src *Image) {
	w, h := o.Size(src.W, src.H)
	dst.Reset(w, h)
	// A step right and a step down in dst are these steps in src.
	right, down := 3, 3*src.W
	start := 0
	if o.mirrorsX() {
		start += 3 * (src.W - 1)
		right = -right
	}
	if o.mirrorsY() {
		start += 3 * src.W * (src.H - 1)
		down = -down
	}
	if o.transposes() {
		right, down = down, right
	}
	for y := range h {
		at := start + y*down
		row := dst.Row(y)
		for x := 0; x < len(row); x += 3 {
			p := src.Pix[at : at+3 : at+3]
			row[x], row[x+1], row[x+2] = p[0], p[1], p[2]
			at += right
		}
	}
}
