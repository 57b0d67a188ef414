package finetune

import (
	"fmt"

	"github.com/onnx-graft/graft/finetune/dataset"
	"github.com/onnx-graft/graft/heads"
)

// withViews returns training examples and, after them, views 1 to n of each: of all view 1, then of all view 2, ….
func withViews[T any](b *Backbone[T], train []dataset.Example[T], n int) ([]dataset.Example[T], error) {
	switch {
	case n == 0:
		return train, nil
	case n < 0:
		return nil, fmt.Errorf("finetune: Settings.Views is %d, want 0 or more", n)
	case b.View == nil:
		return nil, fmt.Errorf("finetune: backbone %s has no View: its inputs cannot be augmented", b.Name)
	}
	all := make([]dataset.Example[T], 0, len(train)*(1+n))
	all = append(all, train...)
	for view := 1; view <= n; view++ {
		for _, e := range train {
			e.Input = b.View(e.Input, view)
			all = append(all, e)
		}
	}
	return all, nil
}

// withoutViews returns the rows of the training examples themselves, which come first.
func (s split) withoutViews(examples, views int) split {
	if views == 0 {
		return s
	}
	own := make([]int, examples)
	for i := range own {
		own[i] = i
	}
	return split{
		x: heads.Matrix{Rows: examples, Cols: s.x.Cols, Data: s.x.Data[:examples*s.x.Cols]},
		y: s.y.Subset(own),
	}
}

// viewGroups numbers the rows that withViews makes so that an example and its views have one number; nil where there are
// no views.
func viewGroups(examples, views int) []int {
	if views == 0 {
		return nil
	}
	groups := make([]int, examples*(1+views))
	for i := range groups {
		groups[i] = i % examples
	}
	return groups
}
