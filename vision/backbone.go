package vision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// A Backbone is a pretrained image model made ready for features: its graph has one N×D output, "features", and the
// Preprocessor makes what it takes.
type Backbone struct {
	*Preprocessor
	Model   *onnx.Model
	Feature onnx.Feature        // the tensor that became the output
	Options onnx.FeatureOptions // how it did
	Dim     int64               // D; 0: not known before the model runs

	config map[string]any
}

// modelFiles are where a folder keeps its model, in the order in which they are looked for.
var modelFiles = []string{"model.onnx", "onnx/model.onnx"}

// Open reads a backbone: a folder that holds model.onnx or onnx/model.onnx, or an .onnx file, with
// preprocessor_config.json (or a timm config.json) beside it where there is one. See [Defaults] for models that come alone.
func Open(name string, s Settings) (*Backbone, error) {
	file := name
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("vision: open: %w", err)
	case info.IsDir():
		if file, err = modelIn(os.DirFS(name)); err != nil {
			return nil, fmt.Errorf("vision: %s: %w", name, err)
		}
		file = filepath.Join(name, filepath.FromSlash(file))
	default:
		name = sidecars(filepath.Dir(file))
	}
	m, err := onnx.Load(file)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	b, err := open(os.DirFS(name), m, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, errors.Join(err, m.Close()))
	}
	return b, nil
}

// sidecars is the folder of the files that go with a model in dir: its parent's where dir is a folder called onnx.
func sidecars(dir string) string {
	if filepath.Base(dir) != "onnx" {
		return dir
	}
	if _, err := os.Stat(filepath.Join(dir, preprocessorFile)); err == nil {
		return dir
	}
	return filepath.Dir(dir)
}

// OpenFS reads a backbone's folder from a file system, such as one embedded in the program.
func OpenFS(fsys fs.FS, s Settings) (*Backbone, error) {
	file, err := modelIn(fsys)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	m, err := onnx.LoadFS(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	return open(fsys, m, s)
}

func modelIn(fsys fs.FS) (string, error) {
	for _, name := range modelFiles {
		if info, err := fs.Stat(fsys, name); err == nil && !info.IsDir() {
			return name, nil
		}
	}
	return "", fmt.Errorf("no %s in the folder: %w", strings.Join(modelFiles, " and no "), fs.ErrNotExist)
}

// open makes a Backbone of m with the files of fsys.
func open(fsys fs.FS, m *onnx.Model, s Settings) (*Backbone, error) {
	config, err := readConfig(fsys)
	if err != nil {
		return nil, err
	}
	in, err := imageInput(m)
	if err != nil {
		return nil, err
	}
	t, err := resolve(fsys, in, s)
	if err != nil {
		return nil, err
	}
	b := &Backbone{Preprocessor: newPreprocessor(t, &s), Model: m, config: config}
	if err := b.Bind(m); err != nil {
		return nil, err
	}
	return b, b.operate(s)
}

// operate makes the model's graph a backbone's.
func (b *Backbone) operate(s Settings) error {
	b.Feature = onnx.Feature{Tensor: s.Feature}
	for i, f := range onnx.Features(b.Model) {
		if f.Tensor == s.Feature || s.Feature == "" && i == 0 {
			b.Feature = f
		}
	}
	o := onnx.FeatureOptions{Pooling: s.Pooling, Normalize: s.Normalize}
	if o.Pooling == "" {
		o.Pooling = onnx.PoolCLS
	}
	if _, err := onnx.MakeBackbone(b.Model, b.Feature, o); err != nil {
		return fmt.Errorf("vision: %w", err)
	}
	b.Dim, b.Options = b.Feature.Dim, o
	return nil
}

// Config returns the base of an exported model's config.json: the source folder's, without what belonged to its own
// classifier.
func (b *Backbone) Config() map[string]any {
	c := maps.Clone(b.config)
	for _, key := range []string{"id2label", "label2id", "num_labels", "num_classes", "label_names", "problem_type", "architectures"} {
		delete(c, key)
	}
	return c
}

// OpenPreprocessor reads the preprocessing of a model folder, without its model: Bind it to the graph it shall feed.
func OpenPreprocessor(dir string) (*Preprocessor, error) {
	fsys := os.DirFS(dir)
	t, ok, err := foundTransform(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("vision: %s: no %s: %w", dir, preprocessorFile, fs.ErrNotExist)
	}
	return newPreprocessor(t, &Settings{}), nil
}

// resolve finds what is to be done to pictures for a graph's input.
func resolve(fsys fs.FS, in Input, s Settings) (Transform, error) {
	t, ok, err := foundTransform(fsys)
	if err != nil {
		return t, err
	}
	if !ok {
		w, h := in.Width, in.Height
		switch {
		case s.InputSize > 0:
			w, h = s.InputSize, s.InputSize
		case w == 0 && h == 0:
			w, h = 224, 224
		case w == 0:
			w = h
		case h == 0:
			h = w
		}
		t = Defaults(w, h)
		if s.InputSize > 0 && s.CropPct == 0 && s.Resize == "" {
			s.InputSize = 0 // said already
		}
	}
	return t, s.apply(&t)
}

// foundTransform reads the preprocessing that a folder states, false where it states none.
func foundTransform(fsys fs.FS) (Transform, bool, error) {
	b, err := fs.ReadFile(fsys, preprocessorFile)
	if err == nil {
		t, err := parseConfig(b)
		return t, true, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Transform{}, false, fmt.Errorf("vision: %w", err)
	}
	c, err := readConfig(fsys)
	if err != nil {
		return Transform{}, false, err
	}
	return timmTransform(c)
}

// readConfig reads a folder's config.json, {} where there is none.
func readConfig(fsys fs.FS) (map[string]any, error) {
	const name = "config.json"
	c := map[string]any{}
	b, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("vision: %w", err)
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&c); err != nil {
		return nil, fmt.Errorf("vision: %s: %w", path.Base(name), err)
	}
	return c, nil
}
