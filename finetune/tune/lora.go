package tune

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// LoRA trains a product of two narrow matrices beside each matrix of the layers that move, in place of the matrix (Hu et al.,
// arXiv:2106.09685): y = x·W + (Alpha/Rank)·x·A·B, where A is random at first and B zero. Matrices are the weights of MatMul and
// Gemm, and of convolutions of 1×1. The product is added to the weight at the end: the backbone keeps its structure.
type LoRA struct {
	Rank  int     `json:"rank,omitempty"`  // 0: none
	Alpha float64 `json:"alpha,omitempty"` // 0 is twice the rank
}

// An adapter is the two narrow matrices beside one weight.
type adapter struct {
	name  string // of the weight
	shape []int64
	base  []float32
	a, b  *weight // in×rank and rank×out; of a convolution rank×in×1×1 and out×rank×1×1
	rank  int
	scale float64
	kind  matrixKind
}

// A matrixKind is how a node holds a matrix of in×out.
type matrixKind int

const (
	notMatrix  matrixKind = iota
	inByOut               // MatMul, Gemm
	outByIn               // Gemm with transB
	convolving            // out×in×1×1
)

// A reader is a node that reads a weight, and the name under which it does: another than the weight's behind Identity and
// Cast.
type reader struct {
	*onnx.Node
	as string
}

func readersOf(index *onnx.Index, name string) (list []reader) {
	for _, n := range index.Readers(name) {
		if n.Is("Identity", "Cast") {
			list = append(list, readersOf(index, n.Output(0))...)
		} else {
			list = append(list, reader{n, name})
		}
	}
	return list
}

// matrix tells how a node holds a weight of a shape, and the factor it multiplies it by.
func (n reader) matrix(shape []int64) (matrixKind, float64) {
	if n.Input(1) != n.as || n.Input(0) == n.as {
		return notMatrix, 0
	}
	switch {
	case n.Is("MatMul") && len(shape) == 2:
		return inByOut, 1
	case n.Is("Gemm") && n.Int("transA", 0) == 0:
		if n.Int("transB", 0) != 0 {
			return outByIn, float64(n.Float("alpha", 1))
		}
		return inByOut, float64(n.Float("alpha", 1))
	case n.Is("Conv") && len(shape) == 4 && shape[2] == 1 && shape[3] == 1 && n.Int("group", 1) == 1:
		return convolving, 1
	}
	return notMatrix, 0
}

// adapt puts adapters beside the matrices of layers, which are part of m.
func (n *network) adapt(m *onnx.Model, layers []autodiff.Layer, s Settings) error {
	index := onnx.NewIndex(m.Graph)
	n.adapters = []*adapter{}
	for _, l := range layers {
		for _, name := range l.Weights {
			w, readers := index.Weight(name), readersOf(index, name)
			if w == nil || w.Type != onnx.Float32 || len(readers) == 0 {
				continue
			}
			kind, _ := readers[0].matrix(w.Shape)
			if kind == notMatrix || slices.ContainsFunc(readers, func(r reader) bool { k, _ := r.matrix(w.Shape); return k != kind }) {
				continue
			}
			a, err := newAdapter(w, kind, l.Number, s, len(n.adapters))
			if err != nil {
				return err
			}
			if err := a.insert(m, readers); err != nil {
				return err
			}
			n.adapters = append(n.adapters, a)
			n.weights = append(n.weights, a.a, a.b)
		}
	}
	if len(n.adapters) == 0 {
		return errors.New("tune: LoRA: the layers that move have no MatMul, Gemm or 1×1 convolution with a weight of its own; unfreeze more of them, or train without adapters")
	}
	return nil
}

// newAdapter draws A from a normal distribution of deviation 1/√in, so that x·A is as large as x.
func newAdapter(w *onnx.Tensor, kind matrixKind, layer int, s Settings, number int) (*adapter, error) {
	base, err := w.Float32s()
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	in, out := w.Shape[0], w.Shape[1]
	if kind != inByOut {
		in, out = out, in
	}
	rank := min(int64(s.LoRA.Rank), in, out)
	a := &adapter{name: w.Name, shape: w.Shape, base: base, rank: int(rank), scale: s.LoRA.Alpha / float64(s.LoRA.Rank), kind: kind}
	shapeA, shapeB := []int64{in, rank}, []int64{rank, out}
	if kind == convolving {
		shapeA, shapeB = []int64{rank, in, 1, 1}, []int64{out, rank, 1, 1}
	}
	r := rand.New(rand.NewPCG(s.Seed^0xa0761d6478bd642f, uint64(number)))
	first := make([]float32, in*rank)
	for i := range first {
		first[i] = float32(r.NormFloat64() / math.Sqrt(float64(in)))
	}
	a.a = newWeight("lora/"+w.Name+"/A", first, layer, shapeA...)
	a.b = newWeight("lora/"+w.Name+"/B", make([]float32, rank*out), layer, shapeB...)
	return a, nil
}

func newWeight(name string, data []float32, layer int, shape ...int64) *weight {
	return &weight{tensor: onnx.NewTensor(name, data, shape...), data: data, layer: layer, decays: true}
}

// insert adds the adapter's path behind each node that reads the weight: the node's output gets another name, and the sum its
// own.
func (a *adapter) insert(m *onnx.Model, readers []reader) error {
	m.Graph.Initializers = append(m.Graph.Initializers, a.a.tensor, a.b.tensor)
	for _, n := range readers {
		at := slices.Index(m.Graph.Nodes, n.Node)
		after := slices.Clone(m.Graph.Nodes[at+1:])
		m.Graph.Nodes = m.Graph.Nodes[:at+1]
		out := n.Outputs[0]
		n.Outputs[0] = out + "/without_lora"
		b := onnx.NewBuilder(m).Scope("lora/" + out)
		_, alpha := n.matrix(a.shape)
		x, low, high := b.Value(n.Inputs[0]), b.Value(a.a.tensor.Name), b.Value(a.b.tensor.Name)
		var path *onnx.Value
		if a.kind == convolving {
			var place []*onnx.Attribute
			for _, name := range []string{"strides", "pads", "auto_pad"} {
				if attr := n.Attr(name); attr != nil {
					place = append(place, attr)
				}
			}
			path = b.Conv(b.Conv(x, low, nil, place...), high, nil)
		} else {
			path = b.MatMul(b.MatMul(x, low), high)
		}
		sum := b.Add(b.Value(n.Outputs[0]), b.Mul(path, b.Float(float32(a.scale*alpha))))
		if err := b.Err(); err != nil {
			return fmt.Errorf("tune: LoRA of %q: %w", a.name, err)
		}
		m.Graph.Nodes[len(m.Graph.Nodes)-1].Outputs[0] = out
		sum.Name = out
		m.Graph.Nodes = append(m.Graph.Nodes, after...)
	}
	return nil
}

// merged returns the weight with the product added.
func (a *adapter) merged() *onnx.Tensor {
	in, out := int(a.shape[0]), int(a.shape[1])
	if a.kind != inByOut {
		in, out = out, in
	}
	data := slices.Clone(a.base)
	row := make([]float64, out)
	for i := range in {
		clear(row)
		for k := range a.rank {
			low, high, step := 0.0, k*out, 1
			if a.kind == convolving {
				low, high, step = float64(a.a.data[k*in+i]), k, a.rank
			} else {
				low = float64(a.a.data[i*a.rank+k])
			}
			for j := range row {
				row[j] += low * float64(a.b.data[high+j*step])
			}
		}
		for j, v := range row {
			at := i*out + j
			if a.kind != inByOut {
				at = j*in + i
			}
			data[at] = float32(float64(data[at]) + a.scale*v)
		}
	}
	return onnx.NewTensor(a.name, data, a.shape...)
}
