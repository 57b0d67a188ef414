package main

import (
	"context"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx/ort"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// A classifier is an exported folder, opened, whatever it reads.
type classifier interface {
	// predict answers inputs that are texts, or paths of pictures.
	predict(ctx context.Context, inputs []string) ([]finetune.Prediction, error)
	evaluate(ctx context.Context, examples []dataset.Example[string]) (finetune.Evaluation, error)
	Close() error
}

// textClassifier reads texts.
type textClassifier struct {
	*finetune.Classifier[string]
}

func (c textClassifier) predict(ctx context.Context, inputs []string) ([]finetune.Prediction, error) {
	return c.Predict(ctx, inputs)
}

func (c textClassifier) evaluate(ctx context.Context, examples []dataset.Example[string]) (finetune.Evaluation, error) {
	return c.Evaluate(ctx, examples)
}

// imageClassifier reads picture files.
type imageClassifier struct {
	*finetune.Classifier[vision.Picture]
}

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
