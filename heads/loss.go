package heads

import "math"

// A loss says how wrong logits are. It is handed the rows from lo on as a block of width numbers a row, of which the
// first columns() are logits and the others are padLogit; it returns the sum of the rows' losses and leaves in the block
// the derivative of that sum. tmp has room for three numbers a row. curvature adds to sum, by column, the second
// derivatives of the losses of rows whose derivatives are the block r. Both are called for disjoint rows by several
// goroutines at once.
type loss interface {
	columns() int
	rows(z []float32, width, lo int, tmp []float32) float64
	curvature(sum []float64, r []float32, width, lo int)
}

// padLogit stands in the columns that pad a block: its exponential is 0.
const padLogit = -1e30

// softmaxLoss is the cross-entropy of softmax over m ≥ 3 columns. With smoothing ε the target is 1−ε+ε/m for the row's
// class and ε/m for the others (Szegedy et al. 2016).
type softmaxLoss struct {
	m         int
	class     []int     // N
	weight    []float32 // N
	smoothing float64
}

func (l *softmaxLoss) columns() int { return l.m }

func (l *softmaxLoss) rows(z []float32, width, lo int, tmp []float32) float64 {
	n := len(z) / width
	class, weight := l.class[lo:lo+n], l.weight[lo:lo+n]
	sum, top, target := tmp[:n], tmp[n:2*n], tmp[2*n:3*n]
	for i, y := range class {
		target[i] = l.target(z[i*width:i*width+l.m], y)
	}
	softmaxBlock(z, width, weight, sum, top)
	var total float64
	for i, y := range class {
		w := float64(weight[i])
		total += w * (math.Log(float64(sum[i])) + float64(top[i]) - float64(target[i]))
		z[i*width+y] -= float32(w * (1 - l.smoothing))
	}
	if l.smoothing == 0 {
		return total
	}
	for i, w := range weight {
		off := float32(float64(w) * l.smoothing / float64(l.m))
		for k := range l.m {
			z[i*width+k] -= off
		}
	}
	return total
}

// curvature uses that for a target of 0 or 1 and r = w(p−t), w·p(1−p) is |r| − r²/w.
func (l *softmaxLoss) curvature(sum []float64, r []float32, width, lo int) {
	for i := 0; i*width < len(r); i++ {
		bend(sum, r[i*width:i*width+l.m], l.weight[lo+i])
	}
}

func bend(sum []float64, r []float32, w float32) {
	if w == 0 {
		return
	}
	for k, v := range r {
		a := math.Abs(float64(v))
		sum[k] += a - a*a/float64(w)
	}
}

// target is the logit that the loss wants high: the class's, and with smoothing a little of all.
func (l *softmaxLoss) target(z []float32, class int) float32 {
	if l.smoothing == 0 {
		return z[class]
	}
	var sum float64
	for _, v := range z {
		sum += float64(v)
	}
	return float32((1-l.smoothing)*float64(z[class]) + l.smoothing*sum/float64(l.m))
}

// logisticLoss is the cross-entropy of a sigmoid in each of m columns, against targets between 0 and 1. Target and
// weight are N×padded(m); what pads them is 0.
type logisticLoss struct {
	m      int
	target []float32
	weight []float32
}

func (l *logisticLoss) columns() int { return l.m }

func (l *logisticLoss) rows(z []float32, width, lo int, _ []float32) float64 {
	from := lo * width
	return logisticBlock(z, l.target[from:from+len(z)], l.weight[from:from+len(z)])
}

func (l *logisticLoss) curvature(sum []float64, r []float32, width, lo int) {
	for i := 0; i*width < len(r); i++ {
		for k := range l.m {
			at := (lo+i)*width + k
			bend(sum[k:k+1], r[i*width+k:i*width+k+1], l.weight[at])
		}
	}
}
