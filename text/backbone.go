package text

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/onnx-graft/graft/onnx"
)

// A Backbone is a text model whose graph gives one row of features for each text.
type Backbone struct {
	*Preprocessor
	Model   *onnx.Model         // takes what Feeds makes; its one output is N×D float32, "features"
	Dim     int                 // D; 0 where the graph does not tell
	Pooling onnx.Pooling        // how tokens became one row
	Feature onnx.Feature        // which tensor was pooled
	Options onnx.FeatureOptions // how it was

	config map[string]any
}

// Settings say how a folder becomes a Backbone. The zero value does what the folder says.
type Settings struct {
	Pooling   onnx.Pooling // default: of modules.json, else the mean
	MaxLength int          // most tokens of a text, special ones included; default: as the folder says
	Feature   string       // the tensor to pool; default: the last hidden state, or the best the graph offers
	Normalize *bool        // divide each row by its Euclidean norm; default: as modules.json says, else not
}

// Open reads a backbone from a Hugging Face folder, its model at model.onnx or onnx/model.onnx, or from a bare .onnx file
// with the tokenizer's files beside it or in the folder above.
func Open(name string, s Settings) (*Backbone, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	dir, file := name, ""
	if !info.IsDir() {
		dir, file = filepath.Dir(name), filepath.Base(name)
	}
	load := func(file string) (*onnx.Model, error) { return onnx.Load(filepath.Join(dir, filepath.FromSlash(file))) }
	tokenizerDir := dir
	if file != "" && !hasTokenizer(os.DirFS(dir)) && hasTokenizer(os.DirFS(filepath.Dir(dir))) {
		tokenizerDir = filepath.Dir(dir)
	}
	return open(os.DirFS(dir), file, os.DirFS(tokenizerDir), load, s)
}

// OpenFS is [Open] for a folder given as a file system.
func OpenFS(fsys fs.FS, s Settings) (*Backbone, error) {
	load := func(file string) (*onnx.Model, error) { return onnx.LoadFS(fsys, file) }
	return open(fsys, "", fsys, load, s)
}

func hasTokenizer(fsys fs.FS) bool {
	for _, name := range tokenizerFiles {
		if _, err := fs.Stat(fsys, name); err == nil {
			return true
		}
	}
	return false
}

// modelFiles are where a folder's model may be, the first that is there.
var modelFiles = []string{"model.onnx", "onnx/model.onnx"}

func open(models fs.FS, file string, fsys fs.FS, load func(string) (*onnx.Model, error), s Settings) (*Backbone, error) {
	if file == "" {
		for _, name := range modelFiles {
			if _, err := fs.Stat(models, name); err == nil {
				file = name
				break
			}
		}
	}
	if file == "" {
		return nil, fmt.Errorf("text: no model: neither of %s is there: %w", strings.Join(modelFiles, ", "), fs.ErrNotExist)
	}
	p, err := OpenPreprocessorFS(fsys)
	if err != nil {
		return nil, err
	}
	m, err := load(file)
	if err != nil {
		return nil, fmt.Errorf("text: %w", err)
	}
	b := &Backbone{Preprocessor: p, Model: m, config: p.folder.config}
	if err := b.prepare(s); err != nil {
		return nil, errors.Join(fmt.Errorf("text: %s: %w", path.Base(file), err), m.Close())
	}
	return b, nil
}

// prepare makes the graph give features and settles lengths.
func (b *Backbone) prepare(s Settings) error {
	p, err := b.folder.pooling()
	if err != nil && s.Pooling == "" {
		return err
	}
	if s.Pooling != "" {
		p.mode = s.Pooling
	}
	if s.Normalize != nil {
		p.normalize = *s.Normalize
	}
	b.settleLength(s)
	if b.Feature, err = choose(b.Model, s.Feature, p.mode); err != nil {
		return err
	}
	o := onnx.FeatureOptions{Pooling: p.mode, Normalize: p.normalize, Name: "features"}
	if o.Pooling == "" {
		o.Pooling = onnx.PoolMean
	}
	if b.Feature.Rank == 3 {
		o.Mask = maskName(b.Model)
	}
	b.Pooling, b.Options = o.Pooling, o
	v, err := onnx.MakeBackbone(b.Model, b.Feature, o)
	if err != nil {
		return err
	}
	if n := len(v.Shape); n > 0 && v.Shape[n-1].Known {
		b.Dim = int(v.Shape[n-1].Size)
	}
	return b.Bind(b.Model)
}

// settleLength applies the settings, and where the folder says nothing what the graph shows.
func (b *Backbone) settleLength(s Settings) {
	if b.Tokenizer.MaxLength == 0 {
		if n := tablePositions(b.Model); n > 0 {
			b.MaxLength = min(b.MaxLength, n)
		}
	}
	if s.MaxLength > 0 {
		b.MaxLength = s.MaxLength
	}
	b.Tokenizer.MaxLength = b.MaxLength
}

// tablePositions returns the size of the graph's table of position embeddings, 0 where none is found.
func tablePositions(m *onnx.Model) int {
	for _, t := range m.Graph.Initializers {
		name := strings.ToLower(t.Name)
		if len(t.Shape) == 2 && (strings.Contains(name, "position_embedding") || strings.Contains(name, "wpe.weight")) &&
			t.Shape[0] > 0 && t.Shape[0] <= maxPadding {
			return int(t.Shape[0])
		}
	}
	return 0
}

// choose returns the tensor to make features of: the named one; where a pooling is asked for, the best with a row for each
// token; otherwise an output that is a last hidden state, or the best there is.
func choose(m *onnx.Model, tensor string, pooling onnx.Pooling) (onnx.Feature, error) {
	found := onnx.Features(m)
	if tensor != "" {
		for _, f := range found {
			if f.Tensor == tensor {
				return f, nil
			}
		}
		return onnx.Feature{Tensor: tensor, Kind: onnx.Output, Rank: 3}, nil
	}
	if len(found) == 0 {
		return onnx.Feature{}, errors.New("no tensor of the graph looks like features; name one")
	}
	outputs := map[string]bool{}
	for _, v := range m.Graph.Outputs {
		outputs[v.Name] = true
	}
	for _, f := range found {
		if f.Rank == 3 && f.Kind == onnx.LastHiddenState && (outputs[f.Tensor] || pooling != "") {
			return f, nil
		}
	}
	for _, f := range found {
		if f.Rank == 3 && pooling != "" && pooling != onnx.PoolNone {
			return f, nil
		}
	}
	return found[0], nil
}

// maskName returns the name of the graph's attention mask; pooling adds an input of the usual name where it has none.
func maskName(m *onnx.Model) string {
	for _, v := range m.Graph.Inputs {
		if r, ok := roles[strings.ToLower(v.Name)]; ok && r == attentionMask {
			return v.Name
		}
	}
	return "attention_mask"
}
