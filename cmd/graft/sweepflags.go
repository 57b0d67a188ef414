package main

import (
	"fmt"

	"github.com/onnx-graft/graft/finetune"
)

// sweepTable shows how each layer did that --feature auto tried.
func sweepTable(points []finetune.SweepPoint) (rows [][]string) {
	for _, p := range points {
		chosen := ""
		if p.Chosen {
			chosen = ", chosen"
		}
		rows = append(rows, []string{"  " + p.Feature, fmt.Sprintf("%d features, %.4f ± %.4f%s", p.Dim, p.Score, p.SE, chosen)})
	}
	if rows != nil {
		rows = append([][]string{{"layers", "by a probe on rows it was not fitted on"}}, rows...)
	}
	return rows
}
