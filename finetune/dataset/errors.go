package dataset

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons that data cannot be learned from or judged by; errors.Is finds them.
var (
	ErrEmpty        = errors.New("no rows")
	ErrEmptyText    = errors.New("the text is empty")
	ErrEmptyLabel   = errors.New("the label is empty")
	ErrNotUTF8      = errors.New("not UTF-8")
	ErrRagged       = errors.New("ragged row")
	ErrOneClass     = errors.New("one class only")
	ErrRareClass    = errors.New("a class with too few examples")
	ErrUnknownLabel = errors.New("unknown label")
	ErrTag          = errors.New("a tag that cannot be")
	ErrNumber       = errors.New("the label is no number")
	ErrTask         = errors.New("the labels do not suit the task")
)

// A RowError is a fault of one row, or of a whole file where Line is 0.
type RowError struct {
	File string // as the caller can open it, or an example's ID
	Line int    // from 1, the header included; the row's number in Parquet
	Err  error
}

func (e *RowError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("dataset: %s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("dataset: %s:%d: %v", e.File, e.Line, e.Err)
}

func (e *RowError) Unwrap() error { return e.Err }

// A ColumnError says that a table lacks a column, and which it has.
type ColumnError struct {
	File string
	What string   // "text", "second text" or "label"
	Want string   // the name asked for; "" where none of the usual names is there
	Have []string // the columns there are
}

func (e *ColumnError) Error() string {
	have := "it has no columns"
	if len(e.Have) > 0 {
		have = "its columns are " + quoteList(e.Have)
	}
	if e.Want == "" {
		return fmt.Sprintf("dataset: %s: cannot tell which column is the %s; name it: %s", e.File, e.What, have)
	}
	return fmt.Sprintf("dataset: %s: no column %q for the %s: %s", e.File, e.Want, e.What, have)
}

// quoteList writes a few names for people.
func quoteList(names []string) string {
	const most = 20
	var b strings.Builder
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", shorten(name))
	}
	return b.String()
}

// shorten cuts what a message quotes to a length people can read.
func shorten(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
