package onnx

import (
	"fmt"
	"slices"
)

// mixes says what is wrong with a node that computes across the batch dimension, or nothing.
func (f *freedBatch) mixes(w *rewriter, n *Node) string {
	facts := w.index.facts()
	in := facts.in(n, 0)
	k := f.axis(in)
	if k < 0 || !standardDomain(n.Domain) {
		return ""
	}
	across := batchAcross[n.OpType]
	if across == nil {
		return ""
	}
	for axis := range in {
		if axis == k && across(facts, n, w.Opset(), axis, len(in)) {
			return fmt.Sprintf("it works across dimension %d, which counts examples", k)
		}
	}
	return ""
}

// batchAcross tells of operators that keep a shape whether they compute across an axis.
var batchAcross = map[string]func(f *facts, n *Node, opset int64, axis, rank int) bool{
	"Softmax": softmaxAcross, "LogSoftmax": softmaxAcross, "Hardmax": softmaxAcross,
	"LpNormalization": func(_ *facts, n *Node, _ int64, axis, rank int) bool { return axisIs(n.Int("axis", -1), axis, rank) },
	"TopK":            func(_ *facts, n *Node, _ int64, axis, rank int) bool { return axisIs(n.Int("axis", -1), axis, rank) },
	"CumSum": func(f *facts, n *Node, _ int64, axis, rank int) bool {
		at, ok := f.index.constantInts(n.Input(1))
		return !ok || len(at) != 1 || axisIs(at[0], axis, rank)
	},
	"LayerNormalization": normalisesFrom(-1), "RMSNormalization": normalisesFrom(-1),
	"BatchNormalization": notFirst, "InstanceNormalization": notFirst, "GroupNormalization": notFirst, "LRN": notFirst,
	"MeanVarianceNormalization": func(_ *facts, n *Node, _ int64, axis, _ int) bool {
		axes := n.Ints("axes")
		return axes == nil && axis != 1 || slices.Contains(axes, int64(axis))
	},
	"Trilu":   func(_ *facts, _ *Node, _ int64, axis, rank int) bool { return axis >= rank-2 },
	"EyeLike": func(*facts, *Node, int64, int, int) bool { return true },
	"ReverseSequence": func(_ *facts, n *Node, _ int64, axis, _ int) bool {
		return int64(axis) != n.Int("batch_axis", 1)
	},
	"Gather": func(_ *facts, n *Node, _ int64, axis, rank int) bool { return axisIs(n.Int("axis", 0), axis, rank) },
	"GatherElements": func(f *facts, n *Node, _ int64, axis, rank int) bool {
		return axisIs(n.Int("axis", 0), axis, rank) || !sameSizeAt(f, n, axis, 1)
	},
	"Scatter": scatterAcross, "ScatterElements": scatterAcross,
	"ScatterND": func(*facts, *Node, int64, int, int) bool { return true },
	"LSTM":      recurrentAcross, "GRU": recurrentAcross, "RNN": recurrentAcross,
}

func axisIs(axis int64, k, rank int) bool {
	at, ok := axisOf(axis, rank)
	return !ok || at == k
}

// softmaxAcross knows that before opset 13 all axes from the given one on were normalised together.
func softmaxAcross(_ *facts, n *Node, opset int64, axis, rank int) bool {
	if opset >= 13 {
		return axisIs(n.Int("axis", -1), axis, rank)
	}
	from, ok := axisOf(n.Int("axis", 1), rank)
	return !ok || axis >= from
}

func normalisesFrom(def int64) func(*facts, *Node, int64, int, int) bool {
	return func(_ *facts, n *Node, _ int64, axis, rank int) bool {
		from, ok := axisOf(n.Int("axis", def), rank)
		return !ok || axis >= from
	}
}

func notFirst(_ *facts, _ *Node, _ int64, axis, _ int) bool { return axis != 0 }

func sameSizeAt(f *facts, n *Node, axis int, inputs ...int) bool {
	for _, i := range inputs {
		if in := f.in(n, i); axis >= len(in) || in[axis] != f.in(n, 0)[axis] {
			return false
		}
	}
	return true
}

func scatterAcross(f *facts, n *Node, _ int64, axis, rank int) bool {
	return axisIs(n.Int("axis", 0), axis, rank) || !sameSizeAt(f, n, axis, 1, 2)
}

// recurrentAcross wants the batch where a recurrent network has it, and no first state of a fixed size.
func recurrentAcross(f *facts, n *Node, _ int64, axis, _ int) bool {
	at := 1
	if n.Int("layout", 0) == 1 {
		at = 0
	}
	if axis != at || n.Input(4) != "" {
		return true
	}
	for _, k := range []int{5, 6} {
		if n.Input(k) != "" {
			if in := f.in(n, k); len(in) != 3 || in[at] != f.in(n, 0)[axis] {
				return true
			}
		}
	}
	return false
}
