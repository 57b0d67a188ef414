package finetune

import (
	"context"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/onnx"
)

// A Classifier is an exported folder, opened to be used. It is safe for concurrent use.
type Classifier[T any] struct {
	Labels       []string // in the order of the logits
	Preprocessor Preprocessor[T]

	model    *onnx.Model
	session  onnx.Session
	settings ExtractSettings
}

// OpenClassifier opens a folder that [Export] wrote, or another with a model.onnx whose output logits is N×K and a
// config.json whose id2label names the K classes. Close frees it.
func OpenClassifier[T any](rt onnx.Runtime, dir string, open Opener[T], s ExtractSettings) (*Classifier[T], error) {
	labels, err := readLabels(dir)
	if err != nil {
		return nil, err
	}
	m, err := onnx.Load(filepath.Join(dir, modelFile))
	if err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	c := &Classifier[T]{Labels: labels, model: m, settings: s}
	if err := c.open(rt, dir, open); err != nil {
		m.Close()
		return nil, err
	}
	return c, nil
}

func (c *Classifier[T]) open(rt onnx.Runtime, dir string, open Opener[T]) (err error) {
	i := slices.IndexFunc(c.model.Graph.Outputs, func(v *onnx.Value) bool { return v.Name == logitsOutput })
	if i < 0 {
		return fmt.Errorf("finetune: %s has no output %q", filepath.Join(dir, modelFile), logitsOutput)
	}
	if shape := c.model.Graph.Outputs[i].Shape; len(shape) == 2 && shape[1].Known && shape[1].Size != int64(len(c.Labels)) {
		return fmt.Errorf("finetune: %s gives %d logits, config.json names %d labels", filepath.Join(dir, modelFile), shape[1].Size, len(c.Labels))
	}
	if c.Preprocessor, err = open(dir, c.model); err != nil {
		return fmt.Errorf("finetune: %w", err)
	}
	if c.session, err = rt.NewSession(c.model); err != nil {
		return fmt.Errorf("finetune: %s: %w", dir, err)
	}
	return nil
}

// Close frees the session.
func (c *Classifier[T]) Close() error {
	err := c.session.Close()
	c.model.Close()
	return err
}

// Logits returns the N×K logits of inputs.
func (c *Classifier[T]) Logits(ctx context.Context, xs []T) (heads.Matrix, error) {
	e := extraction[T]{
		name: "classifier", session: c.session, model: c.model, output: logitsOutput, cols: len(c.Labels), pre: c.Preprocessor, xs: xs,
	}
	orQuiet(c.settings.Progress).Start(Predicting, len(xs))
	m, _, err := e.run(ctx, c.settings)
	if err == nil && m.Cols != len(c.Labels) {
		return m, fmt.Errorf("finetune: the model gives %d logits, config.json names %d labels", m.Cols, len(c.Labels))
	}
	return m, err
}

// A Prediction is a classifier's answer for one input.
type Prediction struct {
	Input  string             `json:"input"`  // the text, or the picture's name
	Label  string             `json:"label"`  // the most probable class
	Score  float64            `json:"score"`  // its probability
	Scores map[string]float64 `json:"scores"` // the probability of every class
}

// Predict classifies inputs, in order.
func (c *Classifier[T]) Predict(ctx context.Context, xs []T) ([]Prediction, error) {
	logits, err := c.Logits(ctx, xs)
	if err != nil {
		return nil, err
	}
	out := make([]Prediction, len(xs))
	for i, x := range xs {
		p := softmax(logits.Row(i))
		best := argmax(logits.Row(i))
		out[i] = Prediction{Input: fmt.Sprint(x), Label: c.Labels[best], Score: p[best], Scores: make(map[string]float64, len(p))}
		for k, label := range c.Labels {
			out[i].Scores[label] = p[k]
		}
	}
	return out, nil
}

// Stream classifies inputs as they come, up to window at a time, and yields a prediction each, in order. It ends after the
// first error, its own or one that comes with an input.
func (c *Classifier[T]) Stream(ctx context.Context, in iter.Seq2[T, error], window int) iter.Seq2[Prediction, error] {
	window = max(window, 1)
	return func(yield func(Prediction, error) bool) {
		var batch []T
		send := func() bool {
			answers, err := c.Predict(ctx, batch)
			batch = batch[:0]
			for _, p := range answers {
				if !yield(p, nil) {
					return false
				}
			}
			if err != nil {
				yield(Prediction{}, err)
			}
			return err == nil
		}
		for x, err := range in {
			if err != nil {
				if send() {
					yield(Prediction{}, err)
				}
				return
			}
			if batch = append(batch, x); len(batch) == window && !send() {
				return
			}
		}
		if len(batch) > 0 {
			send()
		}
	}
}

// An Evaluation is how a classifier does on labelled rows.
type Evaluation struct {
	Rows    int                `json:"rows"`
	Metrics map[string]float64 `json:"metrics"`

	Report metrics.Report `json:"-"`
}

// Evaluate judges the classifier on labelled examples. Labels are the classifier's; where none of them is, integers
// stand for its classes by number.
func (c *Classifier[T]) Evaluate(ctx context.Context, examples []dataset.Example[T]) (Evaluation, error) {
	truth, err := c.classes(labelsOf(examples))
	if err != nil {
		return Evaluation{}, err
	}
	named := *c
	named.settings.Name = func(i int) string { return examples[i].ID }
	logits, err := named.Logits(ctx, dataset.Inputs(examples))
	if err != nil {
		return Evaluation{}, err
	}
	report, err := metrics.Classification(c.Labels, truth, logits)
	if err != nil {
		return Evaluation{}, fmt.Errorf("finetune: evaluate: %w", err)
	}
	return Evaluation{Rows: len(examples), Metrics: report.Metrics, Report: report}, nil
}

// A labelled example, as far as finding its class goes.
type labelled struct{ id, label string }

func labelsOf[T any](examples []dataset.Example[T]) []labelled {
	out := make([]labelled, len(examples))
	for i, e := range examples {
		out[i] = labelled{e.ID, e.Label}
	}
	return out
}

// classes returns the class of each label.
func (c *Classifier[T]) classes(examples []labelled) ([]int, error) {
	class := map[string]int{}
	for k, label := range c.Labels {
		class[label] = k
	}
	known := false
	for _, e := range examples {
		_, ok := class[e.label]
		known = known || ok
	}
	if !known {
		for k := range c.Labels {
			class[strconv.Itoa(k)] = k
		}
	}
	truth := make([]int, len(examples))
	for i, e := range examples {
		k, ok := class[e.label]
		if !ok {
			return nil, &dataset.RowError{File: e.id, Err: fmt.Errorf("%w: the model has no class %q", dataset.ErrUnknownLabel, e.label)}
		}
		truth[i] = k
	}
	return truth, nil
}

// softmax returns the probabilities of a row of logits.
func softmax(logits []float32) []float64 {
	p := make([]float64, len(logits))
	top := float64(logits[argmax(logits)])
	sum := 0.0
	for k, v := range logits {
		p[k] = math.Exp(float64(v) - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}
