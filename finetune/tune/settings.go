package tune

import (
	"fmt"

	"github.com/onnx-graft/graft/finetune/optim"
)

// Settings say how the weights move. The zero value is the recipe of [Run]'s documentation.
type Settings struct {
	Unfreeze     Unfreeze       `json:"-"`             // what moves; the zero value: all
	LoRA         LoRA           `json:"lora,omitzero"` // low-rank adapters in place of the weights themselves
	Epochs       int            `json:"epochs"`        // 0 is 6 below 2,000 training examples, else 3
	BatchSize    int            `json:"batch_size"`    // 0 is 16 below 2,000 training examples, else 32
	Accumulate   int            `json:"accumulate"`    // batches a step; 0 is 1
	Optimizer    optim.Kind     `json:"optimizer"`     // "" is AdamW
	LearningRate float64        `json:"learning_rate"` // of the backbone at its peak; 0 is 1e-4, or 1e-3 of adapters
	FindRate     bool           `json:"find_rate"`     // LearningRate comes from a range test
	HeadScale    float64        `json:"head_scale"`    // times as fast for the head; 0 is 10, or 1 beside adapters
	LayerDecay   float64        `json:"layer_decay"`   // rate of a layer relative to the one above; 0 is 1
	WeightDecay  float64        `json:"weight_decay"`  // on matrices; 0 is 0.01, negative none
	Warmup       float64        `json:"warmup"`        // part of all steps; 0 is 0.1, negative none
	Schedule     optim.Schedule `json:"schedule"`      // "" is linear
	Clip         float64        `json:"clip"`          // limit of the gradient's global norm; 0 is 1, negative none
	Dropout      float64        `json:"dropout"`       // of the features; 0 is 0.1, negative none
	Smoothing    float64        `json:"smoothing"`     // part of each target spread over all classes; for [Problem.Targets] to apply
	Mixup        float64        `json:"mixup"`         // α of Beta(α, α), 0 to 1, by which pairs of examples are mixed; 0 is none
	Average      float64        `json:"average"`       // decay of a running mean of the weights, which is what is judged and kept; 0 is none
	Views        int            `json:"views"`         // of each example in turn, when what frozen layers make of them is kept; 0, or no frozen layers: a new one each epoch
	Augmented    string         `json:"augmented"`     // what [Problem.View] changes, for the record
	Seed         uint64         `json:"seed"`
	Patience     int            `json:"patience"` // epochs without a better score before stopping; 0 never stops early

	Memory      int64       `json:"-"` // bytes training may take, else it is a [MemoryError]; 0 is what the system has free, negative no limit
	Checkpoints Checkpoints `json:"-"`
	Progress    func(Step)  `json:"-"` // called after each step; nil is silence
}

// SmallData is the number of training examples below which the recipe makes more passes, in smaller batches.
const SmallData = 2000

func (s Settings) withDefaults(train int) Settings {
	set := func(v *float64, def float64) {
		if *v == 0 {
			*v = def
		}
		*v = max(*v, 0)
	}
	if s.Epochs == 0 {
		s.Epochs = 3
		if train < SmallData {
			s.Epochs = 6
		}
	}
	if s.BatchSize == 0 {
		s.BatchSize = 32
		if train < SmallData {
			s.BatchSize = 16
		}
	}
	s.Accumulate = max(s.Accumulate, 1)
	if s.Optimizer == "" {
		s.Optimizer = optim.KindAdamW
	}
	if s.Schedule == "" {
		s.Schedule = optim.Linear
	}
	rate, head := 1e-4, 10.0
	if s.LoRA.Rank > 0 {
		rate, head = 1e-3, 1
		set(&s.LoRA.Alpha, 2*float64(s.LoRA.Rank))
	}
	if s.FindRate {
		s.LearningRate = 0
	} else {
		set(&s.LearningRate, rate)
	}
	set(&s.HeadScale, head)
	set(&s.LayerDecay, 1)
	set(&s.WeightDecay, 0.01)
	set(&s.Warmup, 0.1)
	set(&s.Clip, 1)
	set(&s.Dropout, 0.1)
	return s
}

// check refuses settings out of range.
func (s Settings) check(p *Problem) error {
	for _, c := range []struct {
		name     string
		value    float64
		low, top float64 // top is not allowed itself
		want     string
	}{
		{"epochs", float64(s.Epochs), 1, 1e9, "1 or more"},
		{"batch size", float64(s.BatchSize), 1, 1e9, "1 or more"},
		{"dropout", s.Dropout, 0, 1, "below 1"},
		{"warm-up", s.Warmup, 0, 1.0000001, "at most 1"},
		{"label smoothing", s.Smoothing, 0, 1, "from 0 to below 1"},
		{"mixup", s.Mixup, 0, 1.0000001, "from 0 to 1"},
		{"weight averaging", s.Average, 0, 1, "from 0 to below 1"},
		{"LoRA's rank", float64(s.LoRA.Rank), 0, 1e6, "0 or more"},
		{"views", float64(s.Views), 0, 1e9, "0 or more"},
	} {
		if !(c.value >= c.low && c.value < c.top) {
			return fmt.Errorf("tune: %s is %g, want %s", c.name, c.value, c.want)
		}
	}
	if s.LoRA.Rank > 0 && s.Unfreeze.Kind != "" {
		return fmt.Errorf("tune: LoRA adapts the matrices of whole layers: unfreeze all, top:N or from:LAYER, not %s", s.Unfreeze)
	}
	if s.Views > 0 && p.View == nil {
		return fmt.Errorf("tune: %d views of each example, but nothing makes views of them", s.Views)
	}
	return p.checkReading(s)
}
