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

// A Classifier is an exported folder, whatever its task, opened to be used. It is safe for concurrent use.
type Classifier[T any] struct {
	Target       dataset.Target // what it answers with
	Pairs        bool           // it reads pairs of inputs
	Labels       []string       // in the order of the logits
	Preprocessor Preprocessor[T]

	model    *onnx.Model
	session  onnx.Session
	goal     goal
	form     form[T]
	settings ExtractSettings
}

// OpenClassifier opens a folder that [Export] wrote, or another with a model.onnx whose output logits is N×K, or N×L×K for
// tokens, and a config.json whose id2label names the K classes. Close frees it.
func OpenClassifier[T any](rt onnx.Runtime, dir string, open Opener[T], s ExtractSettings) (*Classifier[T], error) {
	c, err := loadClassifier(dir, open)
	if err != nil {
		return nil, err
	}
	c.settings = s
	if c.session, err = onnx.NewFileSession(rt, filepath.Join(dir, modelFile), c.model); err != nil {
		c.model.Close()
		return nil, fmt.Errorf("finetune: %s: %w", dir, err)
	}
	return c, nil
}

// loadClassifier opens a folder but makes no session yet.
func loadClassifier[T any](dir string, open Opener[T]) (*Classifier[T], error) {
	config, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, modelFile)
	m, err := onnx.Load(path)
	if err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	c := &Classifier[T]{Labels: config.labels, model: m}
	if err := c.understand(config, path); err != nil {
		m.Close()
		return nil, err
	}
	if c.Preprocessor, err = open(dir, firstInputs(m)); err != nil {
		m.Close()
		return nil, fmt.Errorf("finetune: %w", err)
	}
	return c, nil
}

// understand finds out what the logits are.
func (c *Classifier[T]) understand(config folderConfig, path string) (err error) {
	i := slices.IndexFunc(c.model.Graph.Outputs, func(v *onnx.Value) bool { return v.Name == logitsOutput })
	if i < 0 {
		return fmt.Errorf("finetune: %s has no output %q", path, logitsOutput)
	}
	shape := c.model.Graph.Outputs[i].Shape
	if n := len(shape); n >= 2 && shape[n-1].Known && shape[n-1].Size != int64(len(c.Labels)) {
		return fmt.Errorf("finetune: %s gives %d logits, config.json names %d labels", path, shape[n-1].Size, len(c.Labels))
	}
	if c.Target, err = config.target(shape); err != nil {
		return fmt.Errorf("finetune: %s: %w", filepath.Join(filepath.Dir(path), configFile), err)
	}
	if c.goal, err = goalOf(c.Target); err != nil {
		return err
	}
	c.Pairs = readsPairs(c.model)
	if c.goal, err = config.decision.of(c.goal, c.Target, len(c.Labels)); err != nil {
		return fmt.Errorf("finetune: %s: %s: %w", filepath.Join(filepath.Dir(path), configFile), decisionKey, err)
	}
	c.form = formOf[T](c.Target, c.Pairs)
	return nil
}

// Close frees the session.
func (c *Classifier[T]) Close() error {
	var err error
	if c.session != nil {
		err = c.session.Close()
	}
	c.model.Close()
	return err
}

// answers returns the logits of examples, a row for each that their form makes. The first live inputs are run whatever a
// cache has.
func (c *Classifier[T]) answers(ctx context.Context, examples []dataset.Example[T], live int) (heads.Matrix, error) {
	e := extraction[T]{
		name: "classifier", session: c.session, model: c.model, output: logitsOutput, cols: len(c.Labels), pre: c.Preprocessor, live: live,
	}
	s := c.settings
	s.Name = func(i int) string { return examples[i].ID }
	m, err := c.form.answers(ctx, e, examples, s)
	if err == nil && m.Cols != len(c.Labels) {
		return m, fmt.Errorf("finetune: the model gives %d logits, config.json names %d labels", m.Cols, len(c.Labels))
	}
	return m, err
}

// A Prediction is a model's answer for one input, or pair of inputs. What its task does not answer with is left empty.
type Prediction struct {
	Input     string             `json:"input"`               // the text, or the picture's name
	Second    string             `json:"second,omitempty"`    // the other text of a pair
	Label     string             `json:"label,omitempty"`     // the most probable class
	Score     float64            `json:"score,omitempty"`     // its probability
	Scores    map[string]float64 `json:"scores,omitempty"`    // the probability of every class, or of every label
	Abstained bool               `json:"abstained,omitempty"` // the model is too unsure to answer: Label is empty
	Labels    []string           `json:"labels,omitzero"`     // those more probable than not; not nil where any number is possible
	Value     *float64           `json:"value,omitempty"`     // the number
	Entities  []Entity           `json:"entities,omitzero"`   // in order; not nil where they are looked for
}

// Predict answers inputs, in order.
func (c *Classifier[T]) Predict(ctx context.Context, xs []T) ([]Prediction, error) {
	if c.Pairs {
		return nil, fmt.Errorf("finetune: the model reads pairs of inputs; PredictPairs answers them")
	}
	examples := make([]dataset.Example[T], len(xs))
	for i, x := range xs {
		examples[i] = dataset.Example[T]{ID: "row " + strconv.Itoa(i), Input: x}
		if splitter, ok := c.Preprocessor.(Worded[T]); ok && c.Target == dataset.Tags {
			for _, w := range splitter.Words(x) {
				examples[i].Words = append(examples[i].Words, dataset.Word{Start: w[0], End: w[1]})
			}
		}
	}
	return c.predict(ctx, examples)
}

// PredictPairs answers pairs of inputs, in order; first and second are of one length.
func (c *Classifier[T]) PredictPairs(ctx context.Context, first, second []T) ([]Prediction, error) {
	if !c.Pairs || len(first) != len(second) {
		return nil, fmt.Errorf("finetune: %d and %d inputs for a model that reads pairs: %t", len(first), len(second), c.Pairs)
	}
	examples := make([]dataset.Example[T], len(first))
	for i := range first {
		examples[i] = dataset.Example[T]{ID: "row " + strconv.Itoa(i), Input: first[i], Second: second[i]}
	}
	return c.predict(ctx, examples)
}

func (c *Classifier[T]) predict(ctx context.Context, examples []dataset.Example[T]) ([]Prediction, error) {
	rows, err := c.form.rows(c.Preprocessor, examples)
	if err != nil {
		return nil, err
	}
	orQuiet(c.settings.Progress).Start(Predicting, len(examples))
	logits, err := c.answers(ctx, examples, 0)
	if err != nil {
		return nil, err
	}
	out := make([]Prediction, len(examples))
	for i, e := range examples {
		out[i].Input = fmt.Sprint(e.Input)
		if c.Pairs {
			out[i].Second = fmt.Sprint(e.Second)
		}
		own := rowsOf(rows, i)
		var words []place
		if rows != nil {
			words = rows[own.from:own.to]
		}
		if err := c.goal.tell(&out[i], c.Labels, words, part(logits, own)); err != nil {
			return nil, fmt.Errorf("finetune: %s: %w", e.ID, err)
		}
	}
	return out, nil
}

// Stream answers inputs as they come, up to window at a time, and yields a prediction each, in order. It ends after the
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

// An Evaluation is how a model does on labelled rows.
type Evaluation struct {
	Rows    int                `json:"rows"`
	Metrics map[string]float64 `json:"metrics"`

	Report metrics.Report `json:"-"`
}

// Evaluate judges the model on labelled examples. Labels are the model's; where none of them is, integers stand for its
// classes by number.
func (c *Classifier[T]) Evaluate(ctx context.Context, examples []dataset.Example[T]) (Evaluation, error) {
	rows, err := c.form.rows(c.Preprocessor, examples)
	if err != nil {
		return Evaluation{}, err
	}
	expected := truths(examples)
	if c.Target == dataset.Classes {
		c.nameNumbers(expected)
	}
	if _, err := c.goal.targets(expected, c.Labels, rows); err != nil { // before anything slow
		return Evaluation{}, err
	}
	orQuiet(c.settings.Progress).Start(Predicting, len(examples))
	logits, err := c.answers(ctx, examples, 0)
	if err != nil {
		return Evaluation{}, err
	}
	report, err := c.goal.report(expected, c.Labels, rows, logits)
	if err != nil {
		return Evaluation{}, fmt.Errorf("finetune: evaluate: %w", err)
	}
	return Evaluation{Rows: len(examples), Metrics: report.Metrics, Report: report}, nil
}

// nameNumbers puts the name of a class in place of its number, where no label is a name.
func (c *Classifier[T]) nameNumbers(examples []truth) {
	for _, e := range examples {
		if slices.Contains(c.Labels, e.label) {
			return
		}
	}
	for i, e := range examples {
		if k, err := strconv.Atoi(e.label); err == nil && k >= 0 && k < len(c.Labels) {
			examples[i].label = c.Labels[k]
		}
	}
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
