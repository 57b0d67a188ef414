package demo

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// The picture set: 96×96 PNG files.
const (
	pictureSize = 96
	trainEach   = 60 // pictures a class
	testEach    = 25
)

// A motif is one class of pictures.
type motif struct {
	name string
	draw func(b *brush, r *rand.Rand, ink, detail color.NRGBA)
}

var motifs = []motif{
	{"cup", cup},
	{"fish", fish},
	{"house", house},
	{"tree", tree},
}

// DrawPictures draws the picture set into dir as {train,test}/<class>/*.png: 4
// classes of 60 training and 25 test pictures. Every picture shows one object
// on a cluttered ground; place, size, turn, proportions and all colours are
// drawn at random, so that colour says nothing about the class. The same seed
// draws the same pictures; files that are there already are drawn over.
func DrawPictures(dir string, seed uint64) error {
	splits := []struct {
		name string
		each int
	}{{"train", trainEach}, {"test", testEach}}
	for s, split := range splits {
		for m, motif := range motifs {
			folder := filepath.Join(dir, split.name, motif.name)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			for i := range split.each {
				r := rand.New(rand.NewPCG(seed, uint64(s)<<40|uint64(m)<<20|uint64(i)))
				file := filepath.Join(folder, fmt.Sprintf("%s-%02d.png", motif.name, i))
				if err := writePicture(file, motif, r); err != nil {
					return fmt.Errorf("demo: %w", err)
				}
			}
		}
	}
	return nil
}

func writePicture(file string, m motif, r *rand.Rand) error {
	var buf bytes.Buffer
	if err := png.Encode(&buf, picture(m, r).img); err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o644)
}

// picture draws ground, clutter, the object, something half in front of it,
// and sensor noise.
func picture(m motif, r *rand.Rand) *brush {
	b := newBrush(pictureSize)
	ground := anyColor(r)
	b.fill(ground, box(-1, -1, 1, 1))
	for range 8 + r.IntN(10) {
		clutter(b, r, 0.12, 0.5, uint8(50+r.IntN(130)))
	}
	size := pictureSize * (0.29 + 0.13*r.Float64())
	shift := func() float64 { return pictureSize * (0.5 + 0.16*(r.Float64()-0.5)) }
	b.place(shift(), shift(), size, 0.6*(r.Float64()-0.5))
	ink := contrasting(r, ground)
	m.draw(b, r, ink, contrasting(r, ink))
	for range r.IntN(4) {
		clutter(b, r, 0.05, 0.16, 255)
	}
	noise(b, r)
	return b
}

// clutter drops one disc, triangle, bar or ring of lo to hi half picture
// widths anywhere on the picture.
func clutter(b *brush, r *rand.Rand, lo, hi float64, alpha uint8) {
	c := anyColor(r)
	c.A = alpha
	size := pictureSize / 2 * (lo + (hi-lo)*r.Float64())
	b.place(pictureSize*r.Float64(), pictureSize*r.Float64(), size, 2*math.Pi*r.Float64())
	switch r.IntN(4) {
	case 0:
		b.fill(c, ellipse(0, 0, 1, 0.5+0.5*r.Float64()))
	case 1:
		b.fill(c, path{{-1, 0.8}, {1, 0.6}, {0.4 * r.Float64(), -1}})
	case 2:
		b.fill(c, box(-1, -0.15, 1.4, 0.15))
	default:
		b.fill(c, ring(0, 0, 1, 1, 0.3)...)
	}
}

// noise shifts every channel of every pixel by up to 12.
func noise(b *brush, r *rand.Rand) {
	for i, v := range b.img.Pix {
		if i%4 != 3 {
			b.img.Pix[i] = uint8(min(255, max(0, int(v)+r.IntN(25)-12)))
		}
	}
}

func cup(b *brush, r *rand.Rand, ink, detail color.NRGBA) {
	foot := 0.35 + 0.25*r.Float64()
	side := float64(1 - 2*r.IntN(2))
	b.fill(ink, ring(side*0.72, 0.05, 0.4, 0.42, 0.15)...)
	b.fill(ink, path{{-0.7, -0.7}, {0.7, -0.7}, {foot, 0.85}, {-foot, 0.85}})
	b.fill(detail, ellipse(0, -0.7, 0.7, 0.18))
	if r.IntN(2) == 0 {
		b.fill(detail, box(-0.6, -0.1, 0.6, 0.15))
	}
}

func fish(b *brush, r *rand.Rand, ink, detail color.NRGBA) {
	side := float64(1 - 2*r.IntN(2))
	fat := 0.35 + 0.25*r.Float64()
	b.fill(ink, ellipse(side*-0.15, 0, 0.75, fat))
	b.fill(ink, path{{side * 0.4, 0}, {side * 1.05, -0.5}, {side * 0.9, 0}, {side * 1.05, 0.5}})
	b.fill(ink, path{{side * -0.3, -fat * 0.8}, {side * 0.2, -fat - 0.3}, {side * 0.3, -fat * 0.7}})
	b.fill(detail, ellipse(side*-0.6, -0.08, 0.09, 0.09))
	for i := range r.IntN(4) {
		x := side * (-0.25 + 0.22*float64(i))
		b.fill(detail, box(x, -fat*0.7, x+0.07, fat*0.7))
	}
}

func house(b *brush, r *rand.Rand, ink, detail color.NRGBA) {
	eaves := 0.75 + 0.25*r.Float64()
	b.fill(ink, box(-0.7, -0.15, 0.7, 0.9))
	b.fill(detail, path{{-eaves, -0.15}, {0, -1}, {eaves, -0.15}})
	door := -0.45 + 0.6*r.Float64()
	b.fill(detail, box(door, 0.3, door+0.3, 0.9))
	for _, x := range []float64{-0.5, 0.25} {
		b.fill(detail, box(x, 0, x+0.25, 0.22))
	}
}

func tree(b *brush, r *rand.Rand, ink, detail color.NRGBA) {
	b.fill(detail, box(-0.12, 0.1, 0.12, 1))
	if r.IntN(2) == 0 { // a fir
		for i := range 3 {
			y, w := -1+0.45*float64(i), 0.4+0.17*float64(i)
			b.fill(ink, path{{0, y}, {w, y + 0.65}, {-w, y + 0.65}})
		}
		return
	}
	b.fill(ink, ellipse(0, -0.55, 0.5, 0.45))
	b.fill(ink, ellipse(-0.4, -0.15, 0.42, 0.36))
	b.fill(ink, ellipse(0.4, -0.15, 0.42, 0.36))
}
