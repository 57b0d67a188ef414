package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx"
)

// modelFiles are where a model folder keeps its graph.
var modelFiles = []string{"model.onnx", "onnx/model.onnx"}

// loadModel reads the graph of a backbone or of an exported folder.
func loadModel(s models.Source) (*onnx.Model, error) {
	if s.FS != nil {
		return onnx.LoadFS(s.FS, modelFiles[0])
	}
	path, err := modelPath(s.Path)
	if err != nil {
		return nil, err
	}
	return onnx.Load(path)
}

// modelPath finds the graph in a folder; a file is its own.
func modelPath(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", &modelError{err}
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range modelFiles {
		file := filepath.Join(path, filepath.FromSlash(name))
		if _, err := os.Stat(file); err == nil {
			return file, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", &modelError{fmt.Errorf("%s is a folder without %s or %s", path, modelFiles[0], modelFiles[1])}
}

// modelError is a model folder that cannot be used.
type modelError struct{ error }

func (e *modelError) Unwrap() error { return e.error }

// sourceTask tells what a backbone reads.
func sourceTask(s models.Source) (models.Task, error) {
	if s.Task != "" {
		return s.Task, nil
	}
	m, err := loadModel(s)
	if err != nil {
		return "", err
	}
	defer m.Close()
	return taskOf(m)
}

// taskOf tells from a graph's inputs what it reads: texts as integer ids in
// N×L, pictures as N×C×H×W (or N×H×W×C).
func taskOf(m *onnx.Model) (models.Task, error) {
	for _, in := range m.Inputs() {
		switch rank := len(in.Shape); {
		case in.Name == "input_ids" || rank == 2 && (in.Type == onnx.Int64 || in.Type == onnx.Int32):
			return models.Text, nil
		case in.Name == "pixel_values" || rank == 4:
			return models.Image, nil
		}
	}
	return "", &modelError{fmt.Errorf("cannot tell whether the model reads texts or pictures: it has neither token ids (N×L integers) nor pictures (N×C×H×W) among its inputs")}
}
