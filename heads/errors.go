package heads

import (
	"errors"
	"fmt"
)

// ErrNotFitted is what Predict and Emit return before a successful Fit.
var ErrNotFitted = errors.New("heads: the head is not fitted")

// ErrSingular is why a ridge regression has no solution: the penalty is too small beside what features repeat.
var ErrSingular = errors.New("the normal equations are singular")

// A ShapeError says that matrices or targets do not fit together.
type ShapeError struct {
	What      string // what has the wrong shape: "matrix", "features", "targets"
	Got, Want string
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("heads: %s: got %s, want %s", e.What, e.Got, e.Want)
}

// A RowError says that one row of features or targets cannot be learned from.
type RowError struct {
	Row     int // from 0
	Problem string
}

func (e *RowError) Error() string { return fmt.Sprintf("heads: row %d: %s", e.Row, e.Problem) }

// A TooFewError says that there is too little data to learn from: no rows, one class only.
type TooFewError struct {
	What      string // what there is too little of: "rows", "classes with rows"
	Got, Want int
}

func (e *TooFewError) Error() string {
	return fmt.Sprintf("heads: %d %s, at least %d needed", e.Got, e.What, e.Want)
}

// A SettingError says that a field of a head holds a value it cannot have.
type SettingError struct {
	Field string // as in Go: "Logistic.C"
	Value any
	Want  string
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("heads: %s is %v, want %s", e.Field, e.Value, e.Want)
}
