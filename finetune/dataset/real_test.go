package dataset

import (
	"context"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxtest"
)

// The counts are those stated with the data; duplicates were counted independently, with a set in Python.
func TestRealData(t *testing.T) {
	for _, c := range []struct {
		path                                    []string
		train, validation, test, labels, copies int
		first                                   string
	}{
		{[]string{"text-data", "sst2"}, 6920, 872, 1821, 2, 3, "negative"},
		{[]string{"text-data", "trec6"}, 5452, 0, 500, 6, 10, "DESC"},
		{[]string{"text-data", "banking77"}, 10003, 0, 3080, 77, 6, "card_arrival"},
		{[]string{"text-data", "cr"}, 3017, 0, 754, 2, 1, "negative"},
		{[]string{"text-data", "chnsenticorp_htl"}, 6212, 0, 1553, 2, 0, "negative"},
		{[]string{"image-data", "hymenoptera"}, 244, 0, 153, 2, 0, "ants"},
		{[]string{"image-data", "flowers"}, 1000, 0, 300, 5, 0, "daisy"},
	} {
		split, err := Read(context.Background(), onnxtest.Shared(t, append([]string{"assets"}, c.path...)...), Settings{})
		if err != nil {
			t.Error(err)
			continue
		}
		if len(split.Train)+split.Report.Dropped != c.train || len(split.Validation) != c.validation || len(split.Test) != c.test ||
			len(split.Labels) != c.labels || split.Labels[0] != c.first || split.Report.Dropped != c.copies {
			t.Errorf("%v: %d/%d/%d rows, %d labels from %q, %+v", c.path, len(split.Train), len(split.Validation), len(split.Test), len(split.Labels), split.Labels[0], split.Report)
		}
	}
}
