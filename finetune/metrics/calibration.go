package metrics

import "math"

// calibrationBins is the number of equal bins of confidence that calibration is judged in (Guo et al. 2017 use 15).
const calibrationBins = 15

// A Bin is what rows of similar confidence came to: one bar of a reliability diagram.
type Bin struct {
	Low        float64 `json:"low"` // confidence above Low, up to and with High
	High       float64 `json:"high"`
	Rows       float64 `json:"rows"`
	Confidence float64 `json:"confidence"` // mean probability of the class predicted
	Accuracy   float64 `json:"accuracy"`
}

// bins sorts the rows, each counting w times, by the probability of the class predicted.
func (c *classified) bins(w []float64) []Bin {
	out := make([]Bin, calibrationBins)
	for i, y := range c.predicted {
		p := c.p[i*c.k+y]
		b := &out[min(calibrationBins-1, max(0, int(math.Ceil(p*calibrationBins))-1))]
		b.Rows += at(w, i)
		b.Confidence += at(w, i) * p
		if y == c.truth[i] {
			b.Accuracy += at(w, i)
		}
	}
	for i := range out {
		b := &out[i]
		b.Low, b.High = float64(i)/calibrationBins, float64(i+1)/calibrationBins
		b.Confidence, b.Accuracy = ratio(b.Confidence, b.Rows), ratio(b.Accuracy, b.Rows)
	}
	return out
}

// calibrationError is the expected calibration error: how far confidence is from accuracy, on average.
func (c *classified) calibrationError(w []float64) float64 {
	var sum, n float64
	for _, b := range c.bins(w) {
		sum += b.Rows * math.Abs(b.Confidence-b.Accuracy)
		n += b.Rows
	}
	return ratio(sum, n)
}
