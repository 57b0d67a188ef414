package finetune

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/onnx-graft/graft/onnx/onnxgo"
)

// The head is fitted on views of the training inputs alone, each once, and what is counted is inputs.
func TestViews(t *testing.T) {
	b, data := toyBackbone(t), toyData(300)
	seen := map[string]int{}
	b.View = func(x string, n int) string {
		seen[x]++
		return fmt.Sprintf("%s seen again %d", x, n)
	}
	run := func(views int) *Result {
		s := Settings{Out: filepath.Join(t.TempDir(), "out"), Views: views}
		r, err := Run(context.Background(), &onnxgo.Runtime{}, &onnxgo.Runtime{}, b, data, s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := run(2); r.Rows.Train != len(data.Train) || r.Stats.Rows != 3*len(data.Train)+len(data.Validation)+len(data.Test) {
		t.Errorf("%d rows to learn from, %d extracted of %d", r.Rows.Train, r.Stats.Rows, len(data.Train))
	}
	for _, e := range data.Train {
		if seen[e.Input] != 2 {
			t.Errorf("%q has %d views, want 2", e.Input, seen[e.Input])
		}
	}
	if len(seen) != len(data.Train) {
		t.Errorf("views of %d inputs, want those of the %d training rows", len(seen), len(data.Train))
	}
	b.View = nil
	if _, err := Run(context.Background(), &onnxgo.Runtime{}, nil, b, data, Settings{Out: filepath.Join(t.TempDir(), "out"), Views: 1}); err == nil {
		t.Error("views of inputs that have none")
	}
}

func TestViewGroups(t *testing.T) {
	if got := viewGroups(3, 2); !slices.Equal(got, []int{0, 1, 2, 0, 1, 2, 0, 1, 2}) {
		t.Errorf("groups %v", got)
	}
	if got := viewGroups(3, 0); got != nil {
		t.Errorf("groups %v without views", got)
	}
}
