package metrics

import (
	"cmp"
	"math"
	"slices"
)

// descending returns 0 to n-1 by falling score, ties by index.
func descending(n int, score func(i int32) float64) []int32 {
	keys := make([]float64, n)
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
		keys[i] = score(int32(i))
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[b], keys[a]), cmp.Compare(a, b))
	})
	// Ties keep one index: mark each row that continues one by its complement.
	for i := n - 1; i > 0; i-- {
		if keys[order[i]] == keys[order[i-1]] {
			order[i] = ^order[i]
		}
	}
	return order
}

// A sweep walks down the rows of an order, threshold by threshold, counting positives and negatives above it.
type sweep struct {
	order    []int32 // from descending: a complement continues a tie
	positive func(row int32) bool
	w        []float64
}

// each calls f after each threshold with the weight of positives and of negatives at or above it.
func (s sweep) each(f func(positives, negatives float64)) {
	var pos, neg float64
	for i, r := range s.order {
		if r < 0 {
			r = ^r
		}
		if v := at(s.w, int(r)); s.positive(r) {
			pos += v
		} else {
			neg += v
		}
		if i+1 == len(s.order) || s.order[i+1] >= 0 {
			f(pos, neg)
		}
	}
}

// rocAUC is the area under the ROC curve: the probability that a positive row scores above a negative one, ties half.
// NaN where there are only positives or only negatives.
func (s sweep) rocAUC() float64 {
	var area, lastPos, lastNeg float64
	s.each(func(pos, neg float64) {
		area += (neg - lastNeg) * (pos + lastPos) / 2
		lastPos, lastNeg = pos, neg
	})
	if lastPos == 0 || lastNeg == 0 {
		return math.NaN()
	}
	return area / (lastPos * lastNeg)
}

// averagePrecision is Σ (R_n − R_{n−1})·P_n over thresholds n, without interpolation. NaN where nothing is positive.
func (s sweep) averagePrecision() float64 {
	var sum, last float64
	s.each(func(pos, neg float64) {
		if pos > last {
			sum += (pos - last) * pos / (pos + neg)
			last = pos
		}
	})
	if last == 0 {
		return math.NaN()
	}
	return sum / last
}

// class returns the sweep of class k against the rest.
func (c *classified) class(k int, w []float64) sweep {
	return sweep{order: c.order[k], positive: func(r int32) bool { return c.truth[r] == k }, w: w}
}

// ranked returns ROC AUC and average precision of class k against the rest, nil where they are not defined.
func (c *classified) ranked(k int) (auc, average *float64) {
	return defined(c.class(k, nil).rocAUC()), defined(c.class(k, nil).averagePrecision())
}

func defined(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// meanDefined averages f(0) to f(k-1), leaving out NaNs; NaN where all are.
func meanDefined(k int, f func(int) float64) float64 {
	var sum, n float64
	for i := range k {
		if v := f(i); !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / n
}

// sweptClasses is how many classes may be ranked again for every bootstrap resample.
const sweptClasses = 10

// ranking is ROC AUC and average precision, of the second class where there are two, else averaged over the classes.
func (c *classified) ranking() measure {
	over := func(f func(sweep) float64, w []float64) float64 {
		if c.k == 2 {
			return f(c.class(1, w))
		}
		return meanDefined(c.k, func(k int) float64 { return f(c.class(k, w)) })
	}
	return measure{
		names: []string{"eval_roc_auc", "eval_average_precision"},
		of: func(w []float64) []float64 {
			return []float64{over(sweep.rocAUC, w), over(sweep.averagePrecision, w)}
		},
		point: c.k > sweptClasses,
	}
}
