// Package finetune teaches a frozen backbone a task: it extracts features, fits a head on them, judges it, and writes one
// ONNX model that is proved to answer as the one that was judged.
//
// It knows nothing of pixels or words: a [Preprocessor] turns inputs into tensors. [Run] does the whole way; [Extract],
// [Probe], [Evaluate] and [Export] are its steps.
package finetune

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// A Preprocessor turns inputs into what a backbone's graph takes. It is safe for concurrent use.
type Preprocessor[T any] interface {
	// Feeds returns the graph's inputs for a batch: tensors whose first dimension is len(batch). What it returns is the
	// caller's; what an input contributes depends on nothing but the input and, for texts, the longest of the batch.
	Feeds(batch []T) (onnx.Feeds, error)
	// Content returns the bytes that identify an input: equal bytes give equal tensors.
	Content(x T) ([]byte, error)
	// Fingerprint identifies the preprocessing: equal strings and equal contents give equal tensors.
	Fingerprint() string
}

// A Sizer is a [Preprocessor] whose inputs cost different amounts: texts. Batches are made of inputs of one size, so
// nothing is padded.
type Sizer[T any] interface {
	Size(x T) int // tokens
}

// A Worded is a [Preprocessor] of inputs made of words, whose backbone gives a row for each token of an input.
type Worded[T any] interface {
	// FirstTokens returns, for each of the words of x, ranges of its bytes in order, the number of its first token; -1
	// where it has none.
	FirstTokens(x T, words [][2]int) ([]int, error)
	// Words returns the words of x.
	Words(x T) [][2]int
}

// A Recycler is a [Preprocessor] that takes back what Feeds returned, to use the memory again.
type Recycler interface {
	Recycle(feeds onnx.Feeds)
}

// A Task is what a model is for, in the names of the Hugging Face hub's pipelines.
type Task string

const (
	TextClassification  Task = "text-classification" // numbers and several labels too, as the hub has it
	TokenClassification Task = "token-classification"
	ImageClassification Task = "image-classification"
)

// A Backbone is a pretrained model that has been made to give features, and how to feed it.
type Backbone[T any] struct {
	Name         string              // for people
	Task         Task                // what a classifier on it is for
	Model        *onnx.Model         // exactly one output, N×D float32, or N×L×D for token classification; only read
	Feature      string              // the tensor of the original model the features were made from
	Options      onnx.FeatureOptions // how rows were made of it
	Preprocessor Preprocessor[T]
	Files        map[string][]byte // what an exported folder needs beside the model: tokenizer, preprocessing
	Config       map[string]any    // what config.json should keep of the backbone's: model_type, hidden_size, …
	Reopen       Opener[T]         // reads Files back from an exported folder

	// View returns random view n of an input, n from 1 on: the input as it might have been, drawn by n and by what the
	// Preprocessor was opened with. Nil where inputs have no views.
	View func(x T, n int) T
}

// An Opener reads the preprocessing of an exported folder, to feed the model that lies there.
type Opener[T any] func(dir string, m *onnx.Model) (Preprocessor[T], error)

// output returns the one output of the backbone's graph, and D, 0 where the graph does not say.
func (b *Backbone[T]) output() (name string, cols int, err error) {
	if b.Model == nil || b.Model.Graph == nil || b.Preprocessor == nil {
		return "", 0, fmt.Errorf("finetune: backbone %s has no model or no preprocessor", b.Name)
	}
	out := b.Model.Graph.Outputs
	if len(out) != 1 {
		return "", 0, fmt.Errorf("finetune: backbone %s has %d outputs, want one, N×D", b.Name, len(out))
	}
	v := out[0]
	if v.Type != onnx.Float32 && v.Type != onnx.Undefined {
		return "", 0, fmt.Errorf("finetune: backbone %s: output %s is %v, want float32", b.Name, v.Name, v.Type)
	}
	if v.Shape != nil && len(v.Shape) != 2 {
		return "", 0, fmt.Errorf("finetune: backbone %s: output %s has %d dimensions, want N×D", b.Name, v.Name, len(v.Shape))
	}
	if len(v.Shape) == 2 && v.Shape[1].Known {
		cols = int(v.Shape[1].Size)
	}
	return v.Name, cols, nil
}

// modelDigest returns the SHA-256 of a model's bytes, as they would be saved.
func modelDigest(m *onnx.Model) (string, error) {
	h := sha256.New()
	if _, err := m.WriteTo(h); err != nil {
		return "", fmt.Errorf("finetune: digest of the model: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// mixesRows tells whether a row of the graph's answer depends on the other rows of the batch: dynamic quantisation takes
// its scale from the whole batch. Such graphs are run one example at a time, as they are in use.
func mixesRows(m *onnx.Model) bool {
	for _, n := range m.Graph.Nodes {
		if n.OpType == "DynamicQuantizeLinear" {
			return true
		}
	}
	return false
}
