package finetune

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// A Source is a backbone as package text or vision opens it, less its model.
type Source[T any] interface {
	Preprocessor[T]
	Files() (map[string][]byte, error) // what an exported folder needs to prepare inputs alike
	Config() map[string]any            // the base of an exported config.json
}

// NewBackbone makes a Backbone of what text.Open or vision.Open returned. model has one N×D output, made from the tensor
// called feature; open reads src's Files back, and is text.OpenPreprocessor or vision.OpenPreprocessor.
func NewBackbone[T any, P boundPreprocessor[T]](name string, task Task, model *onnx.Model, feature string, src Source[T], open func(dir string) (P, error)) (*Backbone[T], error) {
	files, err := src.Files()
	if err != nil {
		return nil, fmt.Errorf("finetune: backbone %s: %w", name, err)
	}
	return &Backbone[T]{
		Name: name, Task: task, Model: model, Feature: feature,
		Preprocessor: src, Files: files, Config: src.Config(), Reopen: Reopens[T](open),
	}, nil
}

// A boundPreprocessor is told the model it feeds after it was opened.
type boundPreprocessor[T any] interface {
	Preprocessor[T]
	Bind(m *onnx.Model) error
}

// Reopens makes an Opener of a function that opens a folder's preprocessing without a model.
func Reopens[T any, P boundPreprocessor[T]](open func(dir string) (P, error)) Opener[T] {
	return func(dir string, m *onnx.Model) (Preprocessor[T], error) {
		p, err := open(dir)
		if err != nil {
			return nil, err
		}
		return p, p.Bind(m)
	}
}
