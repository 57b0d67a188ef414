package finetune

import (
	"fmt"
	"strings"

	"github.com/onnx-graft/graft/finetune/metrics"
)

// fewToLearn is the number of training rows of a class below which it can hardly be learned.
const fewToLearn = 5

// caveats says in words what people should know before they believe the figures, the most damaging first.
func (w *workshop[T]) caveats(report metrics.Report) []string {
	var list []string
	if n := w.sharedRows(); n > 0 {
		list = append(list, fmt.Sprintf("%d training rows are also in the test split: the figures flatter the model; drop them from train", n))
	}
	list = append(list, beaten(report, w.result.Baselines)...)
	list = append(list, report.Warnings...)
	return append(list, rareClasses(w.data.Labels, w.train.y.Class)...)
}

// sharedRows counts training rows whose content is in the test split too.
func (w *workshop[T]) sharedRows() (n int) {
	judged := make(map[[32]byte]bool, len(w.data.Test))
	for _, e := range w.data.Test {
		judged[e.Digest] = e.Digest != [32]byte{}
	}
	for _, e := range w.data.Train {
		if judged[e.Digest] {
			n++
		}
	}
	return n
}

// beaten tells of baselines that do as well as the model, or as well within its interval.
func beaten(report metrics.Report, baselines []Baseline) (list []string) {
	name := Headline(report)
	value, ok := report.Metrics[name]
	if !ok {
		return nil
	}
	for _, b := range baselines {
		v, ok := b.Metrics[name]
		switch interval, known := report.Intervals[name]; {
		case !ok:
		case v >= value:
			list = append(list, fmt.Sprintf("the backbone adds nothing: %s, without it, reaches %s %.4f, the model %.4f", b.Name, name, v, value))
		case known && v >= interval.Low:
			list = append(list, fmt.Sprintf("the backbone adds little: %s, without it, reaches %s %.4f, within the model's interval (%.4f to %.4f)",
				b.Name, name, v, interval.Low, interval.High))
		}
	}
	return list
}

// rareClasses tells of classes that have hardly any rows to learn from.
func rareClasses(labels []string, class []int) []string {
	if class == nil {
		return nil
	}
	count := make([]int, len(labels))
	for _, k := range class {
		count[k]++
	}
	var rare []string
	for k, n := range count {
		if n < fewToLearn {
			rare = append(rare, fmt.Sprintf("%q (%d)", labels[k], n))
		}
	}
	if len(rare) == 0 {
		return nil
	}
	shown := strings.Join(rare[:min(len(rare), 5)], ", ")
	if len(rare) > 5 {
		shown += fmt.Sprintf(" and %d more", len(rare)-5)
	}
	return []string{fmt.Sprintf("%d of %d classes have fewer than %d rows to learn from: %s", len(rare), len(labels), fewToLearn, shown)}
}
