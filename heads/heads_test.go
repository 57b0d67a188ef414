package heads_test

import (
	"testing"

	"github.com/onnx-graft/graft/heads"
	"github.com/onnx-graft/graft/heads/headstest"
	"github.com/onnx-graft/graft/onnx/ort/orttest"
)

func TestHeadsKeepTheContract(t *testing.T) {
	rt := orttest.Open(t)
	for _, c := range []struct {
		name    string
		task    heads.Task
		newHead func() heads.Head
	}{
		{"Logistic", heads.Classification, func() heads.Head { return &heads.Logistic{} }},
		{"Linear", heads.Classification, func() heads.Head { return &heads.Linear{} }},
		{"Logistic balanced", heads.Classification, func() heads.Head {
			return &heads.Logistic{C: 0.3, ClassWeight: heads.ClassWeight{Balanced: true}, Smoothing: 0.1}
		}},
	} {
		t.Run(c.name, func(t *testing.T) { headstest.Run(t, rt, c.task, c.newHead) })
	}
}
