package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Target says what the labels of a data set are.
type Target string

const (
	Classes Target = ""       // one class an example
	Labels  Target = "labels" // any number of labels an example
	Values  Target = "values" // a number an example
	Tags    Target = "tags"   // a tag each word of an example: O, B-type or I-type
)

// tasks are what people call learning each target.
var tasks = []struct {
	target Target
	name   string
}{{Classes, "classification"}, {Labels, "multi-label"}, {Values, "regression"}, {Tags, "token-classification"}}

// Task is what learning the target is called: classification, multi-label, regression or token-classification.
func (t Target) Task() string {
	for _, known := range tasks {
		if known.target == t {
			return known.name
		}
	}
	return string(t)
}

// ParseTask returns the target that a task learns.
func ParseTask(name string) (Target, error) {
	var names []string
	for _, known := range tasks {
		if known.name == name {
			return known.target, nil
		}
		names = append(names, known.name)
	}
	return "", fmt.Errorf("dataset: no task %q; there are %s", name, strings.Join(names, ", "))
}

// labelSet returns labels without repetition, sorted, and what people would write for them.
func labelSet(labels []string) ([]string, string) {
	set := slices.Compact(slices.Sorted(slices.Values(labels)))
	if set == nil {
		set = []string{}
	}
	return set, strings.Join(set, ", ")
}

// settle decides what the labels are, by the settings or else by their looks, and reads them so.
func (raw *source) settle(s Settings) error {
	found := Classes
	switch {
	case raw.about == nil:
	case raw.about.tags:
		found = Tags
	case raw.about.lists:
		found = Labels
	case raw.names == nil:
		if n := raw.numbers(); n > 0 {
			found = Values
			raw.note("the labels are %d different numbers: they are learned as values, the task regression", n)
		}
	}
	raw.target = found
	if s.Target != nil && *s.Target != found {
		if err := raw.read(found, *s.Target); err != nil {
			return err
		}
	}
	switch raw.target {
	case Values:
		return raw.eachRow(readValue)
	case Labels:
		return raw.eachRow(func(e *Example[string]) error {
			if e.Labels == nil {
				e.Labels, e.Label = labelSet([]string{e.Label})
			}
			return nil
		})
	}
	return nil
}

// read takes labels of the looks found for what was asked for.
func (raw *source) read(found, asked Target) error {
	what := map[Target]string{
		Classes: "a label a row", Labels: "lists of labels", Values: "a number a row", Tags: "tagged words",
	}
	wrong := func(hint string) error {
		return &RowError{File: raw.path, Err: fmt.Errorf("%w: the data has %s; %s", ErrTask, what[found], hint)}
	}
	switch {
	case asked == Tags:
		return wrong("token-classification takes CoNLL files, a word and its tag a line and an empty line after each sentence, or JSONL with lists tokens and tags")
	case found == Tags:
		return wrong("learn it by token-classification")
	case found == Labels:
		return wrong("learn it by multi-label, or give each row one label for " + asked.Task())
	}
	raw.target = asked
	raw.report.Notes = slices.DeleteFunc(raw.report.Notes, func(note string) bool { return strings.Contains(note, "the task regression") })
	return nil
}

func (raw *source) note(format string, a ...any) {
	raw.report.Notes = append(raw.report.Notes, fmt.Sprintf(format, a...))
}

// parts are all parts, in the order they are gone through.
var parts = []Part{All, Train, Validation, Test}

func (raw *source) eachRow(f func(*Example[string]) error) error {
	for _, part := range parts {
		rows := raw.splits[part]
		for i := range rows {
			if err := f(&rows[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Numbers that are classes are few, or count from 0 or 1.
const (
	mostClasses      = 10 // different fractions
	mostWholeClasses = 50 // different whole numbers
)

// numbers returns how many different labels there are where all are numbers and look like values, otherwise 0.
func (raw *source) numbers() int {
	different := map[float64]bool{}
	whole := true
	err := raw.eachRow(func(e *Example[string]) error {
		v, err := strconv.ParseFloat(e.Label, 64)
		if err == nil && !different[v] && v == v { // not a NaN, of which each is different
			different[v] = true
			whole = whole && v == math.Trunc(v)
		}
		return err
	})
	n := len(different)
	if err != nil || !whole && n <= mostClasses || whole && (n <= mostWholeClasses || counts(different)) {
		return 0
	}
	return n
}

// counts tells whether whole numbers are 0, 1, … or 1, 2, …
func counts(numbers map[float64]bool) bool {
	low, high := math.Inf(1), math.Inf(-1)
	for v := range numbers {
		low, high = min(low, v), max(high, v)
	}
	return (low == 0 || low == 1) && int(high-low) == len(numbers)-1
}

// readValue reads a label as a number.
func readValue(e *Example[string]) error {
	v, err := strconv.ParseFloat(e.Label, 64)
	switch {
	case err != nil && math.IsInf(v, 0) || v-v != 0 || math.Abs(v) > math.MaxFloat32:
		return &RowError{File: e.ID, Err: fmt.Errorf("%w: %q is not finite", ErrNumber, shorten(e.Label))}
	case err != nil:
		return &RowError{File: e.ID, Err: fmt.Errorf("%w: %q; regression takes numbers, for names the task is classification", ErrNumber, shorten(e.Label))}
	}
	e.Value = v
	return nil
}

// labelsOf returns where an example's labels stand.
func (t Target) labelsOf(e *Example[string]) []*string {
	switch t {
	case Values:
		return nil
	case Labels:
		all := make([]*string, len(e.Labels))
		for i := range e.Labels {
			all[i] = &e.Labels[i]
		}
		return all
	case Tags:
		all := make([]*string, len(e.Words))
		for i := range e.Words {
			all[i] = &e.Words[i].Tag
		}
		return all
	}
	return []*string{&e.Label}
}

// sortTags puts O first, then types in order, each B before I.
func sortTags(tags []string) {
	slices.SortFunc(tags, func(a, b string) int {
		if (a == "O") != (b == "O") {
			if a == "O" {
				return -1
			}
			return 1
		}
		markA, kindA, _ := strings.Cut(a, "-")
		markB, kindB, _ := strings.Cut(b, "-")
		return cmp.Or(cmp.Compare(kindA, kindB), cmp.Compare(markA, markB))
	})
}
