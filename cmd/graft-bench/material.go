package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A line is one row of the shared text data: label<TAB>text.
type line struct{ label, text string }

// readLines reads a table of the shared text data, less its header.
func readLines(file string) ([]line, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var rows []line
	for i, l := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		label, text, ok := strings.Cut(l, "\t")
		if !ok {
			return nil, fmt.Errorf("%s:%d: want label, tab, text", file, i+1)
		}
		if i > 0 {
			rows = append(rows, line{label, text})
		}
	}
	return rows, nil
}

// lines reads several tables, each given as dataset/split.
func (b *bench) lines(tables ...string) ([]line, error) {
	var all []line
	for _, t := range tables {
		rows, err := readLines(b.asset("text-data", filepath.FromSlash(t)+".tsv"))
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// sample draws n of the values, the same at every call, and keeps their order.
func sample[T any](values []T, n int) []T {
	if n >= len(values) {
		return values
	}
	picked := rand.New(rand.NewPCG(1, 1)).Perm(len(values))[:n]
	slices.Sort(picked)
	out := make([]T, n)
	for i, p := range picked {
		out[i] = values[p]
	}
	return out
}

// pictures are the JPEG files of an image folder, in order.
func (b *bench) pictures(name string) ([]string, error) {
	files, err := filepath.Glob(b.asset("image-data", name, "*", "*", "*.jpg"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no pictures in %s", b.asset("image-data", name))
	}
	slices.Sort(files)
	return files, err
}

// furthest is the largest difference between the numbers of two arrays of one length.
func furthest(a, b []float32) (float64, error) {
	if len(a) != len(b) {
		return 0, fmt.Errorf("%d numbers beside %d", len(a), len(b))
	}
	var most float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		if d != d {
			return d, fmt.Errorf("number %d is not one", i)
		}
		most = max(most, d, -d)
	}
	return most, nil
}

// agree is an error where two arrays are further apart than the tolerance: timings of different answers compare nothing.
func agree(what string, a, b []float32, tolerance float64) error {
	d, err := furthest(a, b)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !(d <= tolerance) {
		return fmt.Errorf("%s: the answers are up to %.2g apart, want at most %.2g", what, d, tolerance)
	}
	return nil
}
