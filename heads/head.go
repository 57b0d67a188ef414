package heads

import (
	"context"
	"strconv"

	"github.com/onnx-graft/graft/onnx"
)

// A Head is a small model on frozen features. X is N×D, one example a row.
//
// A Head's zero value works; its exported fields are its options and are not changed by Fit. Fit needs exclusive use;
// a fitted head's Predict and Emit may be called by several goroutines at once.
type Head interface {
	// Fit learns from x and y, and forgets what an earlier Fit learned; where it returns an error the head is not
	// fitted. It returns ctx's error soon after ctx is done. The same x, y and options give the same head to the last
	// bit, whatever the number of cores.
	Fit(ctx context.Context, x Matrix, y Targets) error
	// Predict returns, for classification, N×K logits, whose softmax are probabilities where the head has any and whose
	// largest is the class predicted; for several labels, N×K logits, whose sigmoids are probabilities and whose
	// sign is the prediction; for regression, N×T values.
	Predict(x Matrix) (Matrix, error)
	// Emit appends the fitted head to the graph under b as plain ai.onnx nodes, and returns the N×K or N×T float32 value
	// that Predict computes, to within 1e-4. features is an N×D float32 value.
	Emit(b *onnx.Builder, features *onnx.Value) (*onnx.Value, error)
}

// checkFeatures tells whether x can be predicted from by a head fitted on cols columns, 0 where it is not fitted.
func checkFeatures(x Matrix, cols int) error {
	if cols == 0 {
		return ErrNotFitted
	}
	if err := x.Check(); err != nil {
		return err
	}
	if x.Cols != cols {
		return &ShapeError{What: "features", Got: strconv.Itoa(x.Cols) + " columns", Want: strconv.Itoa(cols) + ", as the head was fitted on"}
	}
	return nil
}
