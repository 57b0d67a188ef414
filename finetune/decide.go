package finetune

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// A Decision says how a model's answers follow from its logits, beyond taking the largest. It is part of the written graph,
// whose output "label" is then the answer itself: N classes, −1 where there is none, or N×K of 0 and 1 for label sets.
// config.json has it under "decision".
type Decision struct {
	Temperature float64   `json:"temperature,omitempty"`   // what logits were divided by; 0: they were not
	Threshold   []float64 `json:"threshold,omitempty"`     // see [metrics.Rule]
	Abstain     float64   `json:"abstain_below,omitempty"` // see [metrics.Rule]
	By          string    `json:"chosen_by,omitempty"`     // [ChosenByValidation], [ChosenByFolds] or [ChosenByCaller]
	Rows        int       `json:"chosen_on,omitempty"`     // rows it was chosen on
}

// rule is what the graph's "label" follows.
func (d *Decision) rule() metrics.Rule {
	if d == nil {
		return metrics.Rule{}
	}
	return metrics.Rule{Threshold: d.Threshold, Abstain: d.Abstain}
}

// labelOutput is the output that has the answers of a [Decision].
const labelOutput = "label"

// decided is a goal whose answers follow a rule.
type decided struct {
	goal
	rule metrics.Rule
}

// withDecision returns the goal as it is decided; the goal itself where nothing is.
func withDecision(g goal, d *Decision) goal {
	if rule := d.rule(); rule.Threshold != nil || rule.Abstain > 0 {
		return decided{g, rule}
	}
	return g
}

// of returns the goal of a folder whose config.json has the decision, nil where it has none.
func (d *Decision) of(g goal, target dataset.Target, labels int) (goal, error) {
	rule := d.rule()
	if target != dataset.Classes && target != dataset.Labels {
		if rule.Threshold != nil || rule.Abstain != 0 {
			return nil, fmt.Errorf("a threshold or abstention for answers that are no classes")
		}
		return g, nil
	}
	if err := rule.Check(labels, target == dataset.Labels); err != nil {
		return nil, err
	}
	return withDecision(g, d), nil
}

func (d decided) report(examples []truth, labels []string, rows []place, answers heads.Matrix) (metrics.Report, error) {
	y, err := d.targets(examples, labels, rows)
	if err != nil {
		return metrics.Report{}, err
	}
	s := metrics.Settings{Rule: d.rule}
	if y.Task() == heads.MultiLabel {
		return s.MultiLabel(labels, y.Labels, answers)
	}
	return s.Classification(labels, y.Class, answers)
}

func (d decided) tell(p *Prediction, labels []string, rows []place, answers heads.Matrix) error {
	if err := d.goal.tell(p, labels, rows, answers); err != nil {
		return err
	}
	row := answers.Row(0)
	if d.problem() == MultiLabel {
		p.Labels = []string{}
		for k, z := range row {
			if d.rule.Has(z, k) {
				p.Labels = append(p.Labels, labels[k])
			}
		}
		return nil
	}
	p.Label = labels[d.rule.Class(row)]
	p.Score = p.Scores[p.Label]
	if !d.rule.Answers(row) {
		p.Label, p.Abstained = "", true
	}
	return nil
}

// emit appends the nodes that make answers of N×K logits.
func (d decided) emit(b *onnx.Builder, logits *onnx.Value) *onnx.Value {
	b = b.Scope("decision")
	scalar := func(name string, v float64) *onnx.Value {
		return b.Const(name, onnx.NewTensor(name, []float32{float32(v)}, 1))
	}
	if d.problem() == MultiLabel {
		cuts := make([]float32, len(d.rule.Threshold))
		for k, t := range d.rule.Threshold {
			cuts[k] = float32(metrics.LogOdds(t))
		}
		return b.Cast(b.Greater(logits, b.Const("thresholds", onnx.NewTensor("thresholds", cuts, int64(len(cuts))))), onnx.Int64)
	}
	var class, confidence *onnx.Value
	least := d.rule.Abstain
	if d.rule.Threshold == nil {
		class = b.ArgMax(logits, 1, false)
		confidence = b.ReduceMax(b.Softmax(logits, 1), false, 1)
	} else {
		column := func(k int64) *onnx.Value {
			return b.ReduceSum(b.Gather(logits, b.Const("column", onnx.NewTensor("column", []int64{k}, 1)), 1), false, 1)
		}
		margin := b.Sub(b.Sub(column(1), column(0)), scalar("threshold", metrics.LogOdds(d.rule.Threshold[0])))
		class = b.Cast(b.Greater(margin, scalar("zero", 0)), onnx.Int64)
		confidence, least = b.Abs(margin), metrics.LogOdds(max(d.rule.Abstain, 0.5))
	}
	if d.rule.Abstain == 0 {
		return class
	}
	unsure := b.Greater(scalar("least", least), confidence)
	return b.Where(unsure, b.Const("none", onnx.NewTensor("none", []int64{-1}, 1)), class)
}

// expected is what emit's nodes give for a row, and whether rounding may make it something else.
func (d decided) expected(row []float32, tolerance float64) (want []int64, close bool) {
	shifted := func(by float64, k int) []float32 {
		s := slices.Clone(row)
		s[k] += float32(by)
		return s
	}
	answer := func(row []float32) (out []int64) {
		if d.problem() == MultiLabel {
			for k, z := range row {
				if d.rule.Has(z, k) {
					out = append(out, 1)
				} else {
					out = append(out, 0)
				}
			}
			return out
		}
		if !d.rule.Answers(row) {
			return []int64{-1}
		}
		return []int64{int64(d.rule.Class(row))}
	}
	want = answer(row)
	for k := range row {
		for _, by := range []float64{-tolerance, tolerance} {
			if !slices.Equal(answer(shifted(by, k)), want) {
				return want, true
			}
		}
	}
	return want, false
}

// verifyDecision runs the written graph's nodes from logits to label on the logits that the whole graph was proved to give.
func verifyDecision(ctx context.Context, rt onnx.Runtime, dir string, g goal, logits heads.Matrix, tolerance float64) error {
	d, ok := g.(decided)
	if !ok {
		return nil
	}
	m, err := onnx.Load(filepath.Join(dir, modelFile))
	if err != nil {
		return fmt.Errorf("finetune: verify: %w", err)
	}
	defer m.Close()
	m.Graph.Nodes = slices.DeleteFunc(m.Graph.Nodes, func(n *onnx.Node) bool { return slices.Contains(n.Outputs, logitsOutput) })
	m.Graph.Inputs = []*onnx.Value{{Name: logitsOutput, Type: onnx.Float32, Shape: onnx.Shape{onnx.Param("batch"), onnx.Known(int64(logits.Cols))}}}
	if err := onnx.Cut(m, labelOutput); err != nil {
		return fmt.Errorf("finetune: verify: the written decision: %w", err)
	}
	session, err := rt.NewSession(m)
	if err != nil {
		return fmt.Errorf("finetune: verify: the written decision: %w", err)
	}
	defer session.Close()
	out, err := session.Run(ctx, onnx.Feeds{logitsOutput: onnx.NewTensor(logitsOutput, logits.Data, int64(logits.Rows), int64(logits.Cols))}, labelOutput)
	if err != nil {
		return fmt.Errorf("finetune: verify: the written decision: %w", err)
	}
	got, err := onnx.View[int64](out[0])
	if err != nil || logits.Rows == 0 || len(got)%logits.Rows != 0 {
		return fmt.Errorf("finetune: verify: the written decision gave %v of %v for %d rows: %w", out[0].Type, out[0].Shape, logits.Rows, err)
	}
	each := len(got) / logits.Rows
	for i := range logits.Rows {
		want, close := d.expected(logits.Row(i), min(tolerance, 1e-5))
		if answer := got[i*each : (i+1)*each]; !close && !slices.Equal(answer, want) {
			return fmt.Errorf("finetune: verify: the written decision answers row %d with %v, judged was %v", i, answer, want)
		}
	}
	return nil
}

// A tempered is a fitted head whose logits are divided by a temperature: the same answers with calibrated confidence (Guo et
// al. 2017).
type tempered struct {
	heads.Head
	temperature float64
}

// temper divides a fitted head's logits. Of an affine map the numbers themselves are.
func temper(h heads.Head, temperature float64) heads.Head {
	l := heads.LinearOf(h)
	if own, ok := h.(*heads.Linear); ok {
		l = &heads.Linear{Weight: own.Weight.Subset(allIndices(own.Weight.Rows)), Bias: slices.Clone(own.Bias), Shift: own.Shift}
	}
	if l == nil {
		return &tempered{h, temperature}
	}
	for _, numbers := range [][]float32{l.Weight.Data, l.Bias} {
		for i, v := range numbers {
			numbers[i] = float32(float64(v) / temperature)
		}
	}
	return l
}

// Predict implements [heads.Head].
func (t *tempered) Predict(x heads.Matrix) (heads.Matrix, error) {
	z, err := t.Head.Predict(x)
	if err != nil {
		return z, err
	}
	return divided(z, t.temperature), nil
}

// Emit implements [heads.Head].
func (t *tempered) Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error) {
	z, err := t.Head.Emit(b, features)
	if err != nil {
		return nil, err
	}
	b = b.Scope("temperature")
	return b.Div(z, b.Const("temperature", onnx.NewTensor("temperature", []float32{float32(t.temperature)}, 1))), b.Err()
}

func divided(z heads.Matrix, by float64) heads.Matrix {
	out := heads.NewMatrix(z.Rows, z.Cols)
	for i, v := range z.Data {
		out.Data[i] = float32(float64(v) / by)
	}
	return out
}

// decidable tells whether thresholds and abstention mean anything for targets.
func decidable(target dataset.Target, classes int, s JudgeSettings) error {
	asked := s.AutoThreshold || s.Threshold > 0
	switch {
	case s.Calibrate && target == dataset.Values:
		return fmt.Errorf("finetune: numbers have no confidence to calibrate")
	case s.Abstain < 0 || s.Abstain >= 1 || s.Threshold < 0 || s.Threshold >= 1 || math.IsNaN(s.Abstain+s.Threshold):
		return fmt.Errorf("finetune: threshold %g, abstain %g: want probabilities below 1", s.Threshold, s.Abstain)
	case asked && target != dataset.Labels && (target != dataset.Classes || classes != 2):
		return fmt.Errorf("finetune: a threshold is for two classes or for label sets")
	case s.Abstain > 0 && target != dataset.Classes:
		return fmt.Errorf("finetune: only answers that are one class can be withheld")
	}
	return nil
}
