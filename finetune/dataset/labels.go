package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// readLabelNames reads labels.txt: the name of class 0, 1, … a line each. It returns nil where there is no such file.
func readLabelNames(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &RowError{File: path, Err: bare(err)}
	}
	t := table{file: path}
	if data, err = t.utf8(data); err != nil {
		return nil, err
	}
	var names []string
	seen := map[string]int{}
	for i, line := range strings.Split(strings.TrimRight(string(data), "\r\n"), "\n") {
		name := strings.TrimSpace(line)
		if name == "" {
			return nil, &RowError{File: path, Line: i + 1, Err: errors.New("an empty line where a class's name should be")}
		}
		if first, ok := seen[name]; ok {
			return nil, &RowError{File: path, Line: i + 1, Err: fmt.Errorf("%q names a second class; line %d has it already", name, first)}
		}
		seen[name] = i + 1
		names = append(names, name)
	}
	return names, nil
}

// nameLabels replaces integer labels by their names where labels.txt has them, and returns the labels that occur, in
// order: labels.txt's; else by value where all are integers; else alphabetically, tags type by type. Values have one name,
// the column's.
func (raw *source) nameLabels(groups ...[]Example[string]) ([]string, error) {
	if raw.target == Values {
		if raw.about == nil || raw.about.label == "" {
			return []string{"value"}, nil
		}
		return []string{raw.about.label}, nil
	}
	at := map[string]string{} // label → the first example that has it
	for _, group := range groups {
		for i := range group {
			for _, label := range raw.target.labelsOf(&group[i]) {
				if _, ok := at[*label]; !ok {
					at[*label] = group[i].ID
				}
			}
		}
	}
	if raw.names == nil {
		labels := sortedKeys(at)
		if raw.target == Tags {
			sortTags(labels)
		} else if allIntegers(labels) {
			slices.SortStableFunc(labels, func(a, b string) int { return cmp.Compare(integer(a), integer(b)) })
		}
		return labels, nil
	}
	numbered, occurs, err := raw.listed(at)
	if err != nil {
		return nil, err
	}
	if numbered {
		for _, group := range groups {
			for i := range group {
				for _, label := range raw.target.labelsOf(&group[i]) {
					*label = raw.names[integer(*label)]
				}
				if raw.target == Labels {
					group[i].Labels, group[i].Label = labelSet(group[i].Labels)
				}
			}
		}
	}
	var labels []string
	for i, name := range raw.names {
		if occurs[i] {
			labels = append(labels, name)
		}
	}
	return labels, nil
}

// listed tells which of labels.txt's names occur, and whether as numbers.
func (raw *source) listed(at map[string]string) (numbered bool, occurs []bool, err error) {
	index := map[string]int{}
	for i, name := range raw.names {
		index[name] = i
	}
	numbered = allIntegers(sortedKeys(at)) && !allKnown(at, index)
	occurs = make([]bool, len(raw.names))
	for _, label := range sortedKeys(at) {
		i, ok := index[label]
		if numbered {
			i = integer(label)
			ok = i >= 0 && i < len(raw.names)
		}
		if !ok {
			return false, nil, &RowError{File: at[label], Err: fmt.Errorf("%w: %q is not among the %d of labels.txt", ErrUnknownLabel, label, len(raw.names))}
		}
		occurs[i] = true
	}
	return numbered, occurs, nil
}

// allKnown tells whether every label is a name of labels.txt.
func allKnown(labels map[string]string, index map[string]int) bool {
	for label := range labels {
		if _, ok := index[label]; !ok {
			return false
		}
	}
	return true
}

func allIntegers(labels []string) bool {
	for _, label := range labels {
		if _, err := strconv.Atoi(label); err != nil {
			return false
		}
	}
	return len(labels) > 0
}

// integer returns the value of a label that allIntegers has seen.
func integer(label string) int {
	n, _ := strconv.Atoi(label)
	return n
}
