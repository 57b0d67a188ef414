package metrics_test

import (
	"testing"

	"github.com/onnx-graft/graft/finetune/metrics"
)

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0000", 0.91234: "0.9123", -12.5: "-12.5000", 490505.1875: "490505.1875", 0.00012345: "0.0001234", 8.9e-16: "8.9e-16", -2.80257038e24: "-2.80257e+24", 1250012.4: "1250012",
	} {
		if got := metrics.Figure(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
}
