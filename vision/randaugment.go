package vision

import (
	"math"

	"github.com/onnx-graft/graft/vision/internal/raster"
)

// MostMagnitude is the largest [Augment.Magnitude].
const MostMagnitude = 30

// randomOperations is how many are applied to a view.
const randomOperations = 2

// operations are what RandAugment draws from, for a strength from 0 to 1 and a direction of 1 or -1, on the scales that
// torchvision.transforms.RandAugment has. Those that move pixels are left out: crops and flips do that.
var operations = []func(m *raster.Image, strength, direction float64){
	func(*raster.Image, float64, float64) {}, // the picture as it is
	func(m *raster.Image, _, _ float64) { autocontrast(m) },
	func(m *raster.Image, _, _ float64) { equalize(m) },
	func(m *raster.Image, s, _ float64) { posterize(m, 8-int(math.Round(4*s))) },
	func(m *raster.Image, s, _ float64) { solarize(m, 255*(1-s)) },
	func(m *raster.Image, s, d float64) { awayFrom(m, 1+0.9*s*d, black) },
	func(m *raster.Image, s, d float64) { awayFrom(m, 1+0.9*s*d, meanGrey(m)) },
	func(m *raster.Image, s, d float64) { awayFrom(m, 1+0.9*s*d, luma) },
	func(m *raster.Image, s, d float64) { sharpen(m, 1+0.9*s*d) },
}

// randAugment applies some operations, drawn evenly, one after the other (Cubuk et al., arXiv:1909.13719).
func (v variant) randAugment(m *raster.Image) {
	if v.Magnitude == 0 {
		return
	}
	for range randomOperations {
		operations[v.IntN(len(operations))](m, float64(v.Magnitude)/MostMagnitude, float64(2*v.IntN(2)-1))
	}
}

// awayFrom moves every pixel away from a grey that depends on it, or, by a factor below 1, towards it.
func awayFrom(m *raster.Image, factor float64, grey func(p []byte) float64) {
	for i := 0; i < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3]
		g := grey(p)
		for c, x := range p {
			p[c] = round8(g + factor*(float64(x)-g))
		}
	}
}

// counts are how often each value occurs in one channel.
func counts(m *raster.Image, channel int) (n [256]int) {
	for i := channel; i < len(m.Pix); i += 3 {
		n[m.Pix[i]]++
	}
	return n
}

// byTable replaces each value of one channel.
func byTable(m *raster.Image, channel int, table func(v int) int) {
	var values [256]byte
	for v := range values {
		values[v] = byte(min(max(table(v), 0), 255))
	}
	for i := channel; i < len(m.Pix); i += 3 {
		m.Pix[i] = values[m.Pix[i]]
	}
}

// autocontrast stretches each channel so that its darkest value is 0 and its brightest 255, as Pillow's ImageOps does.
func autocontrast(m *raster.Image) {
	for channel := range 3 {
		n := counts(m, channel)
		low, high := 0, 255
		for low < high && n[low] == 0 {
			low++
		}
		for high > low && n[high] == 0 {
			high--
		}
		if low < high {
			scale := 255 / float64(high-low)
			offset := -float64(low) * scale
			byTable(m, channel, func(v int) int { return int(float64(v)*scale + offset) })
		}
	}
}

// equalize makes each channel's values about as frequent as each other, as Pillow's ImageOps does.
func equalize(m *raster.Image) {
	for channel := range 3 {
		n := counts(m, channel)
		last := 255
		for last > 0 && n[last] == 0 {
			last--
		}
		step := (len(m.Pix)/3 - n[last]) / 255
		if step == 0 {
			continue
		}
		sum := step / 2
		byTable(m, channel, func(v int) int {
			at := sum / step
			sum += n[v]
			return at
		})
	}
}

// posterize keeps so many of each value's bits.
func posterize(m *raster.Image, bits int) {
	mask := byte(0xff << (8 - bits))
	for i := range m.Pix {
		m.Pix[i] &= mask
	}
}

// solarize inverts the values from a threshold on.
func solarize(m *raster.Image, threshold float64) {
	for i, v := range m.Pix {
		if float64(v) >= threshold {
			m.Pix[i] = 255 - v
		}
	}
}

// sharpen moves every pixel away from the mean around it, in which it counts five times as much as each of the eight others,
// or, by a factor below 1, towards it. Pixels at the border stay.
func sharpen(m *raster.Image, factor float64) {
	width := 3 * m.W
	above := append([]byte(nil), m.Pix[:min(width, len(m.Pix))]...)
	row := make([]byte, width)
	for y := 1; y < m.H-1; y++ {
		copy(row, m.Row(y))
		below, out := m.Row(y+1), m.Row(y)
		for i := 3; i < width-3; i++ {
			sum := 4 * int(row[i])
			for _, j := range [3]int{i - 3, i, i + 3} {
				sum += int(above[j]) + int(row[j]) + int(below[j])
			}
			smooth := math.Round(float64(sum) / 13)
			out[i] = round8(smooth + factor*(float64(row[i])-smooth))
		}
		above, row = row, above
	}
}
