package onnx

import "slices"

// facts are what is known of a graph's tensors without running it: element types, and shapes as far as weights,
// attributes and the file's own value_info tell. Nothing is guessed: a dimension is right or not known.
type facts struct {
	index    *Index
	types    map[string]DType
	sizes    map[string][]size // nil where not even the rank is known
	contents map[string][]size // elements of small integer tensors that hold shapes
}

// A size is one dimension: n elements where sym is empty, n times a size only known at run time where it is not, and
// not known where n is negative.
type size struct {
	n   int64
	sym string
}

var anySize = size{n: -1}

func fixed(n int64) size { return size{n: n} }

func (s size) known() bool { return s.n >= 0 }

// is reports whether s is certainly n.
func (s size) is(n int64) bool { return s.n == n && (s.sym == "" || n == 0) }

// is reports whether the dimension is known to be n.
func (d Dim) is(n int64) bool { return d.Known && d.Size == n }

// Type returns a tensor's element type as far as the file says or its producer tells, otherwise Undefined.
func (x *Index) Type(tensor string) DType { return x.facts().typeOf(tensor) }

// Shape returns a tensor's shape as far as it follows from weights, attributes and what the file says; nil where not even
// the rank does. A dimension without size and name is not known.
func (x *Index) Shape(tensor string) Shape {
	sizes := x.facts().sizes[tensor]
	if sizes == nil {
		return nil
	}
	shape := make(Shape, len(sizes))
	for i, s := range sizes {
		switch {
		case s.known() && s.sym == "":
			shape[i] = Known(s.n)
		case s.n == 1:
			shape[i] = Param(s.sym)
		}
	}
	return shape
}

func (x *Index) facts() *facts {
	x.once.Do(func() {
		x.known = &facts{index: x, types: map[string]DType{}, sizes: map[string][]size{}, contents: map[string][]size{}}
		for _, in := range x.graph.Inputs {
			x.known.declare(in)
		}
		for _, t := range x.graph.Initializers {
			x.known.hold(t)
		}
		for _, t := range x.graph.SparseInitializers {
			if t.Values != nil {
				x.known.types[t.Values.Name], x.known.sizes[t.Values.Name] = t.Values.Type, fixedSizes(t.Dims)
			}
		}
		x.known.forget("")
		for _, n := range x.graph.Nodes {
			x.known.infer(n)
		}
	})
	return x.known
}

// declare, hold and grow add an input, an initializer and a node that were just added to the graph.
func (x *Index) declare(in *Value) {
	x.typed[in.Name] = in
	x.facts().declare(in)
}

func (x *Index) hold(t *Tensor) {
	x.weights[t.Name] = t
	x.facts().hold(t)
}

func (x *Index) grow(n *Node) {
	f := x.facts()
	x.add(n)
	f.infer(n)
}

func (f *facts) forget(tensor string) {
	delete(f.types, tensor)
	delete(f.sizes, tensor)
	delete(f.contents, tensor)
}

func (f *facts) typeOf(tensor string) DType { return f.types[tensor] }

func (f *facts) declare(in *Value) {
	f.types[in.Name], f.sizes[in.Name] = in.Type, sizesOf(in.Shape)
}

func (f *facts) hold(t *Tensor) {
	f.types[t.Name], f.sizes[t.Name] = t.Type, fixedSizes(t.Shape)
	f.remember(t.Name, t)
}

// Bounds on what is followed, so that no file makes it grow without end: elements of a tensor, dimensions of a shape.
const (
	longestContent = 64
	maxRank        = 32
)

// remember notes the elements of a constant that may be a shape.
func (f *facts) remember(name string, t *Tensor) {
	if t.Type != Int64 && t.Type != Int32 || len(t.Data) > longestContent*t.Type.Size() {
		return
	}
	f.contents[name] = fixedSizes(integers(t))
}

// infer notes what n's operator tells of its outputs.
func (f *facts) infer(n *Node) {
	if t := constantOf(n); n.Is("Constant") && t != nil && n.Output(0) != "" {
		f.remember(n.Output(0), t)
	}
	rule := sizeRules[n.OpType]
	if !standardDomain(n.Domain) {
		rule = sizeRules[n.Domain+"."+n.OpType]
	}
	for i, out := range n.Outputs {
		if out == "" {
			continue
		}
		f.types[out] = f.resultType(n, i)
		var sizes []size
		if rule != nil {
			sizes = rule(f, n, i)
		}
		if v := f.index.typed[out]; v != nil {
			sizes = refine(sizes, sizesOf(v.Shape))
			if v.Type != Undefined {
				f.types[out] = v.Type
			}
		}
		if len(sizes) <= maxRank {
			f.sizes[out] = sizes
		}
	}
	if rule := contentRules[n.OpType]; rule != nil && standardDomain(n.Domain) && n.Output(0) != "" {
		if c := rule(f, n); c != nil && len(c) <= longestContent {
			f.contents[n.Output(0)] = c
		}
	}
}

// in returns the shape of a node's k-th input.
func (f *facts) in(n *Node, k int) []size { return f.sizes[n.Input(k)] }

// refine fills in from told, which the file says, what the rules left open.
func refine(sizes, told []size) []size {
	if sizes == nil {
		return told
	}
	if len(told) != len(sizes) {
		return sizes
	}
	sizes = slices.Clone(sizes)
	for i := range sizes {
		if !sizes[i].known() {
			sizes[i] = told[i]
		}
	}
	return sizes
}

func sizesOf(shape Shape) []size {
	if shape == nil {
		return nil
	}
	sizes := make([]size, len(shape))
	for i, d := range shape {
		switch {
		case d.Known && d.Size >= 0:
			sizes[i] = fixed(d.Size)
		case d.Param != "":
			sizes[i] = size{n: 1, sym: d.Param}
		default:
			sizes[i] = anySize
		}
	}
	return sizes
}

func fixedSizes(dims []int64) []size {
	sizes := make([]size, len(dims))
	for i, d := range dims {
		sizes[i] = fixed(d)
	}
	return sizes
}

// rankOf returns a shape of the rank of in, of which only that is known; nil for nil.
func rankOf(in []size) []size {
	if in == nil {
		return nil
	}
	return unknown(len(in))
}

// unknown returns a shape of which only the rank is known.
func unknown(rank int) []size { return slices.Repeat([]size{anySize}, max(rank, 0)) }

// product multiplies sizes; it is not known where a factor is not, or where two symbols meet.
func product(sizes []size) size {
	p := fixed(1)
	for _, s := range sizes {
		if !s.known() || p.sym != "" && s.sym != "" || s.n > 0 && p.n > maxSize/s.n {
			return anySize
		}
		p = size{n: p.n * s.n, sym: p.sym + s.sym}
	}
	return p
}

// maxSize bounds sizes so that products of untrusted dimensions do not overflow.
const maxSize = 1 << 48

// quotient returns the one size that makes rest·quotient the same number of elements as all; symbols found on both sides
// cancel.
func quotient(all, rest []size) size {
	all, rest = slices.Clone(all), slices.Clone(rest)
	for i := range rest {
		for k := range all {
			if rest[i].sym != "" && all[k].sym == rest[i].sym {
				all[k].sym, rest[i].sym = "", ""
			}
		}
	}
	a, r := product(all), product(rest)
	if !a.known() || r.n <= 0 || r.sym != "" || a.n%r.n != 0 {
		return anySize
	}
	return size{n: a.n / r.n, sym: a.sym}
}

// broadcast combines two dimensions as element-wise operators do.
func broadcastSize(a, b size) size {
	switch {
	case a.is(1):
		return b
	case b.is(1) || a == b:
		return a
	case a.known() && a.sym == "" && b.sym == "" && b.known():
		return anySize // the model is broken here; let the runtime say so
	case a.known() && a.sym == "":
		return a // the other is this or 1
	case b.known() && b.sym == "":
		return b
	}
	return anySize
}

func broadcastSizes(a, b []size) []size {
	if a == nil || b == nil {
		return nil
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i := range b {
		k := len(a) - len(b) + i
		out[k] = broadcastSize(a[k], b[i])
	}
	return out
}

// axisOf brings an axis into 0…rank-1; ok is false where it lies outside.
func axisOf(axis int64, rank int) (k int, ok bool) {
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis), axis >= 0 && axis < int64(rank)
}
