package tune

import (
	"fmt"
	"strings"
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
