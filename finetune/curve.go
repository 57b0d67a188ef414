package finetune

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
)

// A LearningPoint is how well the chosen kind of head does when it is fitted on so many rows, judged on training rows that
// were held out.
type LearningPoint struct {
	Rows int     `json:"rows"`
	Mean float64 `json:"mean"` // over repeats, of [LearningCurve.Metric]
	SE   float64 `json:"se"`   // the standard error of Mean
}

// A LearningCurve tells whether more labels would help.
type LearningCurve struct {
	Metric string          `json:"metric"`
	Points []LearningPoint `json:"points"` // ascending in Rows
	// Exponent and Factor are the power law fitted to the points: 1 − metric ≈ Factor · rows^−Exponent.
	Factor   float64 `json:"factor"`
	Exponent float64 `json:"exponent"`
	Advice   string  `json:"advice"` // for people, a sentence
}

// The shape of a learning curve.
const (
	curveSizes   = 5
	curveRepeats = 5
	curveRows    = 50_000 // learned from and judged by, at most
)

// Learn fits heads of one kind and C on growing parts of the rows, each part among the next, class by class in proportion,
// and judges them on the fifth that is held out; five times, each with another fifth. x and y are training rows: no test
// row has a part in it.
func Learn(ctx context.Context, x heads.Matrix, y heads.Targets, s ProbeSettings) (*LearningCurve, error) {
	progress := orQuiet(s.Progress)
	s.Progress = nil
	if x.Rows > curveRows {
		some := someOf(x.Rows, curveRows, s.Seed)
		x, y, s.Groups = x.Subset(some), y.Subset(some), nil
	}
	parts := deal(y, s.Groups, curveRepeats, s.Seed)
	c := &LearningCurve{}
	var sizes []int
	scores := make([][]float64, curveSizes)
	progress.Start(Learning, len(parts)*curveSizes)
	for i, held := range parts {
		order := proportional(y, slices.Concat(slices.Delete(slices.Clone(parts), i, i+1)...), s.Seed+uint64(i))
		if sizes == nil {
			sizes = growing(len(order), y)
		}
		for j, n := range sizes {
			rows := order[:min(n, len(order))]
			slices.Sort(rows)
			score, err := s.learned(ctx, x, y, rows, held, c)
			if err != nil {
				return nil, fmt.Errorf("finetune: learning curve: %w", err)
			}
			if !math.IsNaN(score) {
				scores[j] = append(scores[j], score)
			}
			progress.Add(1)
		}
	}
	for j, n := range sizes {
		if len(scores[j]) > 0 {
			mean, sd := meanAndSD(scores[j])
			c.Points = append(c.Points, LearningPoint{Rows: n, Mean: mean, SE: sd / math.Sqrt(float64(len(scores[j])))})
		}
	}
	c.forecast(x.Rows)
	return c, nil
}

// learned fits a head on some rows and returns its score on others, NaN where there is nothing to learn.
func (s ProbeSettings) learned(ctx context.Context, x heads.Matrix, y heads.Targets, rows, held []int, c *LearningCurve) (float64, error) {
	part := y.Subset(rows)
	if !learnable(part) {
		return math.NaN(), nil
	}
	s.Groups, s.ValidationX, s.ValidationY = nil, heads.Matrix{}, heads.Targets{}
	fitted, err := Probe(ctx, x.Subset(rows), part, s)
	if err != nil {
		return 0, err
	}
	answers, err := fitted.Head.Predict(x.Subset(held))
	if err != nil {
		return 0, err
	}
	report, err := quickReport(y.Subset(held), answers)
	if err != nil {
		return 0, err
	}
	c.Metric = Headline(report)
	score, ok := report.Metrics[c.Metric]
	if !ok {
		return math.NaN(), nil
	}
	return score, nil
}

// quickReport judges answers for targets, without intervals.
func quickReport(y heads.Targets, answers heads.Matrix) (metrics.Report, error) {
	quick := metrics.Settings{Resamples: -1}
	switch y.Task() {
	case heads.Classification:
		return quick.Classification(make([]string, y.Classes), y.Class, answers)
	case heads.MultiLabel:
		return quick.MultiLabel(make([]string, y.Labels.Cols), y.Labels, answers)
	}
	return quick.Regression(y.Values, answers)
}

// growing returns the numbers of rows a curve is drawn at, up to n, by equal factors.
func growing(n int, y heads.Targets) []int {
	least := max(8, 2*y.Classes)
	first := max(n/16, min(least, n))
	sizes := make([]int, curveSizes)
	for j := range sizes {
		sizes[j] = int(math.Round(float64(first) * math.Pow(float64(n)/float64(first), float64(j)/(curveSizes-1))))
	}
	return slices.Compact(sizes)
}

// proportional orders rows so that every beginning has about the shares of classes that the whole has.
func proportional(y heads.Targets, rows []int, seed uint64) []int {
	rng := rand.New(rand.NewPCG(seed, 0x6375727665))
	members := map[int][]int{}
	class := func(i int) int {
		if y.Task() == heads.Classification {
			return y.Class[i]
		}
		return 0
	}
	slices.Sort(rows)
	for _, i := range rows {
		members[class(i)] = append(members[class(i)], i)
	}
	at := make(map[int]float64, len(rows))
	for k := range max(1, y.Classes) {
		of := members[k]
		rng.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		for place, i := range of {
			at[i] = (float64(place) + rng.Float64()) / float64(len(of))
		}
	}
	slices.SortFunc(rows, func(a, b int) int { return cmp.Or(cmp.Compare(at[a], at[b]), cmp.Compare(a, b)) })
	return rows
}

// forecast fits a power law to the errors, least squares of logarithms (Hestness et al. 2017), and says what twice the rows
// would bring.
func (c *LearningCurve) forecast(rows int) {
	var n, sx, sy, sxx, sxy float64
	for _, p := range c.Points {
		if e := 1 - p.Mean; e > 0 {
			x, y := math.Log(float64(p.Rows)), math.Log(e)
			n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
		}
	}
	if d := n*sxx - sx*sx; n < 3 || d <= 0 {
		c.Advice = "there are too few rows to tell what more of them would bring"
		return
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	c.Exponent, c.Factor = -slope, math.Exp((sy-slope*sx)/n)
	last := c.Points[len(c.Points)-1]
	at := func(rows int) float64 { return 1 - c.Factor*math.Pow(float64(rows), -c.Exponent) }
	now, twice := at(rows), at(2*rows)
	change := fmt.Sprintf("with twice the rows (%d) %s would go from about %.3f to %.3f", 2*rows, strings.TrimPrefix(c.Metric, "eval_"), now, twice)
	if twice-now <= max(2*last.SE, 0.002) {
		c.Advice = "more labels would hardly help: " + change + ", no more than chance moves it"
		return
	}
	c.Advice = "more labels would help: " + change + " (extrapolated; its error falls as rows to the power " + fmt.Sprintf("%.2f)", -c.Exponent)
}

// learn draws the learning curve of the chosen head.
func (w *workshop[T]) learn(ctx context.Context) (err error) {
	if !w.settings.Judge.LearningCurve {
		return nil
	}
	s := w.settings.Probe
	s.Head, s.C, s.Progress = w.probed.Kind, w.probed.C, w.settings.Progress
	s.Groups = nil
	w.result.Learning, err = Learn(ctx, w.train.x, w.train.y, s)
	return err
}
