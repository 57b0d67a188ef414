// Package dataset reads labelled examples, texts from tables and pictures from folders, and splits them into rows to
// learn from and rows to judge by. It knows nothing of models.
package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// A Kind says what the examples of a data set are.
type Kind string

const (
	Texts  Kind = "texts"  // inputs are the texts themselves
	Images Kind = "images" // inputs are paths of picture files
)

// An Example is one labelled input, or pair of inputs.
type Example[T any] struct {
	ID     string   // where it came from, unique: "train.tsv:17", "train/ants/0013035.jpg"
	Input  T        // the text, or whatever leads to the picture
	Second T        // the other text, where Split.Pairs
	Label  string   // its class, one of Split.Labels; for other targets what people would write for it
	Labels []string // of Labels: those it has, of Split.Labels, in their order; may be empty
	Value  float64  // of Values: finite
	Words  []Word   // of Tags: in order, none empty, without overlap
	Digest [32]byte // SHA-256 of the content: of the text or texts, or of the picture file's bytes
}

// A Word is a part of a text that carries a tag.
type Word struct {
	Start, End int    // bytes of the text
	Tag        string // one of Split.Labels
}

// A Split is a data set divided into rows to learn from, to choose by, and to judge by. Rows are in the data's order.
type Split[T any] struct {
	Name       string // of the file or folder read
	Kind       Kind
	Target     Target
	Pairs      bool     // examples are pairs of inputs
	Labels     []string // the classes, labels or tags, in the order of a model's outputs; for Values one name, the column's
	Train      []Example[T]
	Validation []Example[T] // may be empty
	Test       []Example[T]
	Report     Report
}

// A Report tells what was noticed and done while reading.
type Report struct {
	Duplicates int      `json:"duplicates"` // training and validation rows whose content is also in a split they must not touch
	Dropped    int      `json:"dropped"`    // rows left out: duplicates, and with Lenient the unusable ones
	Repeated   int      `json:"repeated"`   // training rows whose content occurred before in train; they stay
	Conflicts  int      `json:"conflicts"`  // contents that carry more than one label
	Ignored    int      `json:"ignored"`    // files in an image folder that are not pictures by their name
	Notes      []string `json:"notes"`      // one sentence each, for people
}

// Map returns s with every input replaced by f's answer.
func Map[A, B any](s Split[A], f func(Example[A]) B) Split[B] {
	return Split[B]{
		Name: s.Name, Kind: s.Kind, Target: s.Target, Pairs: s.Pairs, Labels: s.Labels, Report: s.Report,
		Train: MapExamples(s.Train, f), Validation: MapExamples(s.Validation, f), Test: MapExamples(s.Test, f),
	}
}

// MapExamples returns the examples with every input replaced by f's answer. It is not for pairs: the result has no Second.
func MapExamples[A, B any](in []Example[A], f func(Example[A]) B) []Example[B] {
	if in == nil {
		return nil
	}
	out := make([]Example[B], len(in))
	for i, e := range in {
		out[i] = Example[B]{ID: e.ID, Input: f(e), Label: e.Label, Labels: e.Labels, Value: e.Value, Words: e.Words, Digest: e.Digest}
	}
	return out
}

// Inputs returns the inputs of examples, in order.
func Inputs[T any](examples []Example[T]) []T {
	out := make([]T, len(examples))
	for i, e := range examples {
		out[i] = e.Input
	}
	return out
}

// Digest identifies examples by content, order, and what they should be answered with, whatever their files are called, in
// hexadecimal.
func Digest[T any](examples []Example[T]) string {
	h := sha256.New()
	number := func(n uint64) { h.Write(binary.LittleEndian.AppendUint64(nil, n)) }
	text := func(s string) {
		number(uint64(len(s)))
		h.Write([]byte(s))
	}
	for _, e := range examples {
		h.Write(e.Digest[:])
		text(e.Label)
		if e.Value != 0 {
			number(math.Float64bits(e.Value))
		}
		for _, l := range e.Labels {
			text(l)
		}
		for _, w := range e.Words {
			number(uint64(w.Start))
			number(uint64(w.End))
			text(w.Tag)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
