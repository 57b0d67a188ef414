package autodiff

import (
	"fmt"

	"github.com/onnx-graft/graft/onnx"
)

// Opset is the ai.onnx version that [Prepare] lifts graphs to: it has LayerNormalization, Gelu and adding scatters.
const Opset = 20

// Prepare makes a graph ready to be differentiated, in place: lifted to [Opset], half-precision weights stored as float32,
// decomposed normalisations and GELUs fused. What it computes stays the same but for rounding; names of weights, inputs
// and outputs stay. A graph for which that cannot be done is an [onnx.UnsupportedError].
func Prepare(m *onnx.Model) error {
	if err := onnx.Upgrade(m, max(Opset, m.Opset(""))); err != nil {
		return fmt.Errorf("autodiff: prepare: %w", err)
	}
	if _, err := LiftFloat16(m); err != nil {
		return err
	}
	_, err := Fuse(m)
	return err
}
