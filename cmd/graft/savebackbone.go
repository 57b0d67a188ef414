package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onnx-graft/graft/finetune"
	"github.com/onnx-graft/graft/models"
	"github.com/onnx-graft/graft/onnx"
)

// saveBackbone writes the trained backbone alone, where that was asked.
func (j *job) saveBackbone(source models.Source, r *finetune.Result, open func(models.Source) (*onnx.Model, error)) error {
	if j.tune.saveBackbone == "" {
		return nil
	}
	original, err := loadModel(source)
	if err != nil {
		return err
	}
	defer original.Close()
	from, file, err := sourceFolder(source)
	if err != nil {
		return err
	}
	return finetune.SaveBackbone(j.tune.saveBackbone, r.Tuned, original, from, file, func(dir string) (*onnx.Model, error) {
		return open(models.Source{Name: source.Name, Path: dir, Task: source.Task})
	})
}

// sourceFolder returns the folder of a backbone, and where its graph is in it.
func sourceFolder(s models.Source) (fs.FS, string, error) {
	if s.FS != nil {
		return s.FS, modelFiles[0], nil
	}
	path, err := modelPath(s.Path)
	if err != nil {
		return nil, "", err
	}
	if path == s.Path { // a bare file: what lies beside it is its folder
		return os.DirFS(filepath.Dir(path)), modelFiles[0], nil
	}
	file, err := filepath.Rel(s.Path, path)
	return os.DirFS(s.Path), filepath.ToSlash(file), err
}
