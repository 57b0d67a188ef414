package finetune

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/finetune/metrics"
	"github.com/onnx-graft/graft/finetune/report"
	"github.com/onnx-graft/graft/heads"
)

// reportedShop is a workshop at its end: n held-out texts of k classes with d features.
func reportedShop(tb testing.TB, n, d, k int) *workshop[string] {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	w := &workshop[string]{result: &Result{Task: TextClassification}, backbone: &Backbone[string]{}, settings: Settings{Progress: newStageClock(nil)}}
	w.probed.Head = &heads.Logistic{}
	for j := range k {
		w.data.Labels = append(w.data.Labels, fmt.Sprint("class ", j))
	}
	w.test.x, w.answers = heads.NewMatrix(n, d), heads.NewMatrix(n, k)
	w.test.y = heads.Targets{Classes: k}
	for i := range n {
		class := rng.IntN(k)
		w.data.Test = append(w.data.Test, dataset.Example[string]{ID: fmt.Sprint("row ", i), Input: "some text", Label: w.data.Labels[class]})
		w.test.y.Class = append(w.test.y.Class, class)
		for j := range d {
			w.test.x.Row(i)[j] = float32(rng.NormFloat64())
		}
		for j := range k {
			w.answers.Row(i)[j] = float32(rng.NormFloat64())
		}
		w.answers.Row(i)[class] += 3
	}
	judged, err := metrics.Settings{Resamples: -1}.Classification(w.data.Labels, w.test.y.Class, w.answers)
	if err != nil {
		tb.Fatal(err)
	}
	w.result.Card.Report, w.result.Metrics, w.result.Labels = judged, judged.Metrics, w.data.Labels
	return w
}

// BenchmarkReport is the report of 10,000 held-out rows, 384 features, 77 classes: gathering the figures, and writing them.
func BenchmarkReport(b *testing.B) {
	w := reportedShop(b, 10_000, 384, 77)
	b.Run("gather", func(b *testing.B) {
		for b.Loop() {
			w.reportData(VerifyResult{})
		}
	})
	b.Run("write", func(b *testing.B) {
		d := w.reportData(VerifyResult{})
		for b.Loop() {
			if err := report.Write(b.TempDir(), d); err != nil {
				b.Fatal(err)
			}
		}
	})
}
