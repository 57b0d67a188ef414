package tune

import (
	"fmt"
	"strings"

	"github.com/onnx-graft/graft/onnx/autodiff"
)

// A DivergedError says that the loss or a gradient stopped being a number.
type DivergedError struct {
	Step  int // from 0
	Loss  float64
	Cause string // the likely one, and what to do
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("tune: diverged at step %d (loss %v): %s", e.Step, e.Loss, e.Cause)
}

// A MismatchError says that a checkpoint belongs to another run.
type MismatchError struct {
	Dir         string
	Differences []string // one sentence each
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("tune: the checkpoint in %s is of another run: %s; give the same settings and data, or remove the folder", e.Dir, strings.Join(e.Differences, "; "))
}

// An UnfinishedError says that a run would begin anew where the checkpoint of an unfinished one lies.
type UnfinishedError struct {
	Dir  string
	Step int
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("tune: %s holds a run that was stopped at step %d: resume it, or remove the folder", e.Dir, e.Step)
}

// A DepthError says that a node above the weights that were to move has no gradient, and which layers can move.
type DepthError struct {
	From   int // the first layer that can be trained; Layers where none can
	Layers int // of the backbone
	Err    *autodiff.NoRuleError
}

func (e *DepthError) Error() string {
	if e.From >= e.Layers {
		return fmt.Sprintf("tune: %v; no layer above it has weights: leave the backbone frozen (unfreeze none)", e.Err)
	}
	return fmt.Sprintf("tune: %v; layers %d to %d can be trained: unfreeze from:%d", e.Err, e.From, e.Layers-1, e.From)
}

func (e *DepthError) Unwrap() error { return e.Err }
