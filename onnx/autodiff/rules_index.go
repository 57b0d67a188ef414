package autodiff

import "github.com/onnx-graft/graft/onnx"

// scatterAdd adds updates into zeros of the first input's shape. ScatterND is not used: it loses concurrent additions on
// ONNX Runtime's CPU provider.
func (s *step) scatterAdd(indices, updates *onnx.Value, axis int) *onnx.Value {
	zeros := s.fill(0, s.inShape(0), s.node.Inputs[0])
	return s.Op("ScatterElements", []*onnx.Value{zeros, indices, updates},
		onnx.IntAttr("axis", int64(axis)), onnx.StringAttr("reduction", "add"))
}

// gatherRule adds each row of dy to the row it was taken from. Indices of several dimensions are covered along axis 0, as
// an embedding has them.
func gatherRule(s *step) ([]*onnx.Value, error) {
	x, index := s.inShape(0), s.inShape(1)
	a := axis(s.node.Int("axis", 0), len(x))
	updates, column := s.dy, s.in(1)
	switch {
	case len(index) == 0:
		updates = s.op("Unsqueeze", s.dy, s.ints(int64(a)))
	case len(index) > 1 && a == 0:
		row, ok := x[1:].known()
		if !ok {
			return nil, s.unsupported("the size of a row varies")
		}
		updates = s.Reshape(s.dy, append([]int64{-1}, row...)...)
	case len(index) > 1:
		return nil, s.unsupported("its indices have several dimensions along an inner axis")
	}
	if l := s.tables[s.node.Input(0)]; l != nil {
		wide := s.Op("Cast", []*onnx.Value{column}, onnx.IntAttr("to", int64(onnx.Int64)))
		l.rows, l.indices = updates, s.Reshape(wide, -1)
		return s.none(), nil
	}
	to := make([]int64, len(x))
	for i := range to {
		to[i] = 1
	}
	to[a] = -1
	column = s.op("Expand", s.Reshape(column, to...), s.op("Shape", updates))
	return s.first(s.scatterAdd(column, updates, a)), nil
}

func gatherElementsRule(s *step) ([]*onnx.Value, error) {
	return s.first(s.scatterAdd(s.in(1), s.dy, axis(s.node.Int("axis", 0), len(s.inShape(0))))), nil
}

// A lookup is a matrix's only use: the gradients of the rows looked up, and their numbers; nil where no gradient came.
type lookup struct{ rows, indices *onnx.Value }

// findTables finds the matrices of names that serve only to look up rows, by one node. They are noted under the name that node
// reads, too, which is another behind Cast and Identity.
func (w *walker) findTables(names []string) {
	w.tables = map[string]*lookup{}
	for _, name := range names {
		read := name
		readers := w.index.Readers(read)
		for len(readers) == 1 && readers[0].Is("Cast", "Identity") {
			read = readers[0].Output(0)
			readers = w.index.Readers(read)
		}
		if len(w.shape(name)) != 2 || len(readers) != 1 || !readers[0].Is("Gather") || readers[0].Input(1) == read {
			continue
		}
		if axis(readers[0].Int("axis", 0), 2) == 0 {
			l := &lookup{}
			w.tables[name], w.tables[read] = l, l
		}
	}
}

// outputRows makes rows and indices outputs.
func (w *walker) outputRows(name string, l *lookup) {
	l.rows.Type, l.indices.Type = onnx.Float32, onnx.Int64
	w.Output(l.rows, RowsName(name))
	w.Output(l.indices, IndicesName(name))
}
