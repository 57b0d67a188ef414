package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestNpy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.npy")
	want := []float32{1, -2.5, 3e-9, 4, 5, 6}
	if err := writeNpy(file, want, 2, 3); err != nil {
		t.Fatal(err)
	}
	got, shape, err := readNpy[float32](file)
	if err != nil || !slices.Equal(got, want) || !slices.Equal(shape, []int{2, 3}) {
		t.Errorf("%v %v %v, want what was written", got, shape, err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if at := len(raw) - 4*len(want); at%64 != 0 {
		t.Errorf("the numbers begin at %d, want a multiple of 64", at)
	}
	if _, _, err := readNpy[int64](file); err == nil {
		t.Error("floats are read as integers")
	}
	for _, n := range []int{0, 7, 9, 40, len(raw) - 1} {
		if err := os.WriteFile(file, raw[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readNpy[float32](file); err == nil {
			t.Errorf("a file of %d bytes of %d is read", n, len(raw))
		}
	}
}
