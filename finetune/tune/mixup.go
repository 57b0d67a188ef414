package tune

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/onnx-graft/graft/onnx"
)

// mix replaces each example of a batch by a mean of it and another, and their targets by the same mean (mixup; Zhang et al.,
// arXiv:1710.09412). What is mixed is what the trained part reads: pictures, or what the frozen layers made of them (Verma
// et al., arXiv:1806.05236). Partners and weights depend on the seed and the batch's number alone.
func (t *trainer) mix(feeds onnx.Feeds, rows, number int) error {
	var mixed []*onnx.Tensor
	for _, in := range t.net.backward.Graph.Inputs {
		v := feeds[in.Name]
		if v == nil || v.Type != onnx.Float32 || t.trained(in.Name) {
			continue
		}
		mixed = append(mixed, v)
	}
	if len(mixed) < 2 || t.net.lengths { // the targets are one
		return fmt.Errorf("tune: mixup mixes pictures; what this backbone reads are numbers of tokens")
	}
	r := rand.New(rand.NewPCG(t.s.Seed^0xd1b54a32d192ed03, uint64(number)))
	share, partner := beta(r, t.s.Mixup), r.Perm(rows)
	for _, v := range mixed {
		data, err := onnx.View[float32](v)
		if err != nil {
			return err
		}
		width := len(data) / rows
		out := make([]float32, len(data))
		for i := range rows {
			own, other := data[i*width:(i+1)*width], data[partner[i]*width:(partner[i]+1)*width]
			for j := range own {
				out[i*width+j] = float32(share)*own[j] + float32(1-share)*other[j]
			}
		}
		feeds[v.Name] = onnx.NewTensor(v.Name, out, v.Shape...)
	}
	return nil
}

// trained tells whether an input is one of the weights.
func (t *trainer) trained(name string) bool {
	for _, w := range t.net.weights {
		if w.tensor.Name == name {
			return true
		}
	}
	return false
}

// beta draws from Beta(a, a), a at most 1, as Jöhnk (1964) does.
func beta(r *rand.Rand, a float64) float64 {
	for {
		x, y := math.Pow(r.Float64(), 1/a), math.Pow(r.Float64(), 1/a)
		if s := x + y; s > 0 && s <= 1 {
			return x / s
		}
	}
}
