package heads

import "math"

// A loss says how wrong logits are. It is handed the rows from lo on as a block of width numbers a row, of which the
// first columns() are logits; it returns the sum of the rows' losses and leaves in the block the derivative of that sum.
// It is called for disjoint rows by several goroutines at once.
type loss interface {
	columns() int
	rows(z []float32, width, lo int) float64
}

// padLogit stands in the columns that pad a block: its exponential is 0.
const padLogit = -1e30

// softmaxLoss is the cross-entropy of softmax over m ≥ 3 columns. With smoothing ε the target is 1−ε+ε/m for the row's
// class and ε/m for the others (Szegedy et al. 2016).
type softmaxLoss struct {
	m         int
	class     []int     // N
	weight    []float64 // N
	smoothing float64
}

func (l *softmaxLoss) columns() int { return l.m }

func (l *softmaxLoss) rows(z []float32, width, lo int) float64 {
	var total float64
	for i := 0; i*width < len(z); i++ {
		row := z[i*width : (i+1)*width]
		w, y := l.weight[lo+i], l.class[lo+i]
		top := row[0]
		for _, v := range row[:l.m] {
			top = max(top, v)
		}
		hit, mean := float64(row[y]), 0.0
		if l.smoothing > 0 {
			for _, v := range row[:l.m] {
				mean += float64(v)
			}
			mean /= float64(l.m)
		}
		sum := expRow(row, top)
		total += w * (math.Log(sum) + float64(top) - (1-l.smoothing)*hit - l.smoothing*mean)
		scale, off := float32(w/sum), float32(w*l.smoothing/float64(l.m))
		for k := range row[:l.m] {
			row[k] = row[k]*scale - off
		}
		row[y] -= float32(w * (1 - l.smoothing))
	}
	return total
}

// expRow replaces each v of row by exp(v − top) and returns the sum.
func expRow(row []float32, top float32) float64 {
	var sum float64
	for k, v := range row {
		e := math.Exp(float64(v - top))
		row[k] = float32(e)
		sum += e
	}
	return sum
}

// logisticLoss is the cross-entropy of a sigmoid in each of m columns, against targets between 0 and 1.
type logisticLoss struct {
	m      int
	target []float32 // N×m
	weight []float64 // N×m
}

func (l *logisticLoss) columns() int { return l.m }

func (l *logisticLoss) rows(z []float32, width, lo int) float64 {
	var total float64
	for i := 0; i*width < len(z); i++ {
		row := z[i*width : (i+1)*width]
		for k := range l.m {
			t, w, v := float64(l.target[(lo+i)*l.m+k]), l.weight[(lo+i)*l.m+k], float64(row[k])
			e := math.Exp(-math.Abs(v))
			total += w * (math.Log1p(e) + max(v, 0) - t*v)
			p := 1 / (1 + e)
			if v < 0 {
				p = e * p
			}
			row[k] = float32(w * (p - t))
		}
		clear(row[l.m:])
	}
	return total
}
