package dataset

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// fewest is the number of training examples a class needs.
const fewest = 2

// divide fills in a Split from what was read.
func (raw *source) divide(split *Split[string], s Settings) error {
	train, validation, test := raw.splits[Train], raw.splits[Validation], raw.splits[Test]
	whole := raw.splits[All]
	labels, err := raw.nameLabels(whole, train, validation, test)
	if err != nil {
		return err
	}
	if len(whole) > 0 {
		train = whole
	}
	if len(train) == 0 {
		return &RowError{File: raw.path, Err: fmt.Errorf("%w to learn from: there is no train split", ErrEmpty)}
	}
	if train, labels, err = raw.enough(train, labels, s, &split.Report); err != nil {
		return err
	}
	note := func(format string, a ...any) {
		split.Report.Notes = append(split.Report.Notes, fmt.Sprintf(format, a...))
	}
	switch share := cmp.Or(s.Test, defaultTest); {
	case len(test) > 0:
	case len(validation) > 0:
		test, validation = validation, nil
		note("there is no test split: the validation split is what the model is judged by")
	default:
		train, test = hold(train, share, s.Seed, raw.target)
		of := "the rows"
		if raw.target == Classes {
			of = "each class"
		}
		note("there is no test split: %g %% of %s is held out (seed %d)", 100*share, of, s.Seed)
	}
	if s.Validation > 0 && len(validation) == 0 {
		train, validation = hold(train, s.Validation, s.Seed+1, raw.target)
	}
	split.Train, split.Validation, split.Test = train, validation, test
	split.separate(s.KeepDuplicates)
	if split.Train, split.Labels, err = raw.enough(split.Train, labels, s, &split.Report); err != nil {
		return err
	}
	return known(split, s)
}

// enough checks that there are two classes, each with examples enough, and returns the labels that occur.
func (raw *source) enough(train []Example[string], labels []string, s Settings, report *Report) ([]Example[string], []string, error) {
	if raw.target != Classes {
		labels, err := raw.something(train, labels)
		return train, labels, err
	}
	count, first := map[string]int{}, map[string]string{}
	for _, e := range train {
		if count[e.Label]++; count[e.Label] == 1 {
			first[e.Label] = e.ID
		}
	}
	var kept []string
	rare := map[string]bool{}
	for _, label := range labels {
		switch n := count[label]; {
		case n >= fewest:
			kept = append(kept, label)
		case n == 0:
		case s.Lenient:
			rare[label] = true
		default:
			return nil, nil, &RowError{File: raw.path, Err: fmt.Errorf("%w: %q has only %s to learn from; give it at least %d, or drop it with Lenient", ErrRareClass, label, first[label], fewest)}
		}
	}
	if len(rare) > 0 {
		before := len(train)
		train = slices.DeleteFunc(slices.Clone(train), func(e Example[string]) bool { return rare[e.Label] })
		report.Dropped += before - len(train)
		report.Notes = append(report.Notes, fmt.Sprintf("classes with a single example were dropped: %s", quoteList(sortedKeys(rare))))
	}
	if len(kept) == 1 {
		return nil, nil, &RowError{File: raw.path, Err: fmt.Errorf("%w, %q: there is nothing to tell apart", ErrOneClass, kept[0])}
	}
	if len(kept) == 0 {
		return nil, nil, &RowError{File: raw.path, Err: fmt.Errorf("%w to learn from", ErrEmpty)}
	}
	return train, kept, nil
}

// something checks that there is something to learn where targets are no classes, and returns the labels that occur.
func (raw *source) something(train []Example[string], labels []string) ([]string, error) {
	if len(train) < fewest {
		return nil, &RowError{File: raw.path, Err: fmt.Errorf("%w to learn from: %d, want at least %d", ErrEmpty, len(train), fewest)}
	}
	if raw.target == Values {
		for _, e := range train {
			if e.Value != train[0].Value {
				return labels, nil
			}
		}
		return nil, &RowError{File: raw.path, Err: fmt.Errorf("%w: every label is %q", ErrOneClass, train[0].Label)}
	}
	occurs := map[string]bool{}
	for i := range train {
		for _, label := range raw.target.labelsOf(&train[i]) {
			occurs[*label] = true
		}
	}
	kept := slices.DeleteFunc(slices.Clone(labels), func(label string) bool { return !occurs[label] })
	if raw.target == Tags && !slices.ContainsFunc(kept, func(tag string) bool { return tag != "O" }) {
		return nil, &RowError{File: raw.path, Err: fmt.Errorf("%w: every tag is O", ErrOneClass)}
	}
	if raw.target == Tags && !occurs["O"] {
		kept = append([]string{"O"}, kept...)
	}
	if len(kept) == 0 {
		return nil, &RowError{File: raw.path, Err: fmt.Errorf("%w: no row has a label", ErrOneClass)}
	}
	return kept, nil
}

// known checks that validation and test have only labels that train has. Rows of classes dropped for being rare go.
func known(split *Split[string], s Settings) error {
	has := map[string]bool{}
	for _, label := range split.Labels {
		has[label] = true
	}
	for _, rows := range []*[]Example[string]{&split.Validation, &split.Test} {
		before := len(*rows)
		unknown := map[int]bool{}
		for i := range *rows {
			for _, label := range split.Target.labelsOf(&(*rows)[i]) {
				if has[*label] {
					continue
				}
				if unknown[i] = true; !s.Lenient {
					return &RowError{File: (*rows)[i].ID, Err: fmt.Errorf("%w: %q never occurs in train", ErrUnknownLabel, *label)}
				}
			}
		}
		left := make([]Example[string], 0, before)
		for i, e := range *rows {
			if !unknown[i] {
				left = append(left, e)
			}
		}
		*rows = left
		split.Report.Dropped += before - len(*rows)
	}
	if len(split.Test) == 0 {
		return &RowError{File: split.Name, Err: fmt.Errorf("%w to judge by", ErrEmpty)}
	}
	return nil
}

// Stratify divides examples into those that stay and those held out, the given share of each class, rounded, but of a
// class of two or more at least one and never all. A row's side depends on seed, class and content alone: not on the
// order of rows; equal contents of a class lie side by side. Both results keep the order of examples.
func Stratify[T any](examples []Example[T], share float64, seed uint64) (stay, held []Example[T]) {
	return stratify(examples, share, seed, func(e Example[T]) string { return e.Label })
}

func stratify[T any](examples []Example[T], share float64, seed uint64, stratum func(Example[T]) string) (stay, held []Example[T]) {
	type ranked struct {
		key [32]byte
		at  int
	}
	classes := map[string][]ranked{}
	for i, e := range examples {
		classes[stratum(e)] = append(classes[stratum(e)], ranked{rank(seed, e.Digest), i})
	}
	out := make([]bool, len(examples))
	for _, rows := range classes {
		slices.SortFunc(rows, func(a, b ranked) int {
			return cmp.Or(bytes.Compare(a.key[:], b.key[:]), cmp.Compare(a.at, b.at))
		})
		n := int(math.Round(share * float64(len(rows))))
		n = min(max(n, 1), len(rows)-1)
		for _, r := range rows[:n] {
			out[r.at] = true
		}
	}
	for i, e := range examples {
		if out[i] {
			held = append(held, e)
		} else {
			stay = append(stay, e)
		}
	}
	return stay, held
}

// hold is [Stratify] by class; of other targets all rows are one stratum.
func hold(examples []Example[string], share float64, seed uint64, target Target) (stay, held []Example[string]) {
	if target == Classes {
		return Stratify(examples, share, seed)
	}
	return stratify(examples, share, seed, func(Example[string]) string { return "" })
}

// rank is where a content stands in the order of a seed.
func rank(seed uint64, content [32]byte) [32]byte {
	var key [40]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	copy(key[8:], content[:])
	return sha256.Sum256(key[:])
}

// separate finds exact duplicates across splits and, unless they are to be kept, drops them from the split further from
// the test: from train what is in validation or test, from validation what is in test.
func (split *Split[T]) separate(keep bool) {
	labels := map[[32]byte]string{}
	conflicts := map[[32]byte]bool{}
	for _, rows := range [][]Example[T]{split.Train, split.Validation, split.Test} {
		for _, e := range rows {
			if first, ok := labels[e.Digest]; !ok {
				labels[e.Digest] = e.Label
			} else if first != e.Label {
				conflicts[e.Digest] = true
			}
		}
	}
	split.Report.Conflicts = len(conflicts)
	taken := map[[32]byte]bool{}
	add := func(rows []Example[T]) {
		for _, e := range rows {
			taken[e.Digest] = true
		}
	}
	without := func(rows []Example[T], from, in string) []Example[T] {
		left := make([]Example[T], 0, len(rows))
		for _, e := range rows {
			if !taken[e.Digest] {
				left = append(left, e)
			}
		}
		n := len(rows) - len(left)
		if n == 0 {
			return rows
		}
		split.Report.Duplicates += n
		verb := "they were dropped from " + from
		if keep {
			left, verb = rows, "they were kept"
		} else {
			split.Report.Dropped += n
		}
		split.Report.Notes = append(split.Report.Notes, fmt.Sprintf("%d rows of %s are also in %s: %s", n, from, in, verb))
		return left
	}
	add(split.Test)
	split.Validation = without(split.Validation, "validation", "test")
	add(split.Validation)
	in := "test"
	if len(split.Validation) > 0 {
		in = "validation or test"
	}
	split.Train = without(split.Train, "train", in)
	seen := map[[32]byte]bool{}
	for _, e := range split.Train {
		if seen[e.Digest] {
			split.Report.Repeated++
		}
		seen[e.Digest] = true
	}
	if split.Report.Conflicts > 0 {
		split.Report.Notes = append(split.Report.Notes, fmt.Sprintf("%d contents carry more than one label", split.Report.Conflicts))
	}
}
