package vision

import "github.com/onnx-graft/graft/vision/internal/raster"

// Colours counts pixels by colour: of the whole picture in 8×8×8 boxes of red, green and blue, and of each of 3×3 parts in
// 4×4×4.
const (
	wholeSteps = 8
	partSteps  = 4
	parts      = 3
)

// Colours returns the histogram of x's colours, as it is after resizing and cropping: what there is to see in it without a
// model. The shares of the whole picture and those of the parts add up to 1 each.
func (p *Preprocessor) Colours(x Picture) ([]float32, error) {
	w := p.workers.Get().(*worker)
	defer p.workers.Put(w)
	if err := p.prepare(w, x); err != nil {
		return nil, err
	}
	return histogram(&w.seen), nil
}

func histogram(m *raster.Image) []float32 {
	const whole, part = wholeSteps * wholeSteps * wholeSteps, partSteps * partSteps * partSteps
	counts := make([]float32, whole+parts*parts*part)
	share := 1 / float32(m.W*m.H)
	for y := range m.H {
		row := m.Row(y)
		for x := range m.W {
			r, g, b := int(row[3*x]), int(row[3*x+1]), int(row[3*x+2])
			counts[box(r, g, b, wholeSteps)] += share
			at := y*parts/m.H*parts + x*parts/m.W
			counts[whole+at*part+box(r, g, b, partSteps)] += share
		}
	}
	return counts
}

// box numbers the box a colour of 0 to 255 falls in, of steps³.
func box(r, g, b, steps int) int {
	return (r*steps/256*steps+g*steps/256)*steps + b*steps/256
}
