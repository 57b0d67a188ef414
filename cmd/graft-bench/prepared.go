package main

import (
	"github.com/onnx-graft/graft/finetune/tune"
	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/text"
	"github.com/onnx-graft/graft/vision"
)

// openTraining opens the backbone and the prepared examples.
func openTraining(job training, file func(string) string) (*onnx.Model, tune.Examples, error) {
	if job.Kind == "image" {
		b, err := vision.Open(job.Model, vision.Settings{})
		if err != nil {
			return nil, nil, err
		}
		pixels, shape, err := readNpy[float32](file("pixels"))
		return b.Model, preparedPictures{pixels, shape, b.Model.Graph.Inputs[0].Name}, err
	}
	b, err := text.Open(job.Model, text.Settings{})
	if err != nil {
		return nil, nil, err
	}
	ids, shape, err := readNpy[int64](file("ids"))
	if err != nil {
		return nil, nil, err
	}
	lengths, _, err := readNpy[int64](file("lengths"))
	return b.Model, preparedTexts{ids, lengths, shape[1]}, err
}

// preparedTexts are token ids, N×L, of so many tokens each.
type preparedTexts struct {
	ids, lengths []int64
	width        int
}

func (p preparedTexts) Len() int       { return len(p.lengths) }
func (p preparedTexts) Size(i int) int { return int(p.lengths[i]) }

func (p preparedTexts) Feeds(rows []int) (onnx.Feeds, error) {
	long := 0
	for _, r := range rows {
		long = max(long, int(p.lengths[r]))
	}
	n := len(rows)
	ids, mask, types := make([]int64, n*long), make([]int64, n*long), make([]int64, n*long)
	for i, r := range rows {
		for j := range int(p.lengths[r]) {
			ids[i*long+j], mask[i*long+j] = p.ids[r*p.width+j], 1
		}
	}
	feeds := onnx.Feeds{}
	for name, data := range map[string][]int64{"input_ids": ids, "attention_mask": mask, "token_type_ids": types} {
		feeds[name] = onnx.NewTensor(name, data, int64(n), int64(long))
	}
	return feeds, nil
}

// preparedPictures are pixels as a model takes them, N×3×H×W.
type preparedPictures struct {
	pixels []float32
	shape  []int
	input  string
}

func (p preparedPictures) Len() int       { return p.shape[0] }
func (p preparedPictures) Size(i int) int { return 1 }

func (p preparedPictures) Feeds(rows []int) (onnx.Feeds, error) {
	one := p.shape[1] * p.shape[2] * p.shape[3]
	data := make([]float32, 0, len(rows)*one)
	for _, r := range rows {
		data = append(data, p.pixels[r*one:(r+1)*one]...)
	}
	shape := []int64{int64(len(rows)), int64(p.shape[1]), int64(p.shape[2]), int64(p.shape[3])}
	return onnx.Feeds{p.input: onnx.NewTensor(p.input, data, shape...)}, nil
}
