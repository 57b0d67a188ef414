package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// A classifier is an exported folder, opened, whatever it reads and answers.
type classifier interface {
	target() dataset.Target
	pairs() bool
	// predict answers inputs that are texts, pairs of texts with a tab between, or paths of pictures.
	predict(ctx context.Context, inputs []string) ([]finetune.Prediction, error)
	evaluate(ctx context.Context, examples []dataset.Example[string]) (finetune.Evaluation, error)
	Close() error
}

// textClassifier reads texts.
type textClassifier struct {
	*finetune.Classifier[string]
}

func (c textClassifier) target() dataset.Target { return c.Target }
func (c textClassifier) pairs() bool            { return c.Pairs }

func (c textClassifier) predict(ctx context.Context, inputs []string) ([]finetune.Prediction, error) {
	if !c.Pairs {
		return c.Predict(ctx, inputs)
	}
	first, second := make([]string, len(inputs)), make([]string, len(inputs))
	for i, line := range inputs {
		var ok bool
		if first[i], second[i], ok = strings.Cut(line, "\t"); !ok || strings.Contains(second[i], "\t") ||
			strings.TrimSpace(first[i]) == "" || strings.TrimSpace(second[i]) == "" {
			return nil, &dataError{fmt.Errorf("%q: the model reads pairs of texts; want two with one tab between", line)}
		}
	}
	return c.PredictPairs(ctx, first, second)
}

func (c textClassifier) evaluate(ctx context.Context, examples []dataset.Example[string]) (finetune.Evaluation, error) {
	return c.Evaluate(ctx, examples)
}

// imageClassifier reads picture files.
type imageClassifier struct {
	*finetune.Classifier[vision.Picture]
}

func (c imageClassifier) target() dataset.Target { return c.Target }
func (c imageClassifier) pairs() bool            { return c.Pairs }

func (c imageClassifier) predict(ctx context.Context, inputs []string) ([]finetune.Prediction, error) {
	pictures := make([]vision.Picture, len(inputs))
	for i, path := range inputs {
		pictures[i] = vision.Picture{Path: path}
	}
	return c.Predict(ctx, pictures)
}

func (c imageClassifier) evaluate(ctx context.Context, examples []dataset.Example[string]) (finetune.Evaluation, error) {
	return c.Evaluate(ctx, dataset.MapExamples(examples, func(e dataset.Example[string]) vision.Picture {
		return vision.Picture{Path: e.Input}
	}))
}

// classifierTask tells what an exported folder reads.
func classifierTask(dir string) (models.Task, error) {
	return sourceTask(models.Source{Name: dir, Path: dir})
}

// openClassifier opens an exported folder that reads the task's inputs.
func openClassifier(rt *ort.Runtime, task models.Task, dir string, s finetune.ExtractSettings) (classifier, error) {
	if task == models.Image {
		c, err := finetune.OpenClassifier(rt, dir, finetune.Reopens[vision.Picture](vision.OpenPreprocessor), s)
		if err != nil {
			return nil, &modelError{err}
		}
		return imageClassifier{c}, nil
	}
	c, err := finetune.OpenClassifier(rt, dir, finetune.Reopens[string](text.OpenPreprocessor), s)
	if err != nil {
		return nil, &modelError{err}
	}
	return textClassifier{c}, nil
}
