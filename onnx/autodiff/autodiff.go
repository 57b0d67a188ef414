// Package autodiff writes the backward pass of an ONNX graph as ordinary ai.onnx nodes, so that a stock inference runtime
// computes gradients: reverse-mode automatic differentiation by source transformation.
//
// One table (rules.go) maps each operator to the few nodes of its vector-Jacobian product; one walker does what all
// have in common: order, accumulation where a tensor is used twice, undoing of broadcasts, cutting what no gradient
// reaches. Shapes come from two measured runs ([Measure]), not from inference.
package autodiff

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// MinOpset is the lowest ai.onnx operator set a graph may import to be differentiated; [onnx.Upgrade] lifts older ones.
const MinOpset = 17

// GradientName is the name of the output that holds the gradient with respect to the tensor called name.
func GradientName(name string) string { return "gradient/" + name }

// A NoRuleError says that no gradient is known for an operator on the path from a trainable tensor to the loss.
type NoRuleError struct {
	Node, OpType string
	Reason       string // empty where the operator has no rule at all
}

func (e *NoRuleError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("autodiff: node %q: no gradient rule for operator %s", e.Node, e.OpType)
	}
	return fmt.Sprintf("autodiff: node %q: no gradient for this %s: %s", e.Node, e.OpType, e.Reason)
}

// Gradient returns a copy of m with the backward pass appended. Its outputs are loss, then in wrt's order the gradient of
// the loss with respect to each named tensor, called [GradientName] and of the tensor's own shape. loss names a float
// tensor of one element; wrt names float tensors: initializers, inputs or inner ones. A tensor the loss does not depend on has
// the gradient zero.
//
// s must have been measured on m. An operator without a rule between wrt and loss is a [NoRuleError].
func Gradient(m *onnx.Model, loss string, wrt []string, s *Shapes) (*onnx.Model, error) {
	m, _, err := gradient(m, loss, wrt, s, false)
	return m, err
}

// RowsName and IndicesName are the names of the two outputs that a tensor has in place of [GradientName] where [RowGradient]
// gives rows.
func RowsName(name string) string    { return GradientName(name) + "/rows" }
func IndicesName(name string) string { return GradientName(name) + "/indices" }

// RowGradient is [Gradient], but leaves out what is mostly zero: of a matrix in wrt that serves only to look up rows, as a table
// of embeddings does, it gives the gradients of the N rows looked up, N×D float32 called [RowsName], and their numbers, N int64
// called [IndicesName]. The same number may come several times, and one below 0 counts from the end; the matrix's gradient is
// the sum. It returns the names of the matrices for which it did, too.
func RowGradient(m *onnx.Model, loss string, wrt []string, s *Shapes) (*onnx.Model, []string, error) {
	return gradient(m, loss, wrt, s, true)
}

func gradient(m *onnx.Model, loss string, wrt []string, s *Shapes, rows bool) (*onnx.Model, []string, error) {
	if v := m.Opset(""); v < MinOpset {
		return nil, nil, fmt.Errorf("autodiff: the model imports ai.onnx %d, want %d or later (onnx.Upgrade lifts it)", v, MinOpset)
	}
	m = m.Clone()
	w, err := newWalker(m, loss, wrt, s)
	if err != nil {
		return nil, nil, err
	}
	if rows {
		w.findTables(wrt)
	}
	if err := w.walk(loss, wrt); err != nil {
		return nil, nil, err
	}
	var tables []string
	for _, name := range wrt {
		if l := w.tables[name]; l != nil && l.rows != nil {
			tables = append(tables, name)
		}
	}
	return m, tables, nil
}
