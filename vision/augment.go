package vision

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// An Augment describes random changes to training pictures, in the order of its fields. What is drawn depends on Seed, the
// view's number and the picture's bytes alone. The zero value crops and flips.
type Augment struct {
	Seed uint64

	Scale [2]float64 // the crop's share of the picture's area, from and to; zero: 0.35 to 1
	Ratio [2]float64 // the crop's width over height, from and to; zero: 3/4 to 4/3
	Flip  float64    // how likely left and right change places; 0: 0.5; negative: never

	// Colour: each is multiplied by a factor between 1-x and 1+x, in random order. 0: not at all.
	Brightness float64
	Contrast   float64
	Saturation float64

	// Magnitude from 1 to [MostMagnitude] applies two operations of that strength, drawn from those of RandAugment that keep
	// pixels in their places: autocontrast, equalize, posterize, solarize, brightness, contrast, saturation, sharpness, none.
	// 0: not at all.
	Magnitude int

	Erase float64 // how likely a rectangle of 2 % to 33 % of the area becomes the mean colour; 0: never
}

// Augmented returns a Preprocessor that prepares pictures as p does, but those with a View other than 0: of such a picture it
// makes a random part, resized to the size p makes, and changed as a says. P must make pictures of one size.
func (p *Preprocessor) Augmented(a Augment) (*Preprocessor, error) {
	if a.Scale == [2]float64{} {
		a.Scale = [2]float64{0.35, 1}
	}
	if a.Ratio == [2]float64{} {
		a.Ratio = [2]float64{3.0 / 4, 4.0 / 3}
	}
	if a.Flip == 0 {
		a.Flip = 0.5
	}
	within := func(v, lo, hi float64) bool { return v >= lo && v <= hi }
	switch {
	case p.Transform.OutputSize() == image.Point{}:
		return nil, fmt.Errorf("vision: augment: preprocessing gives pictures of no fixed size: set a crop, or an exact size")
	case !within(a.Scale[0], 1e-4, a.Scale[1]) || !within(a.Scale[1], 0, 1):
		return nil, fmt.Errorf("vision: augment: scale %v: want two numbers, rising, above 0 and at most 1", a.Scale)
	case !within(a.Ratio[0], 1e-2, a.Ratio[1]) || !within(a.Ratio[1], 0, 100):
		return nil, fmt.Errorf("vision: augment: ratio %v: want two numbers, rising, from 0.01 to 100", a.Ratio)
	}
	for _, v := range []float64{a.Brightness, a.Contrast, a.Saturation, a.Erase} {
		if !within(v, 0, 1) {
			return nil, fmt.Errorf("vision: augment: strength %v: want 0 to 1", v)
		}
	}
	if a.Magnitude < 0 || a.Magnitude > MostMagnitude {
		return nil, fmt.Errorf("vision: augment: magnitude %d: want 0 to %d", a.Magnitude, MostMagnitude)
	}
	q := *p
	q.augment = &a
	return &q, nil
}

// A variant is what is drawn for one view of one picture.
type variant struct {
	*Augment
	*rand.Rand
}

func (a *Augment) variant(data []byte, view int) variant {
	h := sha256.New()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], a.Seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(view))
	h.Write(b[:])
	h.Write(data)
	s := h.Sum(nil)
	return variant{a, rand.New(rand.NewPCG(binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[8:])))}
}

// between draws evenly from r.
func (v variant) between(r [2]float64) float64 { return r[0] + (r[1]-r[0])*v.Float64() }

// plan resizes a random part of a w×h picture to the size out.
func (v variant) plan(w, h int, out image.Point) plan {
	from, ok := v.box(w, h, v.Scale, v.Ratio)
	if !ok {
		// No box fitted: the largest middle part whose ratio is allowed.
		r := min(max(float64(w)/float64(h), v.Ratio[0]), v.Ratio[1])
		size := image.Pt(min(w, max(1, int(float64(h)*r))), min(h, max(1, int(float64(w)/r))))
		at := image.Pt((w-size.X)/2, (h-size.Y)/2)
		from = image.Rectangle{Min: at, Max: at.Add(size)}
	}
	return plan{from: from, to: out, crop: image.Rectangle{Max: out}}
}

// box draws a rectangle within w×h: its area's share from scale, the logarithm of its ratio from ratio's. It tries ten times.
func (v variant) box(w, h int, scale, ratio [2]float64) (image.Rectangle, bool) {
	logs := [2]float64{math.Log(ratio[0]), math.Log(ratio[1])}
	for range 10 {
		area := float64(w) * float64(h) * v.between(scale)
		r := math.Exp(v.between(logs))
		bw, bh := int(math.Round(math.Sqrt(area*r))), int(math.Round(math.Sqrt(area/r)))
		if bw < 1 || bh < 1 || bw > w || bh > h {
			continue
		}
		at := image.Pt(v.IntN(w-bw+1), v.IntN(h-bh+1))
		return image.Rectangle{Min: at, Max: at.Add(image.Pt(bw, bh))}, true
	}
	return image.Rectangle{}, false
}

// paint flips, recolours and erases. Mean is the mean colour on the 0…1 scale.
func (v variant) paint(m *raster.Image, mean [3]float64) {
	if v.Float64() < v.Flip {
		flip(m)
	}
	changes := []func(){
		func() { v.jitter(m, v.Brightness, black) },
		func() { v.jitter(m, v.Contrast, meanGrey(m)) },
		func() { v.jitter(m, v.Saturation, luma) },
	}
	for _, i := range v.Perm(len(changes)) {
		changes[i]()
	}
	v.randAugment(m)
	if v.Float64() >= v.Erase {
		return
	}
	if r, ok := v.box(m.W, m.H, [2]float64{0.02, 0.33}, [2]float64{0.3, 3.3}); ok {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row := m.Row(y)[3*r.Min.X : 3*r.Max.X]
			for i := range row {
				row[i] = round8(255 * mean[i%3])
			}
		}
	}
}

// jitter moves every pixel away from, or towards, a grey that depends on it.
func (v variant) jitter(m *raster.Image, strength float64, grey func(p []byte) float64) {
	if strength > 0 {
		awayFrom(m, v.between([2]float64{1 - strength, 1 + strength}), grey)
	}
}

func black([]byte) float64 { return 0 }

// luma is ITU-R 601-2's, as Pillow's grey pictures have it.
func luma(p []byte) float64 {
	return (299*float64(p[0]) + 587*float64(p[1]) + 114*float64(p[2])) / 1000
}

// meanGrey returns the mean luma of m, whatever the pixel.
func meanGrey(m *raster.Image) func([]byte) float64 {
	sum := 0.0
	for i := 0; i < len(m.Pix); i += 3 {
		sum += luma(m.Pix[i : i+3])
	}
	mean := sum / float64(len(m.Pix)/3)
	return func([]byte) float64 { return mean }
}

func flip(m *raster.Image) {
	for y := range m.H {
		row := m.Row(y)
		for i, j := 0, len(row)-3; i < j; i, j = i+3, j-3 {
			for c := range 3 {
				row[i+c], row[j+c] = row[j+c], row[i+c]
			}
		}
	}
}

func round8(v float64) byte { return byte(min(max(math.Round(v), 0), 255)) }
