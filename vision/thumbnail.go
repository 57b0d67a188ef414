package vision

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	resize "golang.org/x/image/draw"
)

// thumbnailQuality is the JPEG quality of thumbnails.
const thumbnailQuality = 80

// Thumbnail returns x as the model sees it, at most side pixels wide and high, as a JPEG.
func (p *Preprocessor) Thumbnail(x Picture, side int) ([]byte, error) {
	if side < 1 {
		return nil, fmt.Errorf("vision: a thumbnail of %d pixels a side, want 1 or more", side)
	}
	img, err := p.View(x)
	if err != nil {
		return nil, err
	}
	if size := img.Bounds().Size(); size.X > side || size.Y > side {
		longer := max(size.X, size.Y)
		small := image.NewRGBA(image.Rect(0, 0, max(1, size.X*side/longer), max(1, size.Y*side/longer)))
		resize.BiLinear.Scale(small, small.Bounds(), img, img.Bounds(), resize.Src, nil)
		img = small
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: thumbnailQuality}); err != nil {
		return nil, &PictureError{Picture: x.String(), Err: err}
	}
	return b.Bytes(), nil
}
