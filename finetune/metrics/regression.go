package metrics

import (
	"math"
	"slices"

	"github.com/onnx-graft/graft/heads"
)

// Regression judges N×T predicted values with the zero Settings.
func Regression(truth, predicted heads.Matrix) (Report, error) {
	return Settings{}.Regression(truth, predicted)
}

// Regression judges N×T predicted values; each metric is the mean over the T targets. R² and correlations leave out
// targets whose truth is constant, and are absent where all are.
func (s Settings) Regression(truth, predicted heads.Matrix) (Report, error) {
	if err := checkScores("truth", truth, truth.Rows, truth.Cols); err != nil {
		return Report{}, err
	}
	if err := checkScores("predictions", predicted, truth.Rows, truth.Cols); err != nil {
		return Report{}, err
	}
	r := Report{Task: heads.Regression, Rows: truth.Rows}
	pairs := make([]*paired, truth.Cols)
	for j := range pairs {
		pairs[j] = pair(truth, predicted, j)
	}
	over := func(name string, of func(*paired, []float64) float64) measure {
		return one(name, func(w []float64) float64 {
			return meanDefined(len(pairs), func(j int) float64 { return of(pairs[j], w) })
		})
	}
	r.Metrics, r.Intervals = s.measure(truth.Rows, []measure{
		over("eval_mae", (*paired).absolute),
		over("eval_mse", (*paired).squared),
		over("eval_rmse", func(p *paired, w []float64) float64 { return math.Sqrt(p.squared(w)) }),
		over("eval_r2", (*paired).determination),
		over("eval_pearson", func(p *paired, w []float64) float64 { return correlation(p.y, p.f, w) }),
		over("eval_spearmanr", func(p *paired, w []float64) float64 {
			return correlation(ranks(p.y, p.byY, w), ranks(p.f, p.byF, w), w)
		}),
	})
	return r, nil
}

// paired is one target: truth y and prediction f, and the rows by each.
type paired struct {
	y, f     []float64
	byY, byF []int
}

func pair(truth, predicted heads.Matrix, j int) *paired {
	p := &paired{y: make([]float64, truth.Rows), f: make([]float64, truth.Rows)}
	for i := range truth.Rows {
		p.y[i], p.f[i] = float64(truth.Row(i)[j]), float64(predicted.Row(i)[j])
	}
	p.byY, p.byF = ascending(p.y), ascending(p.f)
	return p
}

func ascending(v []float64) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	return order
}

func (p *paired) absolute(w []float64) float64 {
	var sum, n float64
	for i, y := range p.y {
		sum += at(w, i) * math.Abs(y-p.f[i])
		n += at(w, i)
	}
	return sum / n
}

func (p *paired) squared(w []float64) float64 {
	var sum, n float64
	for i, y := range p.y {
		sum += at(w, i) * (y - p.f[i]) * (y - p.f[i])
		n += at(w, i)
	}
	return sum / n
}

// determination is R² = 1 − squared error over variance.
func (p *paired) determination(w []float64) float64 {
	mean, square := moments(p.y, w)
	if square <= 1e-12*mean*mean {
		return math.NaN()
	}
	return 1 - p.squared(w)/square
}

// moments returns the weighted mean of v and its variance.
func moments(v, w []float64) (mean, variance float64) {
	var n float64
	for i, f := range v {
		mean += at(w, i) * f
		n += at(w, i)
	}
	mean /= n
	for i, f := range v {
		variance += at(w, i) * (f - mean) * (f - mean)
	}
	return mean, variance / n
}

// correlation is Pearson's, NaN where a or b is constant.
func correlation(a, b, w []float64) float64 {
	meanA, varA := moments(a, w)
	meanB, varB := moments(b, w)
	if varA <= 1e-12*meanA*meanA || varB <= 1e-12*meanB*meanB {
		return math.NaN()
	}
	var sum, n float64
	for i := range a {
		sum += at(w, i) * (a[i] - meanA) * (b[i] - meanB)
		n += at(w, i)
	}
	return sum / n / math.Sqrt(varA*varB)
}

// ranks returns the rank of each of v, whose rows by rising value are order, where row i counts w times; ties share
// their mean rank.
func ranks(v []float64, order []int, w []float64) []float64 {
	out := make([]float64, len(v))
	var below float64
	for lo := 0; lo < len(order); {
		hi, here := lo, 0.0
		for ; hi < len(order) && v[order[hi]] == v[order[lo]]; hi++ {
			here += at(w, order[hi])
		}
		for _, i := range order[lo:hi] {
			out[i] = below + (here+1)/2
		}
		below += here
		lo = hi
	}
	return out
}
