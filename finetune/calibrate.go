package finetune

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/heads/valley"
)

// decide chooses how answers follow from logits, where that was asked for: on validation rows where they are many enough,
// else on training rows, each answered by a head that was not fitted on it.
func (w *workshop[T]) decide(ctx context.Context) error {
	s := w.settings.Judge
	if !s.Calibrate && s.Threshold == 0 && !s.AutoThreshold && s.Abstain == 0 {
		return nil
	}
	if err := decidable(w.data.Target, len(w.data.Labels), s); err != nil {
		return err
	}
	d := &Decision{By: ChosenByCaller}
	if s.Threshold > 0 {
		d.Threshold = slices.Repeat([]float64{s.Threshold}, cmp.Or(w.train.y.Labels.Cols, 1))
	}
	if s.Calibrate || s.AutoThreshold || s.Abstain > 0 {
		answers, y, by, err := w.unseen(ctx)
		if err != nil {
			return err
		}
		d.By, d.Rows = by, answers.Rows
		if s.Calibrate {
			d.Temperature = bestTemperature(answers, y)
			answers = divided(answers, d.Temperature)
			w.head = temper(w.head, d.Temperature)
		}
		if s.AutoThreshold {
			d.Threshold = bestThresholds(answers, y)
		}
		if s.Abstain > 0 {
			if d.Abstain, err = confidenceFor(s.Abstain, answers, y.Class, d.rule()); err != nil {
				return err
			}
		}
	}
	w.result.Decision = d
	return nil
}

// unseen returns logits for rows that the head was not fitted on, what they should be, and how they were come by.
func (w *workshop[T]) unseen(ctx context.Context) (heads.Matrix, heads.Targets, string, error) {
	x, y := w.validation.x, w.validation.y
	if enoughToChoose(y) {
		if w.result.Tuned != nil {
			var err error
			if x, err = w.features(ctx, w.data.Validation, w.settings.Extract); err != nil {
				return x, y, "", err
			}
		}
		z, err := w.head.Predict(x)
		return z, y, ChosenByValidation, err
	}
	if w.result.Tuned != nil {
		return x, y, "", fmt.Errorf("finetune: to calibrate a backbone that was trained takes validation rows, 200 and 10 a class at least; set some aside")
	}
	z, err := outOfFold(ctx, w.probed, w.train.x, w.train.y, w.settings.Probe)
	return z, w.train.y, ChosenByFolds, err
}

// outOfFold answers every row by a head like the probed one that was fitted on the other folds.
func outOfFold(ctx context.Context, r ProbeResult, x heads.Matrix, y heads.Targets, s ProbeSettings) (heads.Matrix, error) {
	out := heads.NewMatrix(x.Rows, y.Outputs())
	parts := deal(y, nil, cmp.Or(s.Folds, 5), s.Seed+1)
	for i, held := range parts {
		stay := slices.Sorted(slices.Values(slices.Concat(slices.Delete(slices.Clone(parts), i, i+1)...)))
		h, err := s.fit(ctx, r.Kind, r.C, r.Scale, nil, x.Subset(stay), y.Subset(stay))
		if err != nil {
			return out, fmt.Errorf("finetune: calibrate: %w", err)
		}
		z, err := h.Predict(x.Subset(held))
		if err != nil {
			return out, fmt.Errorf("finetune: calibrate: %w", err)
		}
		for j, row := range held {
			copy(out.Row(row), z.Row(j))
		}
	}
	return out, nil
}

// bestTemperature returns the number, 0.01 to 100, that logits must be divided by for the smallest log loss. The loss is convex
// in its inverse, so there is one valley.
func bestTemperature(z heads.Matrix, y heads.Targets) float64 {
	loss := func(log float64) (sum float64) {
		scale := math.Exp(-log)
		for i := range z.Rows {
			row := z.Row(i)
			if y.Task() == heads.Classification {
				l, _ := crossEntropy(row, y.Class[i], scale)
				sum += l
				continue
			}
			for k, v := range row {
				v := scale * float64(v)
				sum += max(v, 0) - v*float64(y.Labels.Row(i)[k]) + math.Log1p(math.Exp(-math.Abs(v)))
			}
		}
		return sum
	}
	return math.Exp(valley.Lowest(loss, math.Log(0.01), math.Log(100), 1e-4))
}

// bestThresholds returns the probability above which the second of two classes should be the answer, or each label, for the
// largest F1.
func bestThresholds(z heads.Matrix, y heads.Targets) []float64 {
	if y.Task() == heads.Classification {
		odds, has := make([]float64, z.Rows), make([]bool, z.Rows)
		for i := range z.Rows {
			odds[i], has[i] = float64(z.Row(i)[1])-float64(z.Row(i)[0]), y.Class[i] == 1
		}
		return []float64{bestThreshold(odds, has)}
	}
	out := make([]float64, z.Cols)
	for k := range out {
		odds, has := make([]float64, z.Rows), make([]bool, z.Rows)
		for i := range z.Rows {
			odds[i], has[i] = float64(z.Row(i)[k]), y.Labels.Row(i)[k] == 1
		}
		out[k] = bestThreshold(odds, has)
	}
	return out
}

// fewPositives is the number of positive rows below which a threshold would be chosen by chance.
const fewPositives = 5

// bestThreshold returns the probability, between two rows' or 0.5, above which calling rows positive has the largest F1; of
// equal ones the nearest to 0.5.
func bestThreshold(odds []float64, has []bool) float64 {
	order, positives := allIndices(len(odds)), 0
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(odds[b], odds[a]), cmp.Compare(a, b)) })
	for _, h := range has {
		if h {
			positives++
		}
	}
	if positives < fewPositives || len(has)-positives < fewPositives {
		return 0.5
	}
	best, cut, right := -1.0, 0.0, 0
	for n, i := range order {
		if has[i] {
			right++
		}
		if n+1 == len(order) || odds[order[n+1]] == odds[i] {
			continue
		}
		at := (odds[i] + odds[order[n+1]]) / 2
		if odds[i] > 0 && odds[order[n+1]] <= 0 {
			at = 0
		}
		f1 := 2 * float64(right) / float64(n+1+positives)
		if f1 > best || f1 == best && math.Abs(at) < math.Abs(cut) {
			best, cut = f1, at
		}
	}
	p := 1 / (1 + math.Exp(-cut))
	return min(max(p, 1e-6), 1-1e-6)
}

// confidenceFor returns the least confidence at which answers are right as often as asked, counting one answer more as wrong:
// what is expected of rows not seen yet is then not below (Angelopoulos et al. 2022).
func confidenceFor(accuracy float64, z heads.Matrix, class []int, rule metrics.Rule) (float64, error) {
	type answer struct {
		confidence float64
		right      bool
	}
	list := make([]answer, z.Rows)
	for i := range list {
		row := z.Row(i)
		p := softmax(row)
		confidence := p[argmax(row)]
		if rule.Threshold != nil {
			margin := float64(row[1]) - float64(row[0]) - metrics.LogOdds(rule.Threshold[0])
			confidence = 1 / (1 + math.Exp(-math.Abs(margin)))
		}
		list[i] = answer{confidence, rule.Class(row) == class[i]}
	}
	slices.SortStableFunc(list, func(a, b answer) int { return cmp.Compare(b.confidence, a.confidence) })
	wrong, found := 0, false
	least := 0.0
	for n, a := range list {
		if !a.right {
			wrong++
		}
		if n+1 < len(list) && list[n+1].confidence == a.confidence {
			continue
		}
		if float64(wrong+1)/float64(n+2) <= 1-accuracy {
			found, least = true, a.confidence
			if n+1 < len(list) {
				least = (a.confidence + list[n+1].confidence) / 2
			}
		}
	}
	if !found {
		return 0, fmt.Errorf("finetune: no confidence gives answers that are right %g of the time: of %d rows, one more counted as wrong; ask for less, or give more rows", accuracy, len(list))
	}
	if all := list[len(list)-1].confidence; least <= all {
		least = 0
	}
	return min(least, 1-1e-9), nil
}
