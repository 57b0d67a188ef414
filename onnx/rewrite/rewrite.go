// Package rewrite makes frozen graphs faster without changing what they compute: each pass puts nodes that ONNX Runtime's
// CPU kernels run faster in the place of others, with the same result but for rounding (the package's tests hold every
// pass to 1e-5 of the largest value on real models).
//
// ONNX Runtime fuses a good deal itself: a decomposed LayerNormalization, a GELU and the bias in front of it, 1/√d in
// the attention's products, constants, Conv with BatchNormalization and Relu. The passes here do what it leaves undone.
// NOTES.md has what each brought, and what was tried and brought nothing.
package rewrite

import (
	"errors"
	"fmt"

	"github.com/onnx-graft/graft/onnx"
	"github.com/onnx-graft/graft/onnx/autodiff"
)

// Version changes whenever a pass changes what a graph computes in its last bits: a cache of results names it.
const Version = "1"

// Opset is the ai.onnx version rewritten graphs are written for: the first with a Gelu.
const Opset = 20

// A Pass is one rewrite. Apply edits the model, which imports at least [Opset], in place and returns how many places it
// found; it may leave nodes that nothing reads.
type Pass struct {
	Name  string
	Apply func(m *onnx.Model) (int, error)
}

// Passes are the rewrites in the order [Speed] applies them.
func Passes() []Pass {
	return []Pass{
		{"fuse", autodiff.Fuse},
		{"key-bias", dropKeyBias},
		{"value-bias", moveValueBias},
		{"gemm", biasesIntoGemm},
	}
}

// Speed returns a copy of m with all passes applied, or m itself where none found anything or the model cannot be lifted to
// [Opset]. Inputs and outputs keep their names, types and order; weights that no pass changes are shared with m.
func Speed(m *onnx.Model) (*onnx.Model, error) { return Apply(m, Passes()...) }

// Apply is [Speed] with the given passes.
func Apply(m *onnx.Model, passes ...Pass) (*onnx.Model, error) {
	c := m.Clone()
	var unsupported *onnx.UnsupportedError
	if err := onnx.Upgrade(c, Opset); errors.As(err, &unsupported) {
		return m, nil
	} else if err != nil {
		return nil, fmt.Errorf("rewrite: %w", err)
	}
	total := 0
	for _, p := range passes {
		n, err := p.Apply(c)
		if err != nil {
			return nil, fmt.Errorf("rewrite: %s: %w", p.Name, err)
		}
		total += n
	}
	if total == 0 {
		return m, nil
	}
	if err := tidy(c); err != nil {
		return nil, fmt.Errorf("rewrite: %w", err)
	}
	return c, nil
}

// tidy puts the nodes in order and drops those that nothing reads.
func tidy(m *onnx.Model) error {
	order, ok := onnx.NewIndex(m.Graph).Order()
	if !ok {
		return errors.New("the graph has a cycle")
	}
	m.Graph.Nodes = order
	outputs := make([]string, len(m.Graph.Outputs))
	for i, o := range m.Graph.Outputs {
		outputs[i] = o.Name
	}
	inputs := m.Graph.Inputs
	err := onnx.Cut(m, outputs...)
	m.Graph.Inputs = inputs
	return err
}
