package rewrite

import (
	"github.com/onnx-graft/graft/onnx"
)

// dropKeyBias removes the bias of an attention's keys. With k' = k + b, each score q·k' of a query is q·k plus the same
// q·b for every key, and softmax does not change when a number is added to all of a row.
func dropKeyBias(m *onnx.Model) (int, error) {
	g := newGraph(m)
	found := 0
	for _, softmax := range m.Graph.Nodes {
		scores := g.scores(softmax)
		if scores == nil {
			continue
		}
		keys := g.projection(scores.Input(1))
		if keys == nil {
			continue
		}
		reader := g.only(keys.add.Output(0))
		reader.Inputs[0] = keys.matmul.Output(0)
		found++
	}
	return found, nil
}

// scores returns the MatMul of queries and keys that a Softmax over keys reads, through scale and mask; nil where there is
// none. The mask is one for a whole row or a single key, never one that depends on the product.
func (g *graph) scores(softmax *onnx.Node) *onnx.Node {
	if !softmax.Is("Softmax") || softmax.Int("axis", -1) != -1 {
		return nil
	}
	at := softmax.Input(0)
	for range 3 {
		if mm := g.made(at, "MatMul"); mm != nil {
			return mm
		}
		n := g.made(at, "Add", "Mul", "Div")
		if n == nil || g.only(at) == nil {
			return nil
		}
		switch {
		case !n.Is("Add") && g.single(n.Input(1)):
			at = n.Input(0)
		case n.Is("Mul") && g.single(n.Input(0)):
			at = n.Input(1)
		case n.Is("Add") && g.made(n.Input(0), "MatMul", "Mul", "Div") != nil && g.made(n.Input(1), "MatMul", "Div") == nil:
			at = n.Input(0)
		case n.Is("Add") && g.made(n.Input(1), "MatMul", "Mul", "Div") != nil && g.made(n.Input(0), "MatMul", "Div") == nil:
			at = n.Input(1)
		default:
			return nil
		}
	}
	return nil
}

// single tells whether a tensor is a constant of one number.
func (g *graph) single(tensor string) bool {
	t := g.Constant(tensor)
	if t == nil {
		return false
	}
	n, err := t.Len()
	return err == nil && n == 1
}

// projection returns the linear layer that made the tensor by way of Reshape and Transpose (heads taken apart), each used
// only there; nil where something else made it.
func (g *graph) projection(tensor string) *linear {
	transpose := g.made(tensor, "Transpose")
	if transpose == nil || g.only(tensor) == nil {
		return nil
	}
	reshape := g.made(transpose.Input(0), "Reshape")
	if reshape == nil || g.only(reshape.Output(0)) != transpose {
		return nil
	}
	l := g.linear(g.made(reshape.Input(0), "Add"))
	if l == nil || g.only(l.add.Output(0)) != reshape {
		return nil
	}
	return l
}

// moveValueBias moves the bias of an attention's values behind it, into that of the output projection: the weights of a
// query sum to 1, so values v + b give P·v + b, and (P·v + b)·W + c = P·v·W + (b·W + c).
func moveValueBias(m *onnx.Model) (int, error) {
	g := newGraph(m)
	b := onnx.NewBuilder(m).Scope("rewrite")
	found := 0
	for _, mix := range m.Graph.Nodes {
		if !mix.Is("MatMul") || g.made(mix.Input(0), "Softmax") == nil || !g.lastAxis(mix.Input(0)) {
			continue
		}
		values := g.projection(mix.Input(1))
		out := g.outProjection(mix, values)
		if out == nil {
			continue
		}
		moved, err := throughWeight(values.bias, out)
		if err != nil {
			return found, err
		}
		c := b.Const("bias", moved)
		if c == nil {
			break
		}
		reader := g.only(values.add.Output(0))
		reader.Inputs[0] = values.matmul.Output(0)
		out.add.Inputs[out.biasInput] = c.Name
		found++
	}
	return found, b.Err()
}

// lastAxis tells whether the Softmax that makes a tensor runs over its last dimension.
func (g *graph) lastAxis(tensor string) bool { return g.Producer(tensor).Int("axis", -1) == -1 }

// outProjection returns the linear layer that reads an attention's mixed values, heads put together again: their
// dimensions were laid apart by Transpose 0213 and come back by it.
func (g *graph) outProjection(mix *onnx.Node, values *linear) *linear {
	if values == nil {
		return nil
	}
	apart := g.made(mix.Input(1), "Transpose")
	transpose := g.only(mix.Output(0))
	if !swapsMiddle(apart) || !swapsMiddle(transpose) {
		return nil
	}
	reshape := g.only(transpose.Output(0))
	if reshape == nil || !reshape.Is("Reshape") {
		return nil
	}
	matmul := g.only(reshape.Output(0))
	if matmul == nil || !matmul.Is("MatMul") || matmul.Input(0) != reshape.Output(0) {
		return nil
	}
	l := g.linear(g.only(matmul.Output(0)))
	if l == nil || l.weight.Shape[0] != values.bias.Shape[0] {
		return nil
	}
	return l
}

// swapsMiddle tells whether a node is a Transpose of four dimensions that exchanges the middle two.
func swapsMiddle(n *onnx.Node) bool {
	if n == nil || !n.Is("Transpose") {
		return false
	}
	p := n.Ints("perm")
	return len(p) == 4 && p[0] == 0 && p[1] == 2 && p[2] == 1 && p[3] == 3
}

// throughWeight returns bias·W + c of a linear layer with weight W and bias c.
func throughWeight(bias *onnx.Tensor, l *linear) (*onnx.Tensor, error) {
	b, err := onnx.View[float32](bias)
	if err != nil {
		return nil, err
	}
	w, err := onnx.View[float32](l.weight)
	if err != nil {
		return nil, err
	}
	c, err := onnx.View[float32](l.bias)
	if err != nil {
		return nil, err
	}
	columns := len(c)
	sum := make([]float64, columns)
	for j := range c {
		sum[j] = float64(c[j])
	}
	for i, v := range b {
		for j, x := range w[i*columns : (i+1)*columns] {
			sum[j] += float64(v) * float64(x)
		}
	}
	moved := make([]float32, columns)
	for j, v := range sum {
		moved[j] = float32(v)
	}
	return onnx.NewTensor("", moved, int64(columns)), nil
}
