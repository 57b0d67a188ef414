package onnx

import "slices"

// raiseIR lifts a model to IR version 4 at least, and to the version its opset came with. Before version 4 every
// initializer had to be listed as a graph input too; those are no longer, so that runtimes may treat weights as constant.
func (m *Model) raiseIR() {
	if m.IRVersion < 4 {
		weights := map[string]bool{}
		for _, t := range m.Graph.Initializers {
			weights[t.Name] = true
		}
		m.Graph.Inputs = slices.DeleteFunc(m.Graph.Inputs, func(v *Value) bool { return weights[v.Name] })
	}
	m.IRVersion = max(m.IRVersion, irVersionOf(m.Opset("")))
}

// irVersions lists the first opset that came with each IR version (Versioning.md of the ONNX specification).
var irVersions = []struct{ opset, ir int64 }{
	{23, 11}, {21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}, {0, 4},
}

// irVersionOf returns the IR version to write for a model of that opset, 4 at least.
func irVersionOf(opset int64) int64 {
	i := slices.IndexFunc(irVersions, func(row struct{ opset, ir int64 }) bool { return opset >= row.opset })
	return irVersions[max(i, 0)].ir
}
