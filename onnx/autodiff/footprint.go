package autodiff

import "github.com/onnx-graft/graft/onnx"

// An Extent is the size of a batch: rows, and tokens of each, 1 where there are none.
type Extent struct{ Rows, Tokens int64 }

// transients is how many tensors of the size of the largest a backward pass holds at a time beside what it was handed.
const transients = 3

// Footprint estimates the bytes that one run of a gradient graph takes for a batch, beside weights and gradients: what
// its backward pass reads of the forward pass, which is kept until then, and a few tensors in between. forward is the graph
// that [Gradient] made gradient of, and s was measured on it with batches of the extents small and large.
func Footprint(forward, gradient *onnx.Model, s *Shapes, small, large, batch Extent) int64 {
	made, own := map[string]bool{}, map[*onnx.Node]bool{}
	for _, n := range forward.Graph.Nodes {
		for _, out := range n.Outputs {
			made[out] = true
		}
	}
	index := onnx.NewIndex(gradient.Graph)
	for _, n := range gradient.Graph.Nodes {
		own[n] = !made[n.Output(0)]
	}
	var kept, largest int64
	seen := map[string]bool{}
	for _, n := range gradient.Graph.Nodes {
		for _, in := range n.Inputs {
			name := viewed(index, in)
			if !own[n] || !made[name] || seen[name] || n.Is("Shape", "Size") {
				continue
			}
			seen[name] = true
			size := 4 * s.dims[name].at(small, large, batch)
			kept, largest = kept+size, max(largest, size)
		}
	}
	return kept + transients*largest
}

// viewed returns the tensor that holds the elements of another: nodes that change a shape alone copy nothing.
func viewed(index *onnx.Index, name string) string {
	for n := index.Producer(name); n != nil && n.Is("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"); n = index.Producer(name) {
		name = n.Input(0)
	}
	return name
}

// at returns the number of elements in a batch of another size.
func (d dims) at(small, large, batch Extent) int64 {
	n := int64(1)
	for _, x := range d {
		n *= x.at(small, large, batch)
	}
	return n
}

// at finds whether a dimension goes with the rows, the tokens, or both, and returns what it is in the batch.
func (x dim) at(small, large, batch Extent) int64 {
	for _, power := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		unit := dim{1, 1}
		each := int64(1)
		if power[0] {
			unit, each = dim{unit[0] * small.Rows, unit[1] * large.Rows}, each*batch.Rows
		}
		if power[1] {
			unit, each = dim{unit[0] * small.Tokens, unit[1] * large.Tokens}, each*batch.Tokens
		}
		if unit[0] > 0 && unit[1] > 0 && x[0]%unit[0] == 0 && x[1]%unit[1] == 0 && x[0]/unit[0] == x[1]/unit[1] {
			return x[0] / unit[0] * each
		}
	}
	return max(x[0], x[1]) * max(1, batch.Rows/max(1, large.Rows))
}
