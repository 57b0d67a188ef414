package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// prepare writes the examples of a training as arrays, with a head to start from. Texts have about so many tokens; 0 leaves
// them as they are, of different lengths.
func (b *bench) prepare(l lesson, dir string, examples, batch, tokens int) (training, error) {
	job := training{
		Kind: "text", Model: b.asset("text-models", "minilm-l6"), Folder: dir, Unfreeze: l.unfreeze, Trainable: l.trainable, Rank: l.rank,
		Batch: batch, Rate: 5e-5, HeadScale: 10, Decay: 0.01, Clip: 1, Threads: b.threads, OnnxRuntime: b.rt.Path(),
	}
	var err error
	classes, features, deviation := 2, 384, 1.0
	if l.picture {
		job.Kind, job.Model = "image", b.resnetFile()
		classes, features, deviation = 5, 256, 0.1
		err = b.preparePictures(dir, examples)
	} else {
		err = b.prepareTexts(dir, job.Model, examples, tokens)
	}
	if err != nil {
		return job, err
	}
	if job.Model, err = filepath.Abs(job.Model); err != nil {
		return job, err
	}
	r := rand.New(rand.NewPCG(2, 2))
	weight := make([]float32, classes*features)
	for i := range weight {
		weight[i] = float32(deviation * r.NormFloat64())
	}
	if err := writeNpy(filepath.Join(dir, "weight.npy"), weight, classes, features); err != nil {
		return job, err
	}
	return job, writeNpy(filepath.Join(dir, "bias.npy"), make([]float32, classes), classes)
}

// prepareTexts writes tokenised sentences of sst2, several in one text where that is needed for the number of tokens.
func (b *bench) prepareTexts(dir, folder string, examples, tokens int) error {
	rows, err := b.lines("sst2/train")
	if err != nil {
		return err
	}
	backbone, err := text.Open(folder, text.Settings{MaxLength: max(tokens, 0)})
	if err != nil {
		return err
	}
	defer backbone.Model.Close()
	var all [][]int64
	var classes, lengths []int64
	width := 0
	for len(all) < examples && len(rows) > 0 {
		said, class := rows[0].text, rows[0].label
		for rows = rows[1:]; backbone.Size(said) < tokens && len(rows) > 0; rows = rows[1:] {
			said += " " + rows[0].text
		}
		ids, err := backbone.Tokenizer.AppendIDs(nil, said, backbone.MaxLength)
		if err != nil {
			return err
		}
		all, lengths, width = append(all, ids), append(lengths, int64(len(ids))), max(width, len(ids))
		classes = append(classes, int64(len(strings.TrimPrefix(class, "0")))) // 0 or 1
	}
	if len(all) < examples {
		return fmt.Errorf("%d texts, want %d", len(all), examples)
	}
	padded := make([]int64, len(all)*width)
	for i, ids := range all {
		copy(padded[i*width:], ids)
	}
	if err := writeNpy(filepath.Join(dir, "ids.npy"), padded, len(all), width); err != nil {
		return err
	}
	if err := writeNpy(filepath.Join(dir, "lengths.npy"), lengths, len(all)); err != nil {
		return err
	}
	return writeNpy(filepath.Join(dir, "classes.npy"), classes, len(all))
}

// preparePictures writes prepared pictures of flowers.
func (b *bench) preparePictures(dir string, examples int) error {
	files, err := b.pictures("flowers")
	if err != nil {
		return err
	}
	files = sample(files, examples)
	backbone, err := vision.Open(b.resnetFile(), vision.Settings{})
	if err != nil {
		return err
	}
	defer backbone.Model.Close()
	number := map[string]int64{}
	var pixels []float32
	classes := make([]int64, len(files))
	var shape []int64
	for i, f := range files {
		name := filepath.Base(filepath.Dir(f))
		if _, ok := number[name]; !ok {
			number[name] = int64(len(number))
		}
		classes[i] = number[name]
		feeds, err := backbone.Feeds([]vision.Picture{{Path: f}})
		if err != nil {
			return err
		}
		for _, t := range feeds {
			data, err := t.Float32s()
			if err != nil {
				return err
			}
			pixels, shape = append(pixels, data...), t.Shape
		}
	}
	if err := writeNpy(filepath.Join(dir, "pixels.npy"), pixels, len(files), int(shape[1]), int(shape[2]), int(shape[3])); err != nil {
		return err
	}
	return writeNpy(filepath.Join(dir, "classes.npy"), classes, len(files))
}
